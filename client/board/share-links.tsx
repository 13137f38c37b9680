// Share links: created with a level and an expiry; shown once, because only their hash is stored.
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import type { ShareLinkResponse } from '../../shared/api.ts'
import { isLevel } from '../../shared/levels.ts'
import * as api from '../api.ts'
import { ago, atTime } from '../texts/format.ts'
import { levelNames, levelTexts } from '../texts/levels.ts'
import { linkTexts as texts } from '../texts/sharing.ts'
import { copyText } from '../ui/copy.ts'
import { Icon } from '../ui/icons.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { EditLink } from './edit-link.tsx'
import { ExpiryFields, expiryOf } from './expiry.tsx'
import { LevelSelect } from './level-select.tsx'

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
          <input name="label" maxLength={100} placeholder={texts.labelHint} aria-label={texts.label} />
          <LevelSelect label={levelTexts.level} name="level" value="view" />
          <button type="submit" className="primary">
            {texts.create}
          </button>
        </div>
        <details>
          <summary>{texts.more}</summary>
          <div className="row three">
            <ExpiryFields key={fresh?.id ?? 'first'} />
            <label className="field">
              {texts.password}
              <input name="password" type="text" minLength={4} maxLength={200} autoComplete="off" />
            </label>
            <label className="field">
              {texts.usesAtMost}
              <input name="max_uses" type="number" min={1} max={1_000_000} placeholder={texts.noLimit} />
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
          <p>{texts.fresh}</p>
          <div className="row">
            <input
              readOnly
              value={fresh.url}
              aria-label={texts.freshLabel}
              onFocus={(event) => event.target.select()}
            />
            <button type="button" onClick={() => copy(fresh.url ?? '')}>
              <Icon name="copy" /> {texts.copy}
            </button>
          </div>
        </div>
      )}
      {links?.length === 0 && <p className="hint">{texts.none}</p>}
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
          <summary>{texts.past(past.length)}</summary>
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
  if (await copyText(url)) showToast(texts.copied)
  else showToast(texts.notCopied, true)
}

interface LinkRowProps {
  link: ShareLinkResponse
  onRevoke: (() => void) | null
  onEdit: (() => void) | null
}

const LinkRow = ({ link, onRevoke, onEdit }: LinkRowProps) => {
  const facts = [
    texts.used(link.uses, link.max_uses),
    ...(link.has_password ? [texts.hasPassword] : []),
    ...(link.expires_at === null ? [] : [texts.until(atTime(link.expires_at))]),
    ...(link.last_used_at === null ? [] : [texts.last(ago(link.last_used_at))]),
    ...(texts.states[link.state] === '' ? [] : [texts.states[link.state]]),
  ]
  return (
    <li className={onRevoke === null ? 'past' : undefined}>
      <span className="avatar small link" aria-hidden="true">
        <Icon name="link" />
      </span>
      <span className="who">
        <strong>
          {link.label ?? texts.unnamed}
          <span className="tag">{levelNames[link.permission_level]}</span>
        </strong>
        <span className="dim" title={texts.created(atTime(link.created_at))}>
          {facts.join(' · ')}
        </span>
      </span>
      {onEdit !== null && (
        <button type="button" onClick={onEdit} aria-label={texts.editOf(link.label ?? texts.unnamed)}>
          {texts.edit}
        </button>
      )}
      {onRevoke !== null && (
        <button
          type="button"
          className="danger"
          onClick={onRevoke}
          aria-label={texts.revokeName(link.label ?? texts.unnamed)}
        >
          {texts.revoke}
        </button>
      )}
    </li>
  )
}
