// The first account. The secret is in the fragment, which appears in no log.

import { type FormEvent, useEffect, useState } from 'react'
import * as api from '../api.ts'
import { Link, navigate } from '../router.tsx'
import { appTexts } from '../texts/app.ts'
import { formTexts, setupTexts as texts } from '../texts/entry.ts'
import { Mark } from '../ui/icons.tsx'
import { Loading, MessagePage } from '../ui/message.tsx'

/** A link that is no longer valid says so before it shows a form. */
const useSetupLink = (token: string): 'looking' | 'good' | { title: string; text: string } => {
  const [state, setState] = useState<'looking' | 'good' | { title: string; text: string }>('looking')
  useEffect(() => {
    if (token === '') return
    api.previewSetup(token).then(
      () => setState('good'),
      (error: Error) => {
        const isOver = error instanceof api.ApiError && error.code === 'link_not_valid'
        setState({ title: texts.usedTitle, text: isOver ? texts.used : error.message })
      },
    )
  }, [token])
  return state
}

const signIn = (
  <Link href="/sign-in" className="button primary">
    {texts.signIn}
  </Link>
)

export const SetupPage = () => {
  const [token] = useState(() => window.location.hash.slice(1))
  const [problem, setProblem] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  const state = useSetupLink(token)
  if (token === '') {
    return <MessagePage title={texts.incompleteTitle} text={texts.incomplete} />
  }

  if (state === 'looking') return <Loading text={texts.looking} />
  if (state !== 'good') return <MessagePage {...state}>{signIn}</MessagePage>

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const field = (name: string) => String(fields.get(name) ?? '')
    if (field('password') !== field('again')) return setProblem(formTexts.notTheSame)
    setBusy(true)
    setProblem(null)
    try {
      await api.setUp({
        token,
        name: field('name').trim(),
        email: field('email').trim(),
        password: field('password'),
      })
      navigate('/', { replace: true })
    } catch (error) {
      const isUsed = error instanceof api.ApiError && error.code === 'link_not_valid'
      setProblem(isUsed ? texts.used : error instanceof Error ? error.message : formTexts.failed)
      setBusy(false)
    }
  }

  return (
    <main className="centered">
      <form className="card entry" onSubmit={submit}>
        <p className="brand">
          <Mark /> {appTexts.brand}
        </p>
        <h1>{texts.title}</h1>
        <p className="lead">{texts.lead}</p>
        <label className="field">
          {formTexts.name}
          {/* biome-ignore lint/a11y/noAutofocus: the page has this one purpose */}
          <input name="name" autoComplete="name" minLength={2} maxLength={100} required autoFocus />
        </label>
        <label className="field">
          {formTexts.email}
          <input name="email" type="email" autoComplete="username" maxLength={254} required />
        </label>
        <label className="field">
          {formTexts.password}
          <input
            name="password"
            type="password"
            autoComplete="new-password"
            minLength={8}
            maxLength={128}
            required
          />
          <span className="hint">{formTexts.passwordHint}</span>
        </label>
        <label className="field">
          {formTexts.passwordAgain}
          <input
            name="again"
            type="password"
            autoComplete="new-password"
            minLength={8}
            maxLength={128}
            required
          />
        </label>
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" className="primary wide" disabled={isBusy}>
          {texts.action}
        </button>
      </form>
    </main>
  )
}
