// For administrators: people and invitations, current connections, boards and links of the whole instance, keys and
// webhooks of other applications, its health.

import { useEffect, useState } from 'react'
import type { InstanceResponse } from '../../shared/api/instance.ts'
import type { MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { isLetIn } from '../going-back.ts'
import * as people from '../people-api.ts'
import { appTexts } from '../texts/app.ts'
import { levelNames } from '../texts/levels.ts'
import { hereTexts } from '../texts/sharing.ts'
import '../people.css'
import { Link } from '../router.tsx'
import { ago, atTime, numberOf, sizeOf } from '../texts/format.ts'
import { peopleTexts } from '../texts/people.ts'
import { Loading, MessagePage } from '../ui/message.tsx'
import { Nothing, Table, usePages } from '../ui/table.tsx'
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
    document.title = appTexts.titleOf(texts.title)
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
          <Link href="/audit">{texts.audit}</Link>
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
    <Table heads={texts.heads.connections}>
      {items?.map((row) => (
        <tr key={row.id}>
          <td>
            {row.principal.name}
            {row.principal.kind !== 'user' && (
              <span className="tag">{hereTexts.kinds[row.principal.kind]}</span>
            )}
          </td>
          <td>
            <Link href={`/b/${row.board_id}`}>{row.board_title}</Link>
          </td>
          <td>{levelNames[row.level]}</td>
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
      <Table heads={texts.heads.boards}>
        {items?.map((board) => (
          <tr key={board.id}>
            <td>
              <Link href={`/b/${board.id}`}>{board.title}</Link>
              {board.is_public && <span className="tag">{texts.publicBoard}</span>}
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
      <Table heads={texts.heads.links}>
        {items?.map((link) => (
          <tr key={link.id}>
            <td>{link.label ?? texts.unnamedLink}</td>
            <td>
              <Link href={`/b/${link.board_id}`}>{link.board_title}</Link>
            </td>
            <td>{levelNames[link.permission_level]}</td>
            <td data-head={texts.shortHeads.by}>{link.created_by_name ?? texts.theServer}</td>
            <td data-head={texts.shortHeads.uses}>{texts.usesOf(link.uses, link.max_uses)}</td>
            <td>{texts.states[link.state]}</td>
            <td className="menu-cell">
              {link.state === 'open' && (
                <button
                  type="button"
                  onClick={() => api.revokeLink(link.board_id, link.id).then(load, showProblem)}
                >
                  {texts.revoke}
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
    [texts.facts.version, server.version],
    [texts.facts.started, atTime(server.started_at)],
    ...server.health.map(({ name, is_well }): [string, string] => [
      capital(name),
      is_well ? texts.healthy : texts.unhealthy,
    ]),
    [texts.facts.connections, texts.connectionsOf(server.connections, server.limits.maxConnections)],
    [texts.facts.people, texts.peopleAre(server.users.active, server.users.deactivated)],
    [texts.facts.administrators, numberOf(server.users.administrators)],
    [texts.facts.boards, texts.boardsAre(server.boards.live, server.boards.trash)],
    [texts.facts.files, sizeOf(server.files_bytes)],
  ]
  return (
    <>
      <Facts facts={facts} />
      <h2>{texts.limits}</h2>
      <Table heads={texts.heads.limits}>
        {Object.entries(server.limits).map(([name, value]) => (
          <tr key={name}>
            <td>
              <code>{settingOf(name)}</code>
            </td>
            <td>{name.includes('Bytes') ? sizeOf(value) : numberOf(value)}</td>
          </tr>
        ))}
      </Table>
    </>
  )
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** The names used in the environment and the README. */
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
