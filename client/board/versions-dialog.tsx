// Earlier states of a board: view one, name the current one, restore one. Restoring is an edit like any other.
import { exportToSvg, restoreElements } from '@excalidraw/excalidraw'
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types'
import type { BinaryFileData, BinaryFiles } from '@excalidraw/excalidraw/types'
import { useCallback, useEffect, useState } from 'react'
import type { VersionResponse } from '../../shared/api.ts'
import type { SceneElement } from '../../shared/element.ts'
import { readScene } from '../../shared/scene.ts'
import * as api from '../api.ts'
import { ago, atTime } from '../texts/format.ts'
import { versionTexts as texts } from '../texts/versions.ts'
import { Dialog } from '../ui/dialog.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { dataUrlOf } from './data-url.ts'

export const VersionsDialog = ({
  boardId,
  elementsNow,
  onClose,
}: {
  boardId: string
  /** The number of elements on the canvas. */
  elementsNow: () => number
  onClose: () => void
}) => {
  const [versions, setVersions] = useState<VersionResponse[] | null>(null)
  const [chosen, setChosen] = useState<string | null>(null)
  const load = useCallback(() => {
    api.listVersions(boardId).then((page) => setVersions(page.items), showProblem)
  }, [boardId])
  useEffect(load, [load])
  const chosenVersion = versions?.find(({ id }) => id === chosen)

  return (
    <Dialog title={texts.title} size="wide" onClose={onClose}>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault()
          const form = event.currentTarget
          const name = String(new FormData(form).get('name') ?? '').trim()
          if (name === '') return
          api.createVersion(boardId, name).then(() => {
            form.reset()
            showToast(texts.kept)
            load()
          }, showProblem)
        }}
      >
        <input
          name="name"
          aria-label={texts.nameLabel}
          placeholder={texts.namePlaceholder}
          maxLength={100}
          required
          data-first
        />
        <button type="submit">{texts.keep}</button>
      </form>
      <div className="versions">
        <ul className="list">
          {versions?.length === 0 && <li className="hint">{texts.none}</li>}
          {versions?.map((version) => (
            <li key={version.id}>
              <button
                type="button"
                className="version"
                aria-pressed={chosen === version.id}
                onClick={() => setChosen(version.id)}
              >
                <strong>{texts.nameOf(version)}</strong>
                <span className="dim" title={atTime(version.created_at)}>
                  {ago(version.created_at)}
                  {version.created_by_name === null ? '' : ` · ${version.created_by_name}`}
                </span>
              </button>
            </li>
          ))}
        </ul>
        {chosenVersion !== undefined && (
          <Preview
            key={chosenVersion.id}
            boardId={boardId}
            version={chosenVersion}
            elementsNow={elementsNow}
            onRestore={() => restore(boardId, chosenVersion.id).then(onClose, showProblem)}
          />
        )}
      </div>
    </Dialog>
  )
}

const restore = async (boardId: string, versionId: string): Promise<void> => {
  const formerId = await api.restoreVersion(boardId, versionId)
  const undo = () => {
    if (formerId === null) return
    api.restoreVersion(boardId, formerId).then(() => showToast(texts.undone), showProblem)
  }
  showToast(texts.restored, false, formerId === null ? null : { label: texts.undo, onSelect: undo })
}

interface PreviewProps {
  boardId: string
  version: VersionResponse
  elementsNow: () => number
  onRestore: () => void
}

const Preview = ({ boardId, version, elementsNow, onRestore }: PreviewProps) => {
  const [picture, setPicture] = useState<string | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [elements, setElements] = useState(0)
  const [isAsking, setAsking] = useState(false)
  useEffect(() => {
    let url: string | null = null
    let isGone = false
    const draw = async () => {
      const scene = readScene(await api.getVersionScene(boardId, version.id))
      if (scene === null || scene.elements.length === 0) return setProblem(texts.empty)
      setElements(scene.elements.length)
      const svg = await exportToSvg({
        // restoreElements accepts JSON of any quality; its type is stricter.
        elements: restoreElements(scene.elements as unknown as ExcalidrawElement[], null) as never,
        files: await imagesOf(boardId, scene.elements),
        appState: { exportBackground: true, viewBackgroundColor: '#ffffff' },
        exportPadding: 16,
        skipInliningFonts: true,
      })
      if (isGone) return
      url = URL.createObjectURL(new Blob([svg.outerHTML], { type: 'image/svg+xml' }))
      setPicture(url)
    }
    draw().catch((error: Error) => setProblem(error.message))
    return () => {
      isGone = true
      if (url !== null) URL.revokeObjectURL(url)
    }
  }, [boardId, version.id])
  return (
    <div className="preview">
      {picture === null ? (
        <p className="hint">{problem ?? texts.drawing}</p>
      ) : (
        <img src={picture} alt={texts.picture} />
      )}
      {isAsking ? (
        <>
          <p role="alert">{texts.restoreText(atTime(version.created_at), elementsNow(), elements)}</p>
          <div className="actions end">
            <button type="button" onClick={() => setAsking(false)}>
              {texts.cancel}
            </button>
            <button type="button" className="primary danger" onClick={onRestore}>
              {texts.restoreAction}
            </button>
          </div>
        </>
      ) : (
        <button type="button" className="primary" onClick={() => setAsking(true)}>
          {texts.restore}
        </button>
      )}
    </div>
  )
}

/** A missing image leaves its frame empty; the rest of the picture is still useful. */
const imagesOf = async (boardId: string, elements: readonly SceneElement[]): Promise<BinaryFiles> => {
  const files: BinaryFiles = {}
  const ids = new Set(elements.flatMap(({ fileId }) => (typeof fileId === 'string' ? [fileId] : [])))
  await Promise.all(
    [...ids].map(async (id) => {
      const blob = await api.getFile(boardId, id).catch(() => null)
      if (blob === null) return
      const file = { id, mimeType: blob.type, dataURL: await dataUrlOf(blob), created: Date.now() }
      files[id] = file as BinaryFileData
    }),
  )
  return files
}
