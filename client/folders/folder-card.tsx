// One folder in the list of boards, with its menu.
import { useState } from 'react'
import type { FolderResponse } from '../../shared/api/folders.ts'
import * as api from '../api.ts'
import { Link } from '../router.tsx'
import { folderTexts as texts } from '../texts/boards.ts'
import { Confirm, Prompt } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { FolderPicker } from './folder-picker.tsx'
import { ShareFolder } from './share-folder.tsx'

interface FolderCardProps {
  folder: FolderResponse
  folders: readonly FolderResponse[]
  onChange: () => void
}

export const FolderCard = ({ folder, folders, onChange }: FolderCardProps) => (
  <article className="folder-card">
    <Icon name="folder" />
    <h2>
      <Link href={`/folders/${folder.id}`}>{folder.name}</Link>
    </h2>
    {folder.may_manage && <FolderMenu folder={folder} folders={folders} onChange={onChange} />}
  </article>
)

/** @param onGone called when the folder was removed. */
export const FolderMenu = ({
  folder,
  folders,
  onChange,
  onGone = onChange,
}: FolderCardProps & { onGone?: () => void }) => {
  const [asking, setAsking] = useState<'name' | 'move' | 'share' | 'remove' | null>(null)
  const close = () => setAsking(null)
  const change = (body: Parameters<typeof api.updateFolder>[1]) => {
    close()
    api.updateFolder(folder.id, body).then(onChange, showProblem)
  }
  const items: MenuItem[] = [
    { label: texts.rename, icon: <Icon name="list" />, onSelect: () => setAsking('name') },
    { label: texts.move, icon: <Icon name="folder" />, onSelect: () => setAsking('move') },
    { label: texts.share, icon: <Icon name="people" />, onSelect: () => setAsking('share') },
    { label: texts.remove, icon: <Icon name="trash" />, isDanger: true, onSelect: () => setAsking('remove') },
  ]
  return (
    <>
      <Menu label={texts.menu(folder.name)} items={items}>
        <Icon name="more" />
      </Menu>
      {asking === 'name' && (
        <Prompt
          title={texts.renameTitle}
          label={texts.name}
          value={folder.name}
          action={texts.rename}
          maxLength={100}
          onClose={close}
          onDone={(name) => change({ name })}
        />
      )}
      {asking === 'move' && (
        <FolderPicker
          title={texts.moveTitle(folder.name)}
          folders={folders}
          current={folder.parent_id}
          except={folder.id}
          onClose={close}
          onChosen={(parent) => change({ parent_id: parent?.id ?? null })}
        />
      )}
      {asking === 'share' && <ShareFolder folder={folder} onClose={close} />}
      {asking === 'remove' && (
        <Confirm
          title={texts.removeTitle(folder.name)}
          text={texts.removeText}
          action={texts.remove}
          onClose={close}
          onDone={() => {
            close()
            api.deleteFolder(folder.id).then(() => {
              showToast(texts.removed)
              onGone()
            }, showProblem)
          }}
        />
      )}
    </>
  )
}
