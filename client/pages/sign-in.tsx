// Signing in, with a second factor if there is one, and creating an account if the server allows it to everybody.

import { useEffect, useState } from 'react'
import type { SignInOptions } from '../../shared/api/people.ts'
import * as api from '../api.ts'
import { leadingTo, nextPage } from '../going-back.ts'
import * as people from '../people-api.ts'
import { Link, navigate } from '../router.tsx'
import { appTexts } from '../texts/app.ts'
import { formTexts, signInTexts as texts } from '../texts/entry.ts'
import { peopleTexts } from '../texts/people.ts'
import { Entry } from '../ui/entry.tsx'
import { Mark } from '../ui/icons.tsx'

/** People who must set up a second factor first do so on the account page. */
const goOn = async () => {
  const { two_factor } = await api.me()
  const next = nextPage()
  navigate(two_factor === 'required' ? leadingTo('/account', next) : next, { replace: true })
}

export const SignInPage = ({ isNew }: { isNew: boolean }) => {
  const [asksForCode, setAsksForCode] = useState(false)
  const [options, setOptions] = useState<SignInOptions | null>(null)
  useEffect(() => {
    people.signInOptions().then(setOptions, () => {}) // signing in works without the hints
  }, [])
  const [wantsPassword, setWantsPassword] = useState(false)
  if (asksForCode) return <SecondStep />
  const sso = options?.sso ?? null
  if (sso !== null && options?.password === false && !wantsPassword)
    return <SsoOnly name={sso.name} onPassword={() => setWantsPassword(true)} />
  return (
    <Entry
      key={String(isNew)}
      title={isNew ? texts.newTitle : texts.title}
      action={isNew ? texts.newAction : texts.action}
      opening={problemSaid()}
      before={sso !== null && <SsoButton name={sso.name} />}
      onSubmit={async (field) => {
        const who = { email: field('email').trim(), password: field('password') }
        if (isNew) await api.signUp({ name: field('name').trim(), ...who })
        else if (await people.signIn(who)) return setAsksForCode(true)
        await goOn()
      }}
      footer={
        <p className="hint">
          {isNew ? (
            <>
              {texts.haveAccount} <Link href={leadingTo('/sign-in', nextPage())}>{texts.action}</Link>
            </>
          ) : (
            <>
              {options?.sign_up === 'open' ? (
                <>
                  {texts.noAccount} <Link href={leadingTo('/sign-up', nextPage())}>{texts.create}</Link>
                </>
              ) : (
                texts.noSignUp
              )}{' '}
              {options?.password !== false && (
                <Link href={leadingTo('/reset', nextPage())}>{peopleTexts.reset.askTitle}</Link>
              )}
            </>
          )}
        </p>
      }
    >
      {isNew && (
        <label className="field">
          {formTexts.name}
          <input name="name" autoComplete="name" minLength={2} maxLength={100} required />
        </label>
      )}
      <label className="field">
        {formTexts.email}
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
        {formTexts.password}
        <input
          name="password"
          type="password"
          autoComplete={isNew ? 'new-password' : 'current-password'}
          minLength={isNew ? 8 : 1}
          maxLength={128}
          required
        />
      </label>
    </Entry>
  )
}

/** The result of single sign-on, on the way back. */
const problemSaid = (): string | null => {
  const problem = new URLSearchParams(window.location.search).get('problem')
  if (problem === null) return null
  const { problems, unknown } = peopleTexts.sso
  return Object.hasOwn(problems, problem) ? (problems[problem] ?? unknown) : unknown
}

const SsoButton = ({ name }: { name: string }) => (
  <a className="button wide sso" href={leadingTo('/api/auth/sso', nextPage())}>
    {peopleTexts.sso.with(name)}
  </a>
)

const SsoOnly = ({ name, onPassword }: { name: string; onPassword: () => void }) => {
  const problem = problemSaid()
  return (
    <main className="centered">
      <div className="card entry">
        <p className="brand">
          <Mark /> {appTexts.brand}
        </p>
        <h1>{texts.title}</h1>
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <SsoButton name={name} />
        <button type="button" className="quiet" onClick={onPassword}>
          {peopleTexts.sso.orPassword}
        </button>
      </div>
    </main>
  )
}

const SecondStep = () => {
  const [isRecovery, setRecovery] = useState(false)
  const words = peopleTexts.code
  return (
    <Entry
      title={words.title}
      lead={isRecovery ? words.recoveryLead : words.lead}
      action={words.go}
      onSubmit={async (field) => {
        await people.verifyCode(field('code').trim(), isRecovery)
        await goOn()
      }}
      footer={
        <button type="button" className="quiet" onClick={() => setRecovery(!isRecovery)}>
          {isRecovery ? words.useApp : words.useRecovery}
        </button>
      }
    >
      <label className="field">
        {isRecovery ? words.recoveryLabel : words.label}
        <input
          key={String(isRecovery)}
          name="code"
          inputMode={isRecovery ? 'text' : 'numeric'}
          autoComplete="one-time-code"
          maxLength={100}
          required
          // biome-ignore lint/a11y/noAutofocus: the page has this one purpose
          autoFocus
        />
      </label>
    </Entry>
  )
}
