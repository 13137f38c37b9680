// For administrators: people and invitations, who is connected, boards and links of the whole
// instance, keys and webhooks of other applications, its health.
import { useEffect, useState } from 'react'
import type { InstanceResponse } from '../../shared/api/instance.ts'
import type { MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { isLetIn } from '../going-back.ts'
import * as people from '../people-api.ts'
import '../people.css'
import { Link } from '../router.tsx'
import { peopleTexts } from '../texts/people.ts'
import { Loading, MessagePage } from '../ui/message.tsx'
import { Nothing, Table, usePages } from '../ui/table.tsx'
import { ago, atTime } from '../ui/time.ts'
import { showProblem } from '../ui/toast.tsx'
import { TopBar } from '../ui/top-bar.tsx'
import { KeysTab } from './admin-keys.tsx'
import { InvitationsTab, PeopleTab } from './admin-people.tsx'
import { WebhooksTab } from './admin-webhooks.tsx'

const texts = peopleTexts.admin
type Tab = keyof typeof texts.tabs
const isTab = (name: string): name is Tab => Object.hasOwn(texts.tabs, name)

const AdminPage = ({ tab }: { tab: string }) => {
  const [me, setMe] = useState<MeResponse | null>(null)
  useEffect(() => {
    document.title = `${texts.title} · Boardroom`
    api.me().then((who) => isLetIn(who) && setMe(who), showProblem)
  }, [])
  if (me === null) return <Loading text={texts.title} />
  if (me.role !== 'admin' && me.role !== 'sysadmin')
    return (
      <MessagePage title={texts.title} text={texts.refused}>
        <Link href="/" className="button primary">
          {texts.allBoards}
        </Link>
      </MessagePage>
    )
  const shown = isTab(tab) ? tab : 'people'
  return (
    <div className="page">
      <TopBar me={me} />
      <main>
        <div className="page-head">
          <h1>{texts.title}</h1>
        </div>
        <nav className="admin-tabs" aria-label={texts.title}>
          {Object.entries(texts.tabs).map(([name, title]) => (
            <Link key={name} href={`/admin/${name}`} aria-current={name === shown ? 'page' : undefined}>
              {title}
            </Link>
          ))}
          <Link href="/audit">Audit trail</Link>
        </nav>
        {shown === 'people' && <PeopleTab me={me} />}
        {shown === 'invitations' && <InvitationsTab me={me} />}
        {shown === 'connections' && <Connections />}
        {shown === 'boards' && <Boards />}
        {shown === 'links' && <Links />}
        {shown === 'keys' && <KeysTab />}
        {shown === 'webhooks' && <WebhooksTab />}
        {shown === 'server' && <Server />}
      </main>
    </div>
  )
}
export default AdminPage

const everyBoard = (cursor?: string) =>
  api.listBoards({ scope: 'instance', ...(cursor === undefined ? {} : { cursor }) })

const Connections = () => {
  const { items, load } = usePages(people.everyConnection)
  useEffect(() => {
    const timer = setInterval(load, 5000)
    return () => clearInterval(timer)
  }, [load])
  if (items?.length === 0) return <Nothing text={texts.nobodyConnected} />
  return (
    <Table heads={['Who', 'Board', 'Level', 'Since', 'From', 'Action']}>
      {items?.map((row) => (
        <tr key={row.id}>
          <td>
            {row.principal.name}
            {row.principal.kind !== 'user' && <span className="tag">{row.principal.kind}</span>}
          </td>
          <td>
            <Link href={`/b/${row.board_id}`}>{row.board_title}</Link>
          </td>
          <td>{row.level}</td>
          <td className="nowrap">{ago(row.connected_at)}</td>
          <td className="dim" title={row.user_agent ?? undefined}>
            {row.ip_address}
          </td>
          <td className="menu-cell">
            <button
              type="button"
              onClick={() => api.disconnect(row.board_id, row.id).then(load, showProblem)}
            >
              {texts.disconnect}
            </button>
          </td>
        </tr>
      ))}
    </Table>
  )
}

const Boards = () => {
  const { items, more } = usePages(everyBoard)
  if (items?.length === 0) return <Nothing text={texts.noBoards} />
  return (
    <>
      <Table heads={['Board', 'Owner', 'Changed']}>
        {items?.map((board) => (
          <tr key={board.id}>
            <td>
              <Link href={`/b/${board.id}`}>{board.title}</Link>
              {board.is_public && <span className="tag">public</span>}
            </td>
            <td>{board.owner_name}</td>
            <td className="nowrap">{ago(board.updated_at)}</td>
          </tr>
        ))}
      </Table>
      {more}
    </>
  )
}

const Links = () => {
  const { items, more, load } = usePages(people.everyLink)
  if (items?.length === 0) return <Nothing text={texts.noLinks} />
  return (
    <>
      <Table heads={['Link', 'Board', 'Level', 'Made by', 'Uses', 'State', 'Action']}>
        {items?.map((link) => (
          <tr key={link.id}>
            <td>{link.label ?? 'without a label'}</td>
            <td>
              <Link href={`/b/${link.board_id}`}>{link.board_title}</Link>
            </td>
            <td>{link.permission_level}</td>
            <td data-head="by">{link.created_by_name ?? 'the server'}</td>
            <td data-head="Uses">
              {link.max_uses === null ? link.uses : `${link.uses} of ${link.max_uses}`}
            </td>
            <td>{link.state.replace('_', ' ')}</td>
            <td className="menu-cell">
              {link.state === 'open' && (
                <button
                  type="button"
                  onClick={() => api.revokeLink(link.board_id, link.id).then(load, showProblem)}
                >
                  Revoke
                </button>
              )}
            </td>
          </tr>
        ))}
      </Table>
      {more}
    </>
  )
}

const Server = () => {
  const [server, setServer] = useState<InstanceResponse | null>(null)
  useEffect(() => {
    people.instance().then(setServer, showProblem)
  }, [])
  if (server === null) return null
  const facts: [string, string][] = [
    ['Version', server.version],
    ['Started', atTime(server.started_at)],
    ...server.health.map(({ name, is_well }): [string, string] => [
      capital(name),
      is_well ? texts.healthy : texts.unhealthy,
    ]),
    [
      'Connections',
      `${server.connections.toLocaleString()} of ${server.limits.maxConnections?.toLocaleString() ?? '?'}`,
    ],
    ['People', `${server.users.active} active, ${server.users.deactivated} deactivated`],
    ['Administrators', String(server.users.administrators)],
    ['Boards', `${server.boards.live}, and ${server.boards.trash} in the trash`],
    ['Files', sizeOf(server.files_bytes)],
  ]
  return (
    <>
      <Facts facts={facts} />
      <h2>Limits</h2>
      <Table heads={['Setting', 'Limit']}>
        {Object.entries(server.limits).map(([name, value]) => (
          <tr key={name}>
            <td>
              <code>{settingOf(name)}</code>
            </td>
            <td>{name.includes('Bytes') ? sizeOf(value) : value.toLocaleString()}</td>
          </tr>
        ))}
      </Table>
    </>
  )
}

const sizeOf = (bytes: number): string =>
  bytes < 1_073_741_824
    ? `${(bytes / 1_048_576).toLocaleString(undefined, { maximumFractionDigits: 1 })} MiB`
    : `${(bytes / 1_073_741_824).toLocaleString(undefined, { maximumFractionDigits: 1 })} GiB`

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** As the environment and the README have it. */
const settingOf = (name: string): string =>
  `BOARDROOM_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

const Facts = ({ facts }: { facts: readonly (readonly [string, string])[] }) => (
  <dl className="facts">
    {facts.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)
