// The user's own account: name, password, second factor, sessions, mail.

import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react'
import { renderSVG } from 'uqr'
import type { SignInOptions } from '../../shared/api/people.ts'
import type { TwoFactorSetUp } from '../../shared/api/two-factor.ts'
import type { MeResponse, SessionResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { leadingTo, nextPage } from '../going-back.ts'
import * as people from '../people-api.ts'
import { appTexts } from '../texts/app.ts'
import '../people.css'
import { Link } from '../router.tsx'
import { atTime } from '../texts/format.ts'
import { peopleTexts } from '../texts/people.ts'
import { deviceName } from '../ui/device-name.ts'
import { Loading, MessagePage } from '../ui/message.tsx'
import { PasswordForm } from '../ui/password-form.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { TopBar } from '../ui/top-bar.tsx'

const texts = peopleTexts.account

const AccountPage = () => {
  const [me, setMe] = useState<MeResponse | null>(null)
  /** Redirected here to set up a second factor first. */
  const [isSent, setSent] = useState(nextPage() !== '/')
  const load = useCallback(() => {
    api.me().then((who) => {
      setMe(who)
      if (who.two_factor === 'required') setSent(true)
    }, showProblem)
  }, [])
  useEffect(() => {
    document.title = appTexts.titleOf(texts.title)
    load()
  }, [load])
  if (me === null) return <Loading text={texts.title} />
  if (me.kind !== 'user') {
    return (
      <MessagePage title={texts.title} text={texts.signInFirst}>
        <Link href={leadingTo('/sign-in')} className="button primary">
          {appTexts.signIn}
        </Link>
      </MessagePage>
    )
  }
  const isOpen = me.two_factor !== 'required'
  return (
    <div className="page">
      <TopBar me={me} />
      <main className="sections">
        <h1>{texts.title}</h1>
        {!isOpen && <p className="banner">{texts.required}</p>}
        {isOpen && isSent && (
          <p className="banner">
            {texts.ready} <Link href={nextPage()}>{texts.goOn}</Link>
          </p>
        )}
        {isOpen && <Profile me={me} onChange={load} />}
        {me.two_factor !== null && <SecondFactor me={me} onChange={load} />}
        {isOpen && me.two_factor !== null && <Password />}
        {isOpen && me.two_factor !== null && <Sessions />}
        {isOpen && <Mail />}
      </main>
    </div>
  )
}
export default AccountPage

const Section = ({ title, children }: { title: string; children: ReactNode }) => (
  <section className="section" aria-label={title}>
    <h2>{title}</h2>
    {children}
  </section>
)

/** A form that passes its fields by name and shows errors. */
const Form = ({
  onSubmit,
  action,
  children,
}: {
  onSubmit: (field: (name: string) => string) => Promise<unknown>
  action: string
  children: ReactNode
}) => {
  const [problem, setProblem] = useState<string | null>(null)
  return (
    <form
      onSubmit={(event: FormEvent<HTMLFormElement>) => {
        event.preventDefault()
        const form = event.currentTarget
        const fields = new FormData(form)
        setProblem(null)
        onSubmit((name) => String(fields.get(name) ?? '')).then(
          () => form.reset(),
          (error: Error) => setProblem(error.message),
        )
      }}
    >
      {children}
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="actions">
        <button type="submit" className="primary">
          {action}
        </button>
      </div>
    </form>
  )
}

const PasswordField = ({
  label,
  name = 'password',
  isNew = false,
}: {
  label: string
  name?: string
  isNew?: boolean
}) => (
  <label className="field">
    {label}
    <input
      name={name}
      type="password"
      autoComplete={isNew ? 'new-password' : 'current-password'}
      minLength={isNew ? 8 : 1}
      maxLength={128}
      required
    />
  </label>
)

const Profile = ({ me, onChange }: { me: MeResponse; onChange: () => void }) => (
  <Section title={texts.profile}>
    <p className="dim">
      {me.email} {me.role !== null && <span className="tag">{peopleTexts.roles[me.role]}</span>}
    </p>
    <Form
      action={texts.saveName}
      onSubmit={async (field) => {
        await people.rename(field('name').trim())
        showToast(texts.saved)
        onChange()
      }}
    >
      <label className="field">
        {texts.name}
        <input
          key={me.name}
          name="name"
          defaultValue={me.name ?? ''}
          minLength={2}
          maxLength={100}
          required
        />
      </label>
    </Form>
  </Section>
)

const Password = () => (
  <Section title={texts.password}>
    <PasswordForm />
  </Section>
)

const SecondFactor = ({ me, onChange }: { me: MeResponse; onChange: () => void }) => {
  const [setUp, setSetUp] = useState<TwoFactorSetUp | null>(null)
  const [codes, setCodes] = useState<string[] | null>(null)
  const isOn = me.two_factor === 'on'
  const [policy, setPolicy] = useState<SignInOptions['two_factor']>('off')
  useEffect(() => {
    people.signInOptions().then(({ two_factor }) => setPolicy(two_factor), showProblem)
  }, [])
  const staysOn = policy === 'all' || (policy === 'admins' && me.role !== 'user')
  return (
    <Section title={texts.factor}>
      {setUp === null && <p className="dim">{isOn ? texts.isOn : texts.isOff}</p>}
      {codes !== null && <Codes codes={codes} />}
      {!isOn && setUp === null && (
        <Form
          action={texts.begin}
          onSubmit={async (field) => setSetUp(await people.beginTwoFactor(field('password')))}
        >
          <PasswordField label={texts.confirmPassword} />
        </Form>
      )}
      {!isOn && setUp !== null && (
        <>
          <p>{texts.scan}</p>
          {/* Created by our own code: it contains only squares. */}
          <img
            className="qr"
            alt={texts.scan}
            src={`data:image/svg+xml,${encodeURIComponent(renderSVG(setUp.totp_uri))}`}
          />
          <p>
            {texts.secret}: <code className="secret">{setUp.secret}</code>
          </p>
          <Codes codes={setUp.recovery_codes} />
          <Form
            action={texts.finish}
            onSubmit={async (field) => {
              await people.verifyCode(field('code').trim(), false)
              setSetUp(null)
              onChange()
            }}
          >
            <label className="field">
              {texts.firstCode}
              <input name="code" inputMode="numeric" autoComplete="one-time-code" maxLength={10} required />
            </label>
          </Form>
        </>
      )}
      {isOn && (
        <div className="two-forms">
          <Form
            action={texts.newCodes}
            onSubmit={async (field) =>
              setCodes((await people.newRecoveryCodes(field('password'))).recovery_codes)
            }
          >
            <PasswordField label={texts.confirmPassword} />
          </Form>
          {staysOn ? (
            <p className="dim">{texts.staysOn}</p>
          ) : (
            <Form
              action={texts.off}
              onSubmit={async (field) => {
                await people.endTwoFactor(field('password'))
                setCodes(null)
                onChange()
              }}
            >
              <PasswordField label={texts.confirmPassword} />
            </Form>
          )}
        </div>
      )}
    </Section>
  )
}

const Codes = ({ codes }: { codes: readonly string[] }) => (
  <>
    <p>{texts.codes}</p>
    <ul className="codes">
      {codes.map((code) => (
        <li key={code}>
          <code>{code}</code>
        </li>
      ))}
    </ul>
  </>
)

const Sessions = () => {
  const [sessions, setSessions] = useState<SessionResponse[]>([])
  const load = useCallback(() => {
    people.ownSessions().then(({ items }) => setSessions(items), showProblem)
  }, [])
  useEffect(load, [load])
  return (
    <Section title={texts.sessions}>
      <ul className="list">
        {sessions.map(({ id, created_at, ip_address, user_agent, is_current }) => (
          <li key={id}>
            <span className="who">
              <strong title={user_agent ?? undefined}>{deviceName(user_agent)}</strong>
              <span className="dim">
                {atTime(created_at)} · {ip_address} {is_current && <span className="tag">{texts.here}</span>}
              </span>
            </span>
            {!is_current && (
              <button type="button" onClick={() => people.endSession(id).then(load, showProblem)}>
                {texts.end}
              </button>
            )}
          </li>
        ))}
      </ul>
      {sessions.length > 1 && (
        <div className="actions">
          <button type="button" onClick={() => people.endOtherSessions().then(load, showProblem)}>
            {texts.endOthers}
          </button>
        </div>
      )}
    </Section>
  )
}

const Mail = () => {
  const [mail, setMail] = useState<{ comments: boolean; server_mails: boolean } | null>(null)
  useEffect(() => {
    people.mailSettings().then(setMail, showProblem)
  }, [])
  if (mail?.server_mails !== true) return null
  return (
    <Section title={texts.mail}>
      <label className="inline">
        <input
          type="checkbox"
          checked={mail.comments}
          onChange={({ target }) => {
            setMail({ ...mail, comments: target.checked })
            people.setMail(target.checked).catch(showProblem)
          }}
        />
        <span>{texts.mailLabel}</span>
      </label>
    </Section>
  )
}
