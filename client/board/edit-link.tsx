// Editing an existing share link: the address stays, its level and expiry can change.
import { type FormEvent, useState } from 'react'
import type { ShareLinkResponse } from '../../shared/api.ts'
import { isLevel } from '../../shared/levels.ts'
import * as api from '../api.ts'
import { linkTexts as texts } from '../texts/sharing.ts'
import { FormEnd } from '../ui/form-end.tsx'
import { showToast } from '../ui/toast.tsx'
import { ExpiryFields, expiryOf } from './expiry.tsx'
import { LevelSelect } from './level-select.tsx'

interface EditLinkProps {
  boardId: string
  link: ShareLinkResponse
  onDone: () => void
}

export const EditLink = ({ boardId, link, onDone }: EditLinkProps) => {
  const [problem, setProblem] = useState<string | null>(null)
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const field = (name: string) => String(fields.get(name) ?? '').trim()
    const level = field('level')
    if (!isLevel(level)) return
    const password = String(fields.get('password') ?? '')
    const expires = expiryOf(fields)
    api
      .updateLink(boardId, link.id, {
        level,
        label: field('label') === '' ? null : field('label'),
        max_uses: field('max_uses') === '' ? null : Number(field('max_uses')),
        ...(expires === undefined ? {} : { expires_at: expires }),
        ...(fields.get('no_password') !== null ? { password: null } : password === '' ? {} : { password }),
      })
      .then(
        () => {
          showToast(texts.saved)
          onDone()
        },
        (error: Error) => setProblem(error.message),
      )
  }
  return (
    <form className="link-form edit-link" aria-label={texts.editTitle} onSubmit={save}>
      <div className="row">
        <input
          name="label"
          maxLength={100}
          defaultValue={link.label ?? ''}
          placeholder={texts.label}
          aria-label={texts.label}
        />
        <LevelSelect label={texts.level} name="level" value={link.permission_level} />
      </div>
      <div className="row three">
        <ExpiryFields keeps={link.expires_at !== null} />
        <label className="field">
          {texts.password}
          <input
            name="password"
            type="text"
            minLength={4}
            maxLength={200}
            autoComplete="off"
            placeholder={link.has_password ? texts.passwordKept : ''}
          />
        </label>
        <label className="field">
          {texts.uses}
          <input
            name="max_uses"
            type="number"
            min={1}
            max={1_000_000}
            defaultValue={link.max_uses ?? ''}
            placeholder={texts.noLimit}
          />
        </label>
      </div>
      {link.has_password && (
        <label className="inline">
          <input name="no_password" type="checkbox" /> {texts.noPassword}
        </label>
      )}
      <FormEnd problem={problem} cancel={texts.cancel} submit={texts.save} onCancel={onDone} />
    </form>
  )
}
