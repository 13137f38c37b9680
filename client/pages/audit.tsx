// The audit trail of a board, for its owner, or of the whole server, for administrators; new rows appear
// automatically.

import { useEffect, useRef, useState } from 'react'
import type { AuditResponse, MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { isLetIn } from '../going-back.ts'
import { everyLink, listUsers } from '../people-api.ts'
import { Link } from '../router.tsx'
import { appTexts } from '../texts/app.ts'
import { auditTexts as texts } from '../texts/audit.ts'
import { atTime } from '../texts/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Loading, MessagePage } from '../ui/message.tsx'
import { showProblem } from '../ui/toast.tsx'
import { TopBar } from '../ui/top-bar.tsx'
import { detailsOf, spoken } from './audit-details.ts'

const actions = Object.keys(texts.actions)
const mostShown = 2000

/** The trail is requested only after the user is known, because refused requests are recorded in it. */
export const AuditPage = ({ boardId }: { boardId: string | null }) => {
  const [me, setMe] = useState<MeResponse | null>(null)
  useEffect(() => {
    document.title = appTexts.titleOf(texts.title)
    api.me().then((who) => isLetIn(who) && setMe(who), showProblem)
  }, [])
  return me === null ? <Loading text={texts.reading} /> : <Trail me={me} boardId={boardId} />
}

const Trail = ({ me, boardId }: { me: MeResponse; boardId: string | null }) => {
  const [title, setTitle] = useState(texts.ofServer)
  const [filters, setFilters] = useState<api.AuditFilters>({})
  const { rows, cursor, problem, isLive, loadMore } = useTrail(boardId, filters)
  const people = usePeople(rows)
  const { boards, links, users } = useNames(boardId, rows)
  const names = new Map([...users, ...people])
  /** An empty choice means no filter. */
  const filter = <Key extends keyof api.AuditFilters>(key: Key, value: api.AuditFilters[Key] | null) =>
    setFilters(({ [key]: _, ...others }) => (value === null ? others : { ...others, [key]: value }))

  useEffect(() => {
    if (boardId !== null)
      api.getBoard(boardId).then(
        (board) => setTitle(board.title),
        () => {},
      )
  }, [boardId])

  if (problem !== null) {
    return (
      <MessagePage title={texts.cannotShow} text={problem}>
        <Link href="/" className="button">
          {appTexts.allBoards}
        </Link>
      </MessagePage>
    )
  }
  if (rows === null) return <Loading text={texts.reading} />
  return (
    <div className="page">
      <TopBar me={me} />
      <main>
        <div className="page-head">
          <div>
            <h1>{texts.title}</h1>
            <p className="sub">{boardId === null ? title : <Link href={`/b/${boardId}`}>{title}</Link>}</p>
          </div>
          <div className="actions">
            <a className="button" href={api.auditExportPath(boardId, 'csv', filters)} download>
              <Icon name="download" /> {texts.csv}
            </a>
            <a className="button" href={api.auditExportPath(boardId, 'ndjson', filters)} download>
              <Icon name="download" /> {texts.ndjson}
            </a>
          </div>
        </div>
        <div className="filters">
          <label className="inline">
            <span>{texts.show}</span>
            <select
              value={filters.action ?? ''}
              aria-label={texts.action}
              onChange={({ target }) => filter('action', target.value === '' ? null : target.value)}
            >
              <option value="">{texts.everything}</option>
              {actions.map((name) => (
                <option key={name} value={name}>
                  {actionOf(name)}
                </option>
              ))}
            </select>
          </label>
          <label className="inline">
            <span>{texts.who}</span>
            <select
              value={filters.user_id ?? ''}
              onChange={({ target }) => filter('user_id', target.value === '' ? null : Number(target.value))}
            >
              <option value="">{texts.everybody}</option>
              {[...people].map(([id, name]) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          {boardId === null && (
            <Choice
              label={texts.board}
              value={filters.board_id}
              names={boards}
              none={texts.everyBoard}
              onChoose={(id) => filter('board_id', id)}
            />
          )}
          <Choice
            label={texts.link}
            value={filters.link_id}
            names={links}
            none={texts.anyWay}
            onChoose={(id) => filter('link_id', id)}
          />
          {(['from', 'to'] as const).map((key) => (
            <label key={key} className="inline">
              <span>{texts[key]}</span>
              <input
                type="datetime-local"
                onChange={({ target }) =>
                  filter(key, target.value === '' ? null : new Date(target.value).toISOString())
                }
              />
            </label>
          ))}
          <span className={isLive ? 'live on' : 'live'}>{isLive ? texts.live : texts.notLive}</span>
        </div>
        {rows.length === 0 ? (
          <div className="empty">
            <p>{texts.none}</p>
          </div>
        ) : (
          <div className="table-box">
            <table className="trail">
              <thead>
                <tr>
                  <th>{texts.heads.when}</th>
                  <th>{texts.heads.who}</th>
                  <th>{texts.heads.what}</th>
                  <th>{texts.heads.details}</th>
                  <th>{texts.heads.address}</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td className="nowrap">
                      <time dateTime={row.timestamp} title={row.timestamp}>
                        {atTime(row.timestamp)}
                      </time>
                    </td>
                    <td>
                      {row.actor_name ?? spoken(row.actor_kind)}
                      {row.actor_kind !== 'user' &&
                        row.actor_name !== null &&
                        row.actor_name !== row.actor_kind && <span className="tag">{row.actor_kind}</span>}
                    </td>
                    <td>
                      <span className={`action ${row.action}`}>{actionOf(row.action)}</span>
                      {row.permission_level !== null && <span className="tag">{row.permission_level}</span>}
                    </td>
                    <td className="details">
                      {boardId === null && row.board_id !== null && (
                        <Link href={`/b/${row.board_id}`} className="tag">
                          {boards.get(row.board_id) ?? texts.unnamedBoard}
                        </Link>
                      )}
                      {row.link_id !== null && (
                        <span className="tag">
                          {texts.byLink(links.get(row.link_id) ?? texts.unnamedLink)}
                        </span>
                      )}{' '}
                      {detailsOf(row, names, links)}
                    </td>
                    <td className="nowrap dim" title={row.user_agent ?? undefined}>
                      {row.ip_address}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {cursor !== null && (
          <div className="actions center">
            <button type="button" onClick={loadMore}>
              {texts.older}
            </button>
          </div>
        )}
      </main>
    </div>
  )
}

const actionOf = (name: string): string =>
  name in texts.actions ? texts.actions[name as keyof typeof texts.actions] : spoken(name) // a key, by the test before

/** Whether it passes the server's filters. */
const isWanted = (
  row: AuditResponse,
  { action, user_id, board_id, link_id, from, to }: api.AuditFilters,
): boolean =>
  (action === undefined || action === row.action) &&
  (user_id === undefined || user_id === row.user_id) &&
  (board_id === undefined || board_id === row.board_id) &&
  (link_id === undefined || link_id === row.link_id) &&
  (from === undefined || Date.parse(row.timestamp) >= Date.parse(from)) &&
  (to === undefined || Date.parse(row.timestamp) <= Date.parse(to))

interface ChoiceProps {
  label: string
  value: string | undefined
  names: ReadonlyMap<string, string>
  none: string
  onChoose: (id: string | null) => void
}

const Choice = ({ label, value, names, none, onChoose }: ChoiceProps) => (
  <label className="inline">
    <span>{label}</span>
    <select
      value={value ?? ''}
      onChange={({ target }) => onChoose(target.value === '' ? null : target.value)}
    >
      <option value="">{none}</option>
      {[...names].map(([id, name]) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  </label>
)

/** The names of boards and links: existing ones, and those that only the trail still knows. */
const useNames = (boardId: string | null, rows: readonly AuditResponse[] | null) => {
  const [known, setKnown] = useState({
    boards: new Map<string, string>(),
    links: new Map<string, string>(),
    users: new Map<number, string>(),
  })
  useEffect(() => {
    const all =
      boardId === null
        ? Promise.all([
            api.listBoards({ scope: 'instance', limit: 200, sort: 'title' }),
            everyLink(),
            api.listBoards({ scope: 'instance', limit: 200, sort: 'title', deleted: 'true' }),
            listUsers({ limit: 200 }).then(
              ({ items }) => items.map(({ id, name }) => [id, name] as const),
              () => [], // numbers instead of their names
            ),
          ])
        : Promise.all([
            { items: [] },
            api.listLinks(boardId),
            { items: [] },
            api
              .listPermissions(boardId)
              .then(({ items }) =>
                items.flatMap(({ user_id, user_name }) =>
                  user_id === null || user_name === null ? [] : [[user_id, user_name] as const],
                ),
              )
              .catch(() => []), // numbers instead of their names
          ])
    all.then(
      ([boards, links, removed, users]) =>
        setKnown({
          boards: new Map([...boards.items, ...removed.items].map(({ id, title }) => [id, title])),
          links: new Map(links.items.map(({ id, label }) => [id, label ?? texts.unnamedLink])),
          users: new Map(users),
        }),
      () => {}, // numbers instead of names
    )
  }, [boardId])
  const boards = new Map(known.boards)
  const links = new Map(known.links)
  for (const { board_id, link_id, resource_type, old_values, new_values } of rows ?? []) {
    const said = { ...old_values, ...new_values }
    if (board_id !== null && !boards.has(board_id))
      boards.set(
        board_id,
        resource_type === 'board' && typeof said.title === 'string' ? said.title : shortOf(board_id),
      )
    if (link_id !== null && !links.has(link_id))
      links.set(
        link_id,
        resource_type === 'share_link' && typeof said.label === 'string' ? said.label : shortOf(link_id),
      )
  }
  return { boards, links, users: known.users }
}

const shortOf = (id: string): string => id.slice(0, 8)

/** Everybody in the rows so far, by name: they can still be selected while others are filtered out. */
const usePeople = (rows: readonly AuditResponse[] | null): ReadonlyMap<number, string> => {
  const seen = useRef(new Map<number, string>())
  for (const { user_id, actor_name } of rows ?? [])
    if (user_id !== null && actor_name !== null) seen.current.set(user_id, actor_name)
  return new Map([...seen.current].sort(([, a], [, b]) => a.localeCompare(b)))
}

/** The newest rows first, followed live unless a filter hides new ones. */
const useTrail = (boardId: string | null, filters: api.AuditFilters) => {
  const [rows, setRows] = useState<AuditResponse[] | null>(null)
  const [cursor, setCursor] = useState<string | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [isLive, setLive] = useState(false)
  const wanted = useRef(filters)
  wanted.current = filters

  useEffect(() => {
    let isGone = false
    api.listAudit(boardId, { ...filters, limit: 100 }).then(
      (page) => {
        if (isGone) return
        setRows(page.items)
        setCursor(page.next_cursor)
      },
      (error: Error) => !isGone && setProblem(error.message),
    )
    return () => {
      isGone = true
    }
  }, [boardId, filters])

  useEffect(() => {
    const stream = new EventSource(api.auditStreamPath(boardId))
    stream.onopen = () => setLive(true)
    stream.onerror = () => setLive(false)
    stream.addEventListener('audit', (event) => {
      const row = JSON.parse(String(event.data)) as AuditResponse // the server's shape, see shared/api.ts
      if (!isWanted(row, wanted.current)) return
      setRows((before) =>
        before?.some(({ id }) => id === row.id) ? before : [row, ...(before ?? [])].slice(0, mostShown),
      )
    })
    return () => stream.close()
  }, [boardId])

  const loadMore = () => {
    if (cursor === null) return
    api.listAudit(boardId, { ...filters, limit: 100, cursor }).then((page) => {
      setRows((before) => [...(before ?? []), ...page.items])
      setCursor(page.next_cursor)
    }, showProblem)
  }
  return { rows, cursor, problem, isLive, loadMore }
}
