// Who was granted a level on a folder, and thereby on every board in it.

import { useCallback, useEffect, useState } from 'react'
import type { FolderPermissionResponse, FolderResponse } from '../../shared/api/folders.ts'
import { isLevel } from '../../shared/levels.ts'
import * as api from '../api.ts'
import { LevelSelect } from '../board/level-select.tsx'
import { folderTexts as texts } from '../texts/boards.ts'
import { levelTexts } from '../texts/levels.ts'
import { copyText } from '../ui/copy.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { initials } from '../ui/initials.ts'
import { showProblem, showToast } from '../ui/toast.tsx'

export const ShareFolder = ({ folder, onClose }: { folder: FolderResponse; onClose: () => void }) => {
  const [rows, setRows] = useState<FolderPermissionResponse[] | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const load = useCallback(() => {
    api.listFolderPermissions(folder.id).then(({ items }) => setRows(items), showProblem)
  }, [folder.id])
  useEffect(load, [load])
  const doing = (work: Promise<unknown>) => {
    work.then(load, (error: unknown) => {
      showProblem(error)
      load()
    })
  }
  const copy = async () => {
    if (await copyText(`${window.location.origin}/folders/${folder.id}`)) showToast(texts.copied)
  }
  return (
    <Dialog title={texts.shareTitle(folder.name)} size="wide" onClose={onClose}>
      <p>{texts.shareText}</p>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault()
          const form = event.currentTarget
          const fields = new FormData(form)
          const level = fields.get('level')
          if (!isLevel(level)) return
          setProblem(null)
          api.setFolderPermission(folder.id, { email: String(fields.get('email') ?? '').trim(), level }).then(
            () => {
              form.reset()
              load()
            },
            (error: Error) => setProblem(error.message),
          )
        }}
      >
        <input
          name="email"
          type="email"
          required
          maxLength={254}
          placeholder={texts.email}
          aria-label={texts.email}
          data-first
        />
        <LevelSelect label={levelTexts.level} name="level" value="edit" />
        <button type="submit" className="primary">
          {texts.add}
        </button>
      </form>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <ul className="list people">
        {rows?.length === 0 && <li className="hint">{texts.nobody}</li>}
        {rows?.map((row) => {
          const name = row.user_name ?? texts.everyone
          return (
            <li key={row.id}>
              <span className="avatar small" aria-hidden="true">
                {initials(name)}
              </span>
              <span className="who">
                <strong>{name}</strong>
              </span>
              <LevelSelect
                label={levelTexts.levelOf(name)}
                value={row.level}
                onChange={(level) =>
                  level !== null && doing(api.setFolderPermission(folder.id, { user_id: row.user_id, level }))
                }
              />
              <button
                type="button"
                className="quiet square"
                aria-label={levelTexts.removeName(name)}
                onClick={() => doing(api.removeFolderPermission(folder.id, row.id))}
              >
                <Icon name="close" />
              </button>
            </li>
          )
        })}
      </ul>
      <div className="actions">
        <button type="button" onClick={copy}>
          <Icon name="link" /> {texts.copyLink}
        </button>
      </div>
    </Dialog>
  )
}
