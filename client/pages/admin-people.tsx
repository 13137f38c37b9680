// People and invitations on the administration page.

import { useCallback, useEffect, useState } from 'react'
import type { InvitationResponse, UserHoldings, UserResponse } from '../../shared/api/people.ts'
import type { MeResponse } from '../../shared/api.ts'
import * as people from '../people-api.ts'
import { appTexts } from '../texts/app.ts'
import { ago, atTime } from '../texts/format.ts'
import { peopleTexts } from '../texts/people.ts'
import { copyText } from '../ui/copy.ts'
import { Dialog, Prompt } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import { Nothing, Table, usePages } from '../ui/table.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'

const texts = peopleTexts.admin
type Asked = { person: UserResponse; what: 'rename' | 'deactivate' } | { link: string; mailed: boolean }

export const PeopleTab = ({ me }: { me: MeResponse }) => {
  const [q, setQ] = useState('')
  const [asked, setAsked] = useState<Asked | null>(null)
  const ask = useCallback(
    (cursor?: string) => people.listUsers({ q, ...(cursor === undefined ? {} : { cursor }) }),
    [q],
  )
  const { items, more, load } = usePages(ask)
  const close = () => setAsked(null)
  const after = (work: Promise<unknown>) => work.then(load, showProblem)

  const actionsFor = (person: UserResponse): MenuItem[] => [
    ...(person.kind === 'member'
      ? [{ label: texts.rename, onSelect: () => setAsked({ person, what: 'rename' }) }]
      : []),
    ...(['user', 'admin', 'sysadmin'] as const)
      .filter((role) => role !== person.role && person.kind !== 'service')
      .filter((role) => role !== 'sysadmin' || me.role === 'sysadmin')
      .map((role) => ({
        label: texts.makeRole(peopleTexts.roles[role]),
        onSelect: () => after(people.updateUser(person.id, { role })),
      })),
    ...(person.sessions > 0
      ? [{ label: texts.signOut, onSelect: () => after(people.endSessionsOf(person.id)) }]
      : []),
    ...(person.kind === 'member' && person.is_active
      ? [
          {
            label: texts.reset,
            onSelect: () =>
              people
                .passwordLink(person.id)
                .then(({ url, mailed }) => setAsked({ link: url, mailed }), showProblem),
          },
        ]
      : []),
    ...(person.two_factor_enabled
      ? [{ label: texts.removeFactor, onSelect: () => after(people.removeTwoFactor(person.id)) }]
      : []),
    person.is_active
      ? { label: texts.deactivate, isDanger: true, onSelect: () => setAsked({ person, what: 'deactivate' }) }
      : { label: texts.activate, onSelect: () => after(people.updateUser(person.id, { is_active: true })) },
  ]

  return (
    <>
      <div className="filters">
        <label className="search">
          <Icon name="search" />
          <input
            type="search"
            aria-label={texts.search}
            placeholder={texts.search}
            value={q}
            onChange={(event) => setQ(event.target.value)}
          />
        </label>
      </div>
      {items?.length === 0 ? (
        <Nothing text={texts.nobodyFound} />
      ) : (
        <Table heads={texts.heads.people}>
          {items?.map((person) => (
            <tr key={person.id}>
              <td>
                {person.name}
                {!person.is_active && <span className="tag">{texts.inactive}</span>}
                {person.kind === 'foreign' && <span className="tag">{texts.of(person.issuer ?? '')}</span>}
                {person.kind === 'service' && <span className="tag">{texts.application}</span>}
              </td>
              <td>{person.email}</td>
              <td>{peopleTexts.roles[person.role]}</td>
              <td data-head={texts.shortHeads.factor}>{texts.factor(person.two_factor_enabled)}</td>
              <td
                className="nowrap"
                data-head={person.last_seen_at === null ? undefined : texts.shortHeads.seen}
              >
                {person.last_seen_at === null ? '' : ago(person.last_seen_at)}
              </td>
              <td className="menu-cell">
                {person.may_change && (
                  <Menu label={texts.manage(person.name)} items={actionsFor(person)}>
                    <Icon name="more" />
                  </Menu>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {more}
      {asked !== null && 'link' in asked && (
        <FreshLink title={texts.resetLink} url={asked.link} mailed={asked.mailed} onClose={close} />
      )}
      {asked !== null && 'person' in asked && asked.what === 'rename' && (
        <Prompt
          title={texts.rename}
          label={texts.name}
          value={asked.person.name}
          action={texts.rename}
          onClose={close}
          onDone={(name) => {
            close()
            void after(people.updateUser(asked.person.id, { name }))
          }}
        />
      )}
      {asked !== null && 'person' in asked && asked.what === 'deactivate' && (
        <Deactivate person={asked.person} onClose={close} onDone={load} />
      )}
    </>
  )
}

interface FreshLinkProps {
  title: string
  url: string
  mailed: boolean
  onClose: () => void
}

const FreshLink = ({ title, url, mailed, onClose }: FreshLinkProps) => (
  <Dialog title={title} onClose={onClose}>
    <p>
      {texts.linkReady} {mailed && texts.mailed}
    </p>
    <div className="row">
      <input
        readOnly
        value={url}
        aria-label={texts.link}
        onFocus={(event) => event.target.select()}
        data-first
      />
      <button
        type="button"
        className="primary"
        onClick={() => void copyText(url).then((isCopied) => isCopied && showToast(texts.copied))}
      >
        {texts.copy}
      </button>
    </div>
  </Dialog>
)

interface DeactivateProps {
  person: UserResponse
  onClose: () => void
  onDone: () => void
}

/** Says what will stop, and asks who takes over. */
const Deactivate = ({ person, onClose, onDone }: DeactivateProps) => {
  const [held, setHeld] = useState<UserHoldings | null>(null)
  const [others, setOthers] = useState<readonly UserResponse[]>([])
  const [heir, setHeir] = useState('')
  useEffect(() => {
    people.holdings(person.id).then(setHeld, showProblem)
    people
      .everyActiveUser()
      .then(
        (all) => setOthers(all.filter(({ id, kind }) => id !== person.id && kind !== 'service')),
        showProblem,
      )
  }, [person.id])
  if (held === null) return null
  return (
    <Dialog title={texts.deactivateTitle(person.name)} onClose={onClose}>
      <p>{texts.deactivateText(held.boards, held.links.length, held.sessions)}</p>
      <label className="field">
        {texts.heir}
        <select value={heir} onChange={(event) => setHeir(event.target.value)}>
          <option value="">{texts.nobody}</option>
          {others.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
        {heir === '' && <span className="hint">{texts.nobodyHint}</span>}
      </label>
      <div className="actions end">
        <button type="button" onClick={onClose} data-first>
          {appTexts.cancel}
        </button>
        <button
          type="button"
          className="primary danger"
          onClick={() => {
            onClose()
            people
              .updateUser(person.id, {
                is_active: false,
                ...(heir === '' ? {} : { transfer_to: Number(heir) }),
              })
              .then(onDone, showProblem)
          }}
        >
          {texts.deactivate}
        </button>
      </div>
    </Dialog>
  )
}

export const InvitationsTab = ({ me }: { me: MeResponse }) => {
  const { items, more, load } = usePages(people.listInvitations)
  const [isAsking, setAsking] = useState(false)
  const [made, setMade] = useState<InvitationResponse | null>(null)
  return (
    <>
      <div className="filters">
        <button type="button" className="primary" onClick={() => setAsking(true)}>
          <Icon name="plus" /> {texts.invite}
        </button>
      </div>
      {items?.length === 0 ? (
        <Nothing text={texts.noInvitations} />
      ) : (
        <Table heads={texts.heads.invitations}>
          {items?.map((row) => (
            <tr key={row.id}>
              <td>{row.email ?? texts.anybody}</td>
              <td>{peopleTexts.roles[row.role]}</td>
              <td data-head={texts.shortHeads.by}>{row.created_by_name}</td>
              <td className="nowrap" data-head={texts.shortHeads.until}>
                {atTime(row.expires_at)}
              </td>
              <td>{texts.states[row.state]}</td>
              <td className="menu-cell">
                {row.state === 'open' && (
                  <button
                    type="button"
                    onClick={() => people.withdrawInvitation(row.id).then(load, showProblem)}
                  >
                    {texts.withdraw}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {more}
      {isAsking && (
        <Dialog title={texts.inviteTitle} onClose={() => setAsking(false)}>
          <form
            onSubmit={(event) => {
              event.preventDefault()
              const fields = new FormData(event.currentTarget)
              const email = String(fields.get('email') ?? '').trim()
              const role = String(fields.get('role')) as UserResponse['role'] // one of the options below
              people.invite({ role, ...(email === '' ? {} : { email }) }).then((invitation) => {
                setAsking(false)
                setMade(invitation)
                load()
              }, showProblem)
            }}
          >
            <label className="field">
              {texts.email}
              <input name="email" type="email" maxLength={254} data-first />
              <span className="hint">{texts.inviteHint}</span>
            </label>
            <label className="field">
              {texts.role}
              <select name="role" defaultValue="user">
                <option value="user">{peopleTexts.roles.user}</option>
                <option value="admin">{peopleTexts.roles.admin}</option>
                {me.role === 'sysadmin' && <option value="sysadmin">{peopleTexts.roles.sysadmin}</option>}
              </select>
            </label>
            <div className="actions end">
              <button type="button" onClick={() => setAsking(false)}>
                {appTexts.cancel}
              </button>
              <button type="submit" className="primary">
                {texts.makeLink}
              </button>
            </div>
          </form>
        </Dialog>
      )}
      {made?.url != null && (
        <FreshLink
          title={texts.invitationLink}
          url={made.url}
          mailed={made.mailed}
          onClose={() => setMade(null)}
        />
      )}
    </>
  )
}
