// Share links: made with what one may do by them, and until when; shown once, because only their hash is kept.
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import type { ShareLinkResponse } from '../../shared/api.ts'
import { isLevel } from '../../shared/levels.ts'
import * as api from '../api.ts'
import { linkTexts as texts } from '../texts/sharing.ts'
import { copyText } from '../ui/copy.ts'
import { Icon } from '../ui/icons.tsx'
import { ago, atTime } from '../ui/time.ts'
import { showProblem, showToast } from '../ui/toast.tsx'
import { EditLink } from './edit-link.tsx'
import { ExpiryFields, expiryOf } from './expiry.tsx'
import { LevelSelect, levelNames } from './level-select.tsx'

const stateNames: Record<ShareLinkResponse['state'], string> = {
  active: '',
  expired: 'expired',
  revoked: 'revoked',
  used_up: 'used up',
  suspended: 'suspended: its creator may not give access now',
}

export const ShareLinks = ({ boardId }: { boardId: string }) => {
  const [links, setLinks] = useState<ShareLinkResponse[] | null>(null)
  const [fresh, setFresh] = useState<ShareLinkResponse | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [edited, setEdited] = useState<string | null>(null)
  const load = useCallback(() => {
    api.listLinks(boardId).then((page) => setLinks(page.items), showProblem)
  }, [boardId])
  useEffect(load, [load])

  const create = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const fields = new FormData(form)
    const field = (name: string) => String(fields.get(name) ?? '').trim()
    const level = field('level')
    if (!isLevel(level)) return
    setProblem(null)
    const expires = expiryOf(fields)
    api
      .createLink(boardId, {
        level,
        ...(field('label') === '' ? {} : { label: field('label') }),
        ...(field('password') === '' ? {} : { password: String(fields.get('password')) }),
        ...(expires == null ? {} : { expires_at: expires }),
        ...(field('max_uses') === '' ? {} : { max_uses: Number(field('max_uses')) }),
      })
      .then(
        (link) => {
          form.reset()
          setFresh(link)
          load()
          if (link.url !== null) void copy(link.url)
        },
        (error: Error) => setProblem(error.message),
      )
  }

  const revoke = (link: ShareLinkResponse) => {
    api.revokeLink(boardId, link.id).then(() => {
      showToast(texts.revoked)
      if (fresh?.id === link.id) setFresh(null)
      load()
    }, showProblem)
  }

  const live = links?.filter(({ state }) => state === 'active' || state === 'suspended')
  const past = links?.filter(({ state }) => state !== 'active' && state !== 'suspended')

  return (
    <>
      <form className="link-form" onSubmit={create}>
        <div className="row">
          <input name="label" maxLength={100} placeholder="What for? (label)" aria-label="Label" />
          <LevelSelect label="Level" name="level" value="view" />
          <button type="submit" className="primary">
            Make link
          </button>
        </div>
        <details>
          <summary>Expiry, password, number of uses</summary>
          <div className="row three">
            <ExpiryFields />
            <label className="field">
              Password
              <input name="password" type="text" minLength={4} maxLength={200} autoComplete="off" />
            </label>
            <label className="field">
              Uses
              <input name="max_uses" type="number" min={1} max={1_000_000} placeholder="no limit" />
            </label>
          </div>
        </details>
      </form>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {fresh?.url != null && (
        <div className="fresh-link">
          <p>Your new link. Copy it now: it is shown only once.</p>
          <div className="row">
            <input
              readOnly
              value={fresh.url}
              aria-label="New link"
              onFocus={(event) => event.target.select()}
            />
            <button type="button" onClick={() => copy(fresh.url ?? '')}>
              <Icon name="copy" /> Copy
            </button>
          </div>
        </div>
      )}
      {links?.length === 0 && (
        <p className="hint">No links yet. Anybody who has one can open the board without an account.</p>
      )}
      <ul className="list">
        {live?.map((link) =>
          link.id === edited ? (
            <li key={link.id}>
              <EditLink
                boardId={boardId}
                link={link}
                onDone={() => {
                  setEdited(null)
                  load()
                }}
              />
            </li>
          ) : (
            <LinkRow
              key={link.id}
              link={link}
              onRevoke={() => revoke(link)}
              onEdit={() => setEdited(link.id)}
            />
          ),
        )}
      </ul>
      {past !== undefined && past.length > 0 && (
        <details>
          <summary>
            {past.length} {past.length === 1 ? 'link that no longer works' : 'links that no longer work'}
          </summary>
          <ul className="list">
            {past.map((link) => (
              <LinkRow key={link.id} link={link} onRevoke={null} onEdit={null} />
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

const copy = async (url: string): Promise<void> => {
  if (await copyText(url)) showToast('Link copied')
  else showToast('This browser does not let pages copy: select the link and copy it yourself.', true)
}

interface LinkRowProps {
  link: ShareLinkResponse
  onRevoke: (() => void) | null
  onEdit: (() => void) | null
}

const LinkRow = ({ link, onRevoke, onEdit }: LinkRowProps) => {
  const facts = [
    `used ${link.uses}${link.max_uses === null ? '' : ` of ${link.max_uses}`} ${link.uses === 1 && link.max_uses === null ? 'time' : 'times'}`,
    ...(link.has_password ? ['password'] : []),
    ...(link.expires_at === null ? [] : [`until ${atTime(link.expires_at)}`]),
    ...(link.last_used_at === null ? [] : [`last ${ago(link.last_used_at)}`]),
    ...(stateNames[link.state] === '' ? [] : [stateNames[link.state]]),
  ]
  return (
    <li className={onRevoke === null ? 'past' : undefined}>
      <span className="avatar small link" aria-hidden="true">
        <Icon name="link" />
      </span>
      <span className="who">
        <strong>
          {link.label ?? 'Link'}
          <span className="tag">{levelNames[link.permission_level]}</span>
        </strong>
        <span className="dim" title={`Made ${atTime(link.created_at)}`}>
          {facts.join(' · ')}
        </span>
      </span>
      {onEdit !== null && (
        <button type="button" onClick={onEdit} aria-label={texts.editOf(link.label ?? 'link')}>
          {texts.edit}
        </button>
      )}
      {onRevoke !== null && (
        <button
          type="button"
          className="danger"
          onClick={onRevoke}
          aria-label={`Revoke ${link.label ?? 'link'}`}
        >
          Revoke
        </button>
      )}
    </li>
  )
}
