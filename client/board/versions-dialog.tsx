// Earlier states of a board: look, name the present one, go back. Going back is an edit like any other.
import { exportToSvg, restoreElements } from '@excalidraw/excalidraw'
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types'
import { useCallback, useEffect, useState } from 'react'
import type { VersionResponse } from '../../shared/api.ts'
import { readScene } from '../../shared/scene.ts'
import * as api from '../api.ts'
import { Dialog } from '../ui/dialog.tsx'
import { ago, atTime } from '../ui/time.ts'
import { showProblem, showToast } from '../ui/toast.tsx'

export const VersionsDialog = ({ boardId, onClose }: { boardId: string; onClose: () => void }) => {
  const [versions, setVersions] = useState<VersionResponse[] | null>(null)
  const [chosen, setChosen] = useState<string | null>(null)
  const load = useCallback(() => {
    api.listVersions(boardId).then((page) => setVersions(page.items), showProblem)
  }, [boardId])
  useEffect(load, [load])

  return (
    <Dialog title="Versions" size="wide" onClose={onClose}>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault()
          const form = event.currentTarget
          const name = String(new FormData(form).get('name') ?? '').trim()
          if (name === '') return
          api.createVersion(boardId, name).then(() => {
            form.reset()
            showToast('Version kept')
            load()
          }, showProblem)
        }}
      >
        <input
          name="name"
          aria-label="Name of the version"
          placeholder="Name the board as it is now"
          maxLength={100}
          required
          data-first
        />
        <button type="submit">Keep version</button>
      </form>
      <div className="versions">
        <ul className="list">
          {versions?.length === 0 && (
            <li className="hint">No versions yet. They are also kept by themselves while you work.</li>
          )}
          {versions?.map((version) => (
            <li key={version.id}>
              <button
                type="button"
                className="version"
                aria-pressed={chosen === version.id}
                onClick={() => setChosen(version.id)}
              >
                <strong>{version.name ?? 'Kept by itself'}</strong>
                <span className="dim" title={atTime(version.created_at)}>
                  {ago(version.created_at)}
                  {version.created_by_name === null ? '' : ` · ${version.created_by_name}`}
                </span>
              </button>
            </li>
          ))}
        </ul>
        {chosen !== null && (
          <Preview
            key={chosen}
            boardId={boardId}
            versionId={chosen}
            onRestore={() =>
              api.restoreVersion(boardId, chosen).then(() => {
                showToast('Restored')
                onClose()
              }, showProblem)
            }
          />
        )}
      </div>
    </Dialog>
  )
}

interface PreviewProps {
  boardId: string
  versionId: string
  onRestore: () => void
}

const Preview = ({ boardId, versionId, onRestore }: PreviewProps) => {
  const [picture, setPicture] = useState<string | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    let url: string | null = null
    let isGone = false
    const draw = async () => {
      const scene = readScene(await api.getVersionScene(boardId, versionId))
      if (scene === null || scene.elements.length === 0) return setProblem('The board was empty.')
      const svg = await exportToSvg({
        // restoreElements takes JSON of any quality; its type asks for more than that.
        elements: restoreElements(scene.elements as unknown as ExcalidrawElement[], null) as never,
        files: {},
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
  }, [boardId, versionId])
  return (
    <div className="preview">
      {picture === null ? (
        <p className="hint">{problem ?? 'Drawing …'}</p>
      ) : (
        <img src={picture} alt="The board as it was" />
      )}
      <button type="button" className="primary" onClick={onRestore}>
        Restore this version
      </button>
    </div>
  )
}
