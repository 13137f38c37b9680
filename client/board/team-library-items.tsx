// The contents of the team library: loaded when somebody opens it.
import { exportToSvg, restoreElements } from '@excalidraw/excalidraw'
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types'
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { useCallback, useEffect, useState } from 'react'
import type { LibraryItemResponse } from '../../shared/api/library.ts'
import type { SceneElement } from '../../shared/element.ts'
import * as api from '../api.ts'
import { libraryTexts as texts } from '../texts/library.ts'
import { Icon } from '../ui/icons.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import './team-library.css'
import type { TeamLibraryProps } from './team-library.tsx'

export const TeamLibraryItems = ({ excalidraw, session, mayDraw }: TeamLibraryProps) => {
  const [items, setItems] = useState<LibraryItemResponse[] | null>(null)
  const load = useCallback(() => {
    api.listTeamLibrary().then((page) => setItems(page.items), showProblem)
  }, [])
  useEffect(() => {
    load()
    return session.onEvent((event) => {
      if (event.type === 'library') load()
    })
  }, [load, session])
  const add = () => {
    const elements = selectedOn(excalidraw)
    if (elements.length === 0) return showToast(texts.nothingSelected)
    api.addToTeamLibrary({ elements }).then(load, showProblem)
  }
  return (
    <div className="team-library">
      <button type="button" onClick={add}>
        <Icon name="plus" /> {texts.add}
      </button>
      {items?.length === 0 && <p className="hint">{texts.none}</p>}
      <ul>
        {items?.map((item) => (
          <li key={item.id}>
            <button
              type="button"
              className="library-item"
              aria-label={texts.draw(item.name)}
              title={texts.by(item.name, item.created_by_name)}
              disabled={!mayDraw}
              onClick={() => void draw(excalidraw, item)}
            >
              <Picture item={item} />
            </button>
            {item.may_remove && (
              <button
                type="button"
                className="quiet square"
                aria-label={texts.remove(item.name)}
                onClick={() => void api.removeFromTeamLibrary(item.id).then(load, showProblem)}
              >
                <Icon name="close" />
              </button>
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}

const Picture = ({ item }: { item: LibraryItemResponse }) => {
  const [url, setUrl] = useState<string | null>(null)
  useEffect(() => {
    let made: string | null = null
    let isGone = false
    exportToSvg({
      // restoreElements accepts JSON of any quality; its type is stricter.
      elements: restoreElements(item.elements as unknown as ExcalidrawElement[], null) as never,
      files: null,
      appState: { exportBackground: false },
      exportPadding: 4,
      skipInliningFonts: true,
    }).then(
      (svg: SVGSVGElement) => {
        if (isGone) return
        made = URL.createObjectURL(new Blob([svg.outerHTML], { type: 'image/svg+xml' }))
        setUrl(made)
      },
      () => {}, // its name is shown
    )
    return () => {
      isGone = true
      if (made !== null) URL.revokeObjectURL(made)
    }
  }, [item])
  return url === null ? <span>{item.name ?? '…'}</span> : <img src={url} alt="" />
}

const draw = async (
  excalidraw: ExcalidrawImperativeAPI,
  { elements }: LibraryItemResponse,
): Promise<void> => {
  try {
    const { addToMiddle } = await import('./add-files.ts')
    await addToMiddle(excalidraw, elements as unknown as SceneElement[])
  } catch (error) {
    showProblem(error)
  }
}

/** Images are files of their board, and are not copied. */
const selectedOn = (excalidraw: ExcalidrawImperativeAPI): Record<string, unknown>[] => {
  const { selectedElementIds } = excalidraw.getAppState()
  const elements = excalidraw.getSceneElements()
  return elements.filter(
    (element) =>
      element.type !== 'image' &&
      (selectedElementIds[element.id] === true ||
        ('containerId' in element &&
          typeof element.containerId === 'string' &&
          selectedElementIds[element.containerId] === true)),
  ) as unknown as Record<string, unknown>[]
}
