// Changes that the server did not accept still belong to the user: as a file, or as a new board.

import type { BinaryFileData, BinaryFiles } from '@excalidraw/excalidraw/types'
import { useState } from 'react'
import * as api from '../api.ts'
import { imageOfDataUrl } from '../image-blob.ts'
import { navigate } from '../router.tsx'
import type { SessionState } from '../session-state.ts'
import { keptTexts as texts } from '../texts/board.ts'
import { showProblem } from '../ui/toast.tsx'
import { dataUrlOf } from './data-url.ts'
import { download, fileName } from './save-file.ts'

interface KeptProps {
  boardId: string
  kept: NonNullable<SessionState['kept']>
  /** The images that the canvas had. */
  files: BinaryFiles
  title: string
  isUser: boolean
  onDone: () => void
}

export const KeptActions = ({ boardId, kept, files, title, isUser, onDone }: KeptProps) => {
  const [isBusy, setBusy] = useState(false)
  const doing = (work: () => Promise<void>) => {
    setBusy(true)
    work().then(onDone, (error: unknown) => {
      showProblem(error)
      setBusy(false)
    })
  }
  const keepAsFile = async () => {
    const images = await imagesOf(boardId, kept, files)
    const scene = {
      type: 'excalidraw',
      version: 2,
      source: 'boardroom',
      elements: kept.elements,
      appState: {},
      files: Object.fromEntries(images.map((image) => [image.id, image])),
    }
    const content = new Blob([JSON.stringify(scene)], { type: 'application/vnd.excalidraw+json' })
    download(content, fileName(texts.title(title), 'excalidraw'))
  }
  const keepAsBoard = async () => {
    const images = await imagesOf(boardId, kept, files)
    const board = await api.createBoard({ title: texts.title(title.slice(0, 180)) })
    const content = images.flatMap(({ id, dataURL }) => {
      const image = imageOfDataUrl(dataURL)
      return image === null ? [] : [[id, image] as const]
    })
    const { fillBoard } = await import('../import.ts') // most boards never need this
    await fillBoard(board.id, { elements: kept.elements, images: new Map(content), background: null })
    navigate(`/b/${board.id}`)
  }
  return (
    <>
      <button type="button" className="primary" disabled={isBusy} onClick={() => doing(keepAsFile)}>
        {texts.download}
      </button>
      {isUser && (
        <button type="button" disabled={isBusy} onClick={() => doing(keepAsBoard)}>
          {texts.asBoard}
        </button>
      )}
    </>
  )
}

/** The images that the canvas had, and those of the others that the server still has. */
const imagesOf = async (
  boardId: string,
  { elements }: KeptProps['kept'],
  files: BinaryFiles,
): Promise<BinaryFileData[]> => {
  const ids = new Set(elements.flatMap(({ fileId }) => (typeof fileId === 'string' ? [fileId] : [])))
  const images = await Promise.all(
    [...ids].map(async (id): Promise<BinaryFileData[]> => {
      const file = files[id]
      if (file !== undefined) return [file]
      try {
        const blob = await api.getFile(boardId, id)
        const mimeType = blob.type as BinaryFileData['mimeType'] // the server stores no other types
        return [
          { id: id as BinaryFileData['id'], dataURL: await dataUrlOf(blob), mimeType, created: Date.now() },
        ]
      } catch {
        return [] // deleted together with the board: the rest is still worth keeping
      }
    }),
  )
  return images.flat()
}

export const KeptBanner = (props: KeptProps) => (
  <div className="banner" role="alert">
    <p>{texts.notSaved(props.kept.changes)}</p>
    <div className="actions">
      <KeptActions {...props} />
      <button type="button" className="quiet" onClick={props.onDone}>
        {texts.discard}
      </button>
    </div>
  </div>
)
