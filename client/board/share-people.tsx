// People with access, why each of them has it, and what everybody else may do.

import { useCallback, useEffect, useState } from 'react'
import type { AccessResponse, BoardPermissionResponse, BoardResponse } from '../../shared/api.ts'
import { isLevel, type Level } from '../../shared/levels.ts'
import * as api from '../api.ts'
import { appTexts } from '../texts/app.ts'
import { levelNames, levelTexts } from '../texts/levels.ts'
import { ownerTexts, shareTexts as texts } from '../texts/sharing.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { initials } from '../ui/initials.ts'
import { showProblem, showToast } from '../ui/toast.tsx'
import { LevelSelect } from './level-select.tsx'
import { ShareGuests } from './share-guests.tsx'

export const SharePeople = ({ boardId, board }: { boardId: string; board: BoardResponse | null }) => {
  const [access, setAccess] = useState<AccessResponse['items'] | null>(null)
  const [rows, setRows] = useState<BoardPermissionResponse[]>([])
  const [members, setMembers] = useState<Level | null>(board?.members_level ?? null)
  const [problem, setProblem] = useState<string | null>(null)
  const [offeredTo, setOfferedTo] = useState<number | null>(board?.offered_to ?? null)
  const [handing, setHanding] = useState<{ userId: number; name: string; isAtOnce: boolean } | null>(null)
  const [here, setHere] = useState<ReadonlySet<string>>(new Set())

  const load = useCallback(() => {
    api.listAccess(boardId).then((found) => setAccess(found.items), showProblem)
    api.listPermissions(boardId).then((found) => setRows(found.items), showProblem)
    api.getBoard(boardId).then((found) => {
      setMembers(found.members_level)
      setOfferedTo(found.offered_to)
    }, showProblem)
    api
      .listConnections(boardId)
      .then(({ items }) => setHere(new Set(items.map(({ principal }) => principal.id))), showProblem)
  }, [boardId])
  useEffect(load, [load])

  const doing = (work: Promise<unknown>) => {
    work.then(load, (error) => {
      showProblem(error)
      load()
    })
  }
  const everyone = rows.find(({ kind }) => kind === 'everyone')
  const invited = rows.filter(({ kind }) => kind === 'invitation')
  const people = access?.filter(({ principal }) => principal.kind === 'user' || principal.kind === 'agent')
  const guests = access?.filter(({ principal }) => principal.kind === 'guest')

  return (
    <>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault()
          const form = event.currentTarget
          const fields = new FormData(form)
          const level = fields.get('level')
          if (!isLevel(level)) return
          setProblem(null)
          api.setPermission(boardId, { email: String(fields.get('email') ?? '').trim(), level }).then(
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
        />
        <LevelSelect label={levelTexts.level} name="level" value="edit" />
        <button type="submit" className="primary">
          {texts.invite}
        </button>
      </form>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <ul className="list people">
        {people?.map(({ principal, level, reasons }) => {
          const row = rows.find(
            ({ user_id }) =>
              principal.kind === 'user' && user_id !== null && String(user_id) === idOf(principal.id),
          )
          const isFixed = reasons.some(({ reason }) => reason === 'owner')
          return (
            <li key={`${principal.kind}:${principal.id}`}>
              <span className="avatar small" aria-hidden="true">
                {initials(principal.name)}
              </span>
              <span className="who">
                <strong>
                  {principal.name}
                  {principal.kind === 'agent' && <span className="tag">{appTexts.agent}</span>}
                </strong>
                <span className="dim">
                  {principal.email === null || principal.email.endsWith('.invalid')
                    ? ''
                    : `${principal.email} · `}
                  {reasons.map(({ reason }) => texts.reasons[reason] ?? reason).join(', ')}
                </span>
              </span>
              {row === undefined || isFixed ? (
                <span className="dim nowrap">{isFixed ? texts.owner : levelNames[level]}</span>
              ) : (
                <>
                  {row.user_id !== null && offeredTo === row.user_id ? (
                    <button
                      type="button"
                      title={ownerTexts.waiting}
                      onClick={() =>
                        doing(api.withdrawOffer(boardId).then(() => showToast(ownerTexts.takenBack)))
                      }
                    >
                      {ownerTexts.takeBack}
                    </button>
                  ) : (
                    row.user_id !== null && (
                      <button
                        type="button"
                        className="quiet"
                        aria-label={`${ownerTexts.handOver}: ${principal.name}`}
                        onClick={() =>
                          api.me().then(
                            // An administrator's word is enough.
                            ({ role }) =>
                              setHanding({
                                userId: row.user_id ?? 0,
                                name: principal.name,
                                isAtOnce: role === 'admin' || role === 'sysadmin',
                              }),
                            showProblem,
                          )
                        }
                      >
                        {ownerTexts.handOver}
                      </button>
                    )
                  )}
                  <LevelSelect
                    label={levelTexts.levelOf(principal.name)}
                    value={row.level}
                    onChange={(next) =>
                      next !== null &&
                      doing(api.setPermission(boardId, { user_id: row.user_id, level: next }))
                    }
                  />
                  <button
                    type="button"
                    className="quiet square"
                    aria-label={levelTexts.removeName(principal.name)}
                    title={levelTexts.remove}
                    onClick={() => doing(api.removePermission(boardId, row.id))}
                  >
                    <Icon name="close" />
                  </button>
                </>
              )}
            </li>
          )
        })}
        {invited.map((row) => (
          <li key={`invitation:${row.id}`}>
            <span className="avatar small" aria-hidden="true">
              @
            </span>
            <span className="who">
              <strong>{row.user_email}</strong>
              <span className="dim">{texts.invitedByAddress}</span>
            </span>
            <LevelSelect
              label={levelTexts.levelOf(row.user_email ?? '')}
              value={row.level}
              onChange={(level) =>
                level !== null && doing(api.setPermission(boardId, { email: row.user_email ?? '', level }))
              }
            />
            <button
              type="button"
              className="quiet square"
              aria-label={levelTexts.removeName(row.user_email ?? '')}
              title={levelTexts.remove}
              onClick={() => doing(api.removePermission(boardId, row.id))}
            >
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      {guests !== undefined && guests.length > 0 && (
        <ShareGuests boardId={boardId} guests={guests} here={here} onChanged={load} />
      )}
      {handing !== null && (
        <Dialog title={ownerTexts.title(handing.name)} onClose={() => setHanding(null)}>
          <p>{(handing.isAtOnce ? ownerTexts.textAtOnce : ownerTexts.text)(handing.name)}</p>
          <div className="actions end">
            <button
              type="button"
              className="primary"
              data-first
              onClick={() => {
                setHanding(null)
                doing(
                  api
                    .updateBoard(boardId, { owner_id: handing.userId })
                    .then(() =>
                      showToast(
                        (handing.isAtOnce ? ownerTexts.handedOver : ownerTexts.offered)(handing.name),
                      ),
                    ),
                )
              }}
            >
              {handing.isAtOnce ? ownerTexts.handOver : ownerTexts.action}
            </button>
          </div>
        </Dialog>
      )}
      <h3>{texts.everybodyElse}</h3>
      <ul className="list">
        <li>
          <span className="who">
            <strong>{texts.members}</strong>
            <span className="dim">{texts.membersAre}</span>
          </span>
          <LevelSelect
            label={texts.membersLevel}
            none={texts.noAccess}
            value={members}
            onChange={(level) => doing(api.updateBoard(boardId, { members_level: level }))}
          />
        </li>
        <li>
          <span className="who">
            <strong>{texts.everyone}</strong>
            <span className="dim">{texts.everyoneIs}</span>
          </span>
          <LevelSelect
            label={texts.everyoneLevel}
            none={texts.noAccess}
            value={everyone?.level ?? null}
            onChange={(level) => {
              if (level !== null) doing(api.setPermission(boardId, { user_id: null, level }))
              else if (everyone !== undefined) doing(api.removePermission(boardId, everyone.id))
            }}
          />
        </li>
      </ul>
    </>
  )
}

/** `7` of `user:7` and of `7`. */
const idOf = (id: string | null): string | undefined => id?.split(':').at(-1)
