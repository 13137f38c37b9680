// Choosing a folder to move something into.
import { useState } from 'react'
import type { FolderResponse } from '../../shared/api/folders.ts'
import { boardsTexts, folderTexts as texts } from '../texts/boards.ts'
import { Dialog } from '../ui/dialog.tsx'
import { treeOf } from './use-folders.ts'

interface FolderPickerProps {
  title: string
  folders: readonly FolderResponse[]
  /** The current folder; null: none. */
  current: string | null
  /** When a folder is moved, it cannot go into any folder inside it. */
  except?: string | null
  onClose: () => void
  onChosen: (folder: FolderResponse | null) => void
}

export const FolderPicker = ({
  title,
  folders,
  current,
  except = null,
  onClose,
  onChosen,
}: FolderPickerProps) => {
  const [chosen, setChosen] = useState(current)
  const tree = treeOf(folders, except).filter(
    ({ folder }) => folder.level === 'edit' || folder.id === current,
  )
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          onChosen(folders.find(({ id }) => id === chosen) ?? null)
        }}
      >
        <fieldset className="folder-choices">
          <legend className="offscreen">{title}</legend>
          <label>
            <input
              type="radio"
              name="folder"
              checked={chosen === null}
              onChange={() => setChosen(null)}
              data-first
            />
            {boardsTexts.noFolder}
          </label>
          {tree.map(({ folder, depth }) => (
            <label key={folder.id} style={{ paddingLeft: 8 + depth * 20 }}>
              <input
                type="radio"
                name="folder"
                checked={chosen === folder.id}
                onChange={() => setChosen(folder.id)}
              />
              {folder.name}
            </label>
          ))}
        </fieldset>
        <div className="actions end">
          <button type="submit" className="primary" disabled={chosen === current}>
            {texts.moveAction}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
