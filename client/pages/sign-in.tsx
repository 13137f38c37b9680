// Signing in, and making an account where the server lets everybody.
import { type FormEvent, useState } from 'react'
import * as api from '../api.ts'
import { Link, navigate } from '../router.tsx'
import { Mark } from '../ui/icons.tsx'

/** Where to go afterwards: only to a page of ours, whatever the address says. */
const nextPage = (): string => {
  const next = new URLSearchParams(window.location.search).get('next') ?? '/'
  return /^\/(?![/\\])/.test(next) ? next : '/'
}

export const SignInPage = ({ isNew }: { isNew: boolean }) => {
  const [problem, setProblem] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const field = (name: string) => String(fields.get(name) ?? '')
    setBusy(true)
    setProblem(null)
    try {
      if (isNew)
        await api.signUp({
          name: field('name').trim(),
          email: field('email').trim(),
          password: field('password'),
        })
      else await api.signIn({ email: field('email').trim(), password: field('password') })
      navigate(nextPage(), { replace: true })
    } catch (error) {
      setProblem(error instanceof Error ? error.message : 'Signing in did not work.')
      setBusy(false)
    }
  }

  return (
    <main className="centered">
      <form className="card entry" onSubmit={submit}>
        <p className="brand">
          <Mark /> Boardroom
        </p>
        <h1>{isNew ? 'Make an account' : 'Sign in'}</h1>
        {isNew && (
          <label className="field">
            Name
            <input name="name" autoComplete="name" minLength={2} maxLength={100} required />
          </label>
        )}
        <label className="field">
          E-mail
          <input
            name="email"
            type="email"
            autoComplete="username"
            maxLength={254}
            required
            // biome-ignore lint/a11y/noAutofocus: the page has this one purpose
            autoFocus={!isNew}
          />
        </label>
        <label className="field">
          Password
          <input
            name="password"
            type="password"
            autoComplete={isNew ? 'new-password' : 'current-password'}
            minLength={isNew ? 8 : 1}
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
          {isNew ? 'Make account' : 'Sign in'}
        </button>
        <p className="hint">
          {isNew ? (
            <>
              You have one? <Link href={`/sign-in${window.location.search}`}>Sign in</Link>
            </>
          ) : (
            'No account? Ask an administrator, or open a share link: it needs none.'
          )}
        </p>
      </form>
    </main>
  )
}
