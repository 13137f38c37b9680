// Guests with access through links: those who are on the board and, collapsed, those who are not. Each can be
// removed.

import type { AccessResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { appTexts } from '../texts/app.ts'
import { levelNames, levelTexts } from '../texts/levels.ts'
import { shareTexts, personTexts as texts } from '../texts/sharing.ts'
import { Icon } from '../ui/icons.tsx'
import { initials } from '../ui/initials.ts'
import { showProblem, showToast } from '../ui/toast.tsx'

type Guest = AccessResponse['items'][number]

interface ShareGuestsProps {
  boardId: string
  guests: readonly Guest[]
  /** Ids of people who have the board open. */
  here: ReadonlySet<string>
  onChanged: () => void
}

export const ShareGuests = ({ boardId, guests, here, onChanged }: ShareGuestsProps) => {
  const isHere = ({ principal }: Guest) => principal.id !== null && here.has(principal.id)
  const away = guests.filter((guest) => !isHere(guest))
  const remove = ({ principal }: Guest) => {
    if (principal.id === null) return
    api.removePerson(boardId, principal.id).then(
      () => {
        showToast(texts.removed(principal.name))
        onChanged()
      },
      (error: unknown) => {
        showProblem(error)
        onChanged()
      },
    )
  }
  const row = (guest: Guest) => (
    <li key={guest.principal.id}>
      <span className="avatar small" aria-hidden="true">
        {initials(guest.principal.name)}
      </span>
      <span className="who">
        <strong>
          {guest.principal.name}
          <span className="tag">{appTexts.guest}</span>
        </strong>
        <span className="dim">
          {shareTexts.byLink}
          {isHere(guest) ? ` · ${texts.here}` : ''}
        </span>
      </span>
      <span className="dim nowrap">{levelNames[guest.level]}</span>
      <button
        type="button"
        className="quiet square"
        aria-label={levelTexts.removeName(guest.principal.name)}
        title={levelTexts.remove}
        onClick={() => remove(guest)}
      >
        <Icon name="close" />
      </button>
    </li>
  )
  return (
    <>
      <ul className="list people">{guests.filter(isHere).map(row)}</ul>
      {away.length > 0 && (
        <details>
          <summary>{texts.guestsAway(away.length)}</summary>
          <ul className="list people">{away.map(row)}</ul>
        </details>
      )}
    </>
  )
}
