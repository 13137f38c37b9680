// The command palette: boards by name and by the texts on them, folders, and the available actions.
import './palette.css'
import { Command } from 'cmdk'
import { useEffect, useState } from 'react'
import type { FolderResponse } from '../../shared/api/folders.ts'
import type { BoardResponse } from '../../shared/api.ts'
import { searchKeyOf } from '../../shared/search-key.ts'
import * as api from '../api.ts'
import { navigate } from '../router.tsx'
import { ago } from '../texts/format.ts'
import { paletteTexts as texts } from '../texts/palette.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { showProblem } from '../ui/toast.tsx'
import { offeredActions } from './actions.ts'

const searchDelayMs = 150

export default function Palette({ onClose }: { onClose: () => void }) {
  const [search, setSearch] = useState('')
  const { boards, folders, isUser } = useFound(search)
  const [offered] = useState(offeredActions)
  const word = searchKeyOf(search)
  const general = isUser
    ? [
        {
          label: texts.newBoard,
          onSelect: () => void api.createBoard({}).then(({ id }) => navigate(`/b/${id}`), showProblem),
        },
        { label: texts.allBoards, onSelect: () => navigate('/') },
        { label: texts.trash, onSelect: () => navigate('/trash') },
      ]
    : []
  const actions = [...offered, ...general].filter(({ label }) => searchKeyOf(label).includes(word))
  const does = (work: () => void) => () => {
    onClose()
    work()
  }
  const foldersFound = folders.filter(({ name }) => word !== '' && searchKeyOf(name).includes(word))

  return (
    <Dialog title={texts.title} size="wide" onClose={onClose}>
      {/* The server finds boards, in every script; nothing is filtered again here. */}
      <Command label={texts.title} shouldFilter={false} loop className="palette">
        <Command.Input
          value={search}
          onValueChange={setSearch}
          placeholder={texts.placeholder}
          maxLength={200}
          data-first
        />
        <Command.List label={texts.title}>
          <Command.Empty>{texts.none}</Command.Empty>
          {boards.length > 0 && (
            <Command.Group heading={texts.boards}>
              {boards.map((board) => (
                <Command.Item
                  key={board.id}
                  value={board.id}
                  onSelect={does(() => navigate(`/b/${board.id}`))}
                >
                  <Icon name="list" />
                  <span className="palette-name">{board.title}</span>
                  <span className="dim">{ago(board.updated_at)}</span>
                </Command.Item>
              ))}
            </Command.Group>
          )}
          {foldersFound.length > 0 && (
            <Command.Group heading={texts.folders}>
              {foldersFound.map((folder) => (
                <Command.Item
                  key={folder.id}
                  value={folder.id}
                  onSelect={does(() => navigate(`/folders/${folder.id}`))}
                >
                  <Icon name="folder" />
                  <span className="palette-name">{folder.name}</span>
                </Command.Item>
              ))}
            </Command.Group>
          )}
          {actions.length > 0 && (
            <Command.Group heading={texts.actions}>
              {actions.map(({ label, onSelect }) => (
                <Command.Item key={label} value={`action ${label}`} onSelect={does(onSelect)}>
                  <span className="palette-name">{label}</span>
                </Command.Item>
              ))}
            </Command.Group>
          )}
        </Command.List>
      </Command>
    </Dialog>
  )
}

/** Recently opened boards, or those that match the words. */
const useFound = (search: string) => {
  const [boards, setBoards] = useState<BoardResponse[]>([])
  const [folders, setFolders] = useState<FolderResponse[]>([])
  const [isUser, setUser] = useState(false)
  useEffect(() => {
    api.me().then(
      ({ kind }) => {
        if (kind !== 'user') return
        setUser(true)
        api.listFolders().then(
          ({ items }) => setFolders(items),
          () => {}, // boards and actions are found nevertheless
        )
      },
      () => {}, // nobody is signed in: only what the page offers
    )
  }, [])
  useEffect(() => {
    if (!isUser) return
    const controller = new AbortController()
    const q = search.trim()
    const ask = () =>
      api
        .listBoards(q === '' ? { sort: 'opened', limit: 8 } : { q, limit: 20 }, controller.signal)
        .then(({ items }) => setBoards(items))
        .catch((error: unknown) => {
          if (!controller.signal.aborted) showProblem(error)
        })
    const timer = setTimeout(ask, q === '' ? 0 : searchDelayMs)
    return () => {
      clearTimeout(timer)
      controller.abort()
    }
  }, [search, isUser])
  return { boards, folders, isUser }
}
