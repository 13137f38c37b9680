// The comment field: grows with the text, suggests people after an @, keeps a draft over a reload, sends with
// Ctrl+Enter (Enter alone makes a new line, as everywhere).
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { maxCommentLength } from '../../shared/comments.ts'
import * as api from '../api.ts'
import { texts } from '../texts/comments.ts'
import type { Shelf } from './outbox.ts'

export interface Written {
  body: string
  mentions: Person[]
}
interface Person {
  id: string
  name: string
}

interface ComposerProps {
  boardId: string
  label: string
  action: string
  /** The storage key of a draft. */
  shelf: Shelf
  draftKey: string
  value?: Written
  autoFocus?: boolean
  onSend: (written: Written) => void
  onCancel?: () => void
}

export const Composer = ({
  boardId,
  label,
  action,
  shelf,
  draftKey,
  value,
  autoFocus,
  onSend,
  onCancel,
}: ComposerProps) => {
  const [written, setWritten] = useState<Written>(
    () => draftOf(shelf, draftKey) ?? value ?? { body: '', mentions: [] },
  )
  const [asked, setAsked] = useState<{ q: string; from: number } | null>(null)
  const [people, setPeople] = useState<Person[]>([])
  const [chosen, setChosen] = useState(0)
  const field = useRef<HTMLTextAreaElement>(null)
  const listId = useId()

  useEffect(() => {
    if (autoFocus === true) field.current?.focus()
  }, [autoFocus])
  useEffect(() => {
    const timer = setTimeout(() => keepDraft(shelf, draftKey, written), 200)
    return () => {
      clearTimeout(timer)
    }
  }, [shelf, draftKey, written])
  useEffect(() => {
    const keep = () => keepDraft(shelf, draftKey, written)
    window.addEventListener('pagehide', keep)
    return () => window.removeEventListener('pagehide', keep)
  }, [shelf, draftKey, written])
  useEffect(() => {
    const area = field.current
    if (area === null) return
    area.style.height = 'auto'
    area.style.height = `${Math.min(area.scrollHeight + 2, 240)}px`
  })
  const q = asked?.q
  useEffect(() => {
    if (q === undefined) return setPeople([])
    let isOld = false
    let timer: ReturnType<typeof setTimeout>
    const ask = () => {
      api.listMentionable(boardId, q).then(
        ({ items }) => {
          if (isOld) return
          setPeople(items)
          setChosen(0)
        },
        (error: unknown) => {
          // The network or the server is unavailable; refused comments stay refused.
          const isAway = !(error instanceof api.ApiError) || error.status === 0 || error.status >= 500
          if (!isOld && isAway) timer = setTimeout(ask, 1000)
        },
      )
    }
    ask()
    return () => {
      isOld = true
      clearTimeout(timer)
    }
  }, [boardId, q])

  const type = (body: string, caret: number) => {
    setWritten((before) => ({ ...before, body }))
    const [, before = '', word] =
      /^([\s\S]*(?:^|\s))@([\p{L}\p{N}._-]{0,30})$/u.exec(body.slice(0, caret)) ?? []
    setAsked(word === undefined ? null : { q: word, from: before.length })
  }
  const pick = (person: Person) => {
    if (asked === null) return
    const caret = field.current?.selectionStart ?? written.body.length
    const body = `${written.body.slice(0, asked.from)}@${person.name} ${written.body.slice(caret)}`
    setWritten({ body, mentions: [...written.mentions.filter(({ id }) => id !== person.id), person] })
    setAsked(null)
    field.current?.focus()
  }
  const send = () => {
    if (written.body.trim() === '') return
    // People who were removed from the text again are not notified.
    const mentions = written.mentions.filter(({ name }) => written.body.includes(`@${name}`))
    shelf.removeItem(draftKey)
    setWritten({ body: '', mentions: [] })
    onSend({ body: written.body.trim(), mentions })
  }
  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return // Enter also confirms a word, for example in Japanese input
    if (people.length > 0 && asked !== null) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
      const person = people[chosen]
      if (step !== undefined) setChosen((chosen + step + people.length) % people.length)
      else if ((event.key === 'Enter' || event.key === 'Tab') && person !== undefined) pick(person)
      else if (event.key === 'Escape') setAsked(null)
      else return
      event.preventDefault()
      event.stopPropagation()
      return
    }
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      send()
    } else if (event.key === 'Escape' && onCancel !== undefined) {
      event.stopPropagation()
      onCancel()
    }
  }
  const isOffering = people.length > 0 && asked !== null

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <div className="composer-field">
        <textarea
          ref={field}
          aria-label={label}
          placeholder={texts.placeholder}
          rows={2}
          maxLength={maxCommentLength}
          value={written.body}
          aria-autocomplete="list"
          aria-controls={listId}
          {...(isOffering ? { 'aria-activedescendant': `${listId}-${chosen}` } : {})}
          onChange={({ target }) => type(target.value, target.selectionStart)}
          onKeyDown={press}
        />
        <div
          id={listId}
          role="listbox"
          aria-label={texts.people}
          className="people-offer"
          hidden={!isOffering}
        >
          {people.map((person, index) => (
            // Keys go to the field, which announces the selected option.
            // biome-ignore lint/a11y/useKeyWithClickEvents: see above
            <div
              key={person.id}
              id={`${listId}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => pick(person)}
            >
              {person.name}
            </div>
          ))}
        </div>
      </div>
      <div className="composer-actions">
        {onCancel !== undefined && (
          <button
            type="button"
            className="quiet"
            onClick={() => {
              shelf.removeItem(draftKey)
              onCancel()
            }}
          >
            {texts.cancel}
          </button>
        )}
        <button
          type="submit"
          className="primary"
          disabled={written.body.trim() === ''}
          title={texts.sendHint}
        >
          {action}
        </button>
      </div>
    </form>
  )
}

function draftOf(shelf: Shelf, key: string): Written | null {
  try {
    const draft: unknown = JSON.parse(shelf.getItem(key) ?? 'null')
    const isOurs =
      typeof draft === 'object' &&
      draft !== null &&
      'body' in draft &&
      'mentions' in draft &&
      Array.isArray(draft.mentions)
    return isOurs ? (draft as Written) : null // its shape was checked
  } catch {
    return null // not written by us
  }
}

function keepDraft(shelf: Shelf, key: string, written: Written): void {
  try {
    if (written.body.trim() === '') shelf.removeItem(key)
    else shelf.setItem(key, JSON.stringify(written))
  } catch {
    // No space on the device: the draft is in the field until the page is closed.
  }
}
