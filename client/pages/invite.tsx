// Pages that a link opens for one person: an invitation, and a new password. The secret is in the fragment.

import { useEffect, useState } from 'react'
import type { InvitationPreview } from '../../shared/api/people.ts'
import type { MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { leadingTo, nextPage } from '../going-back.ts'
import * as people from '../people-api.ts'
import { Link, navigate } from '../router.tsx'
import { appTexts } from '../texts/app.ts'
import { formTexts } from '../texts/entry.ts'
import { peopleTexts } from '../texts/people.ts'
import { Entry, NewPassword } from '../ui/entry.tsx'
import { Loading, MessagePage } from '../ui/message.tsx'
import { showProblem } from '../ui/toast.tsx'

const texts = peopleTexts.invite
const tokenOfLink = () => window.location.hash.slice(1)

export const InvitePage = () => {
  const [token] = useState(tokenOfLink)
  const [me, setMe] = useState<MeResponse | null>(null)
  const [invitation, setInvitation] = useState<InvitationPreview | 'over' | null>(null)
  useEffect(() => {
    document.title = appTexts.titleOf(texts.title)
    if (token === '') return
    api.me().then(setMe, showProblem)
    people.previewInvitation(token).then(setInvitation, (error: unknown) => {
      if (error instanceof api.ApiError && error.code === 'link_not_valid') setInvitation('over')
      else showProblem(error)
    })
  }, [token])

  if (token === '') return <MessagePage title={texts.incomplete} text={texts.incompleteText} />
  if (invitation === 'over')
    return (
      <MessagePage title={texts.over} text={texts.overText}>
        <SignInLink />
      </MessagePage>
    )
  if (invitation === null || me === null) return <Loading text={texts.title} />
  if (me.kind === 'user') {
    return (
      <MessagePage title={texts.title} text={texts.signedIn(me.name ?? '')}>
        <button
          type="button"
          className="primary"
          onClick={() => api.signOut().then(() => api.me().then(setMe), showProblem)}
        >
          {texts.signOut}
        </button>
      </MessagePage>
    )
  }
  return (
    <Entry
      title={texts.title}
      lead={texts.lead(invitation.invited_by)}
      action={texts.accept}
      onSubmit={async (field) => {
        await people.acceptInvitation({
          token,
          name: field('name').trim(),
          password: field('password'),
          ...(invitation.email === null ? { email: field('email').trim() } : {}),
        })
        navigate('/', { replace: true })
      }}
    >
      <label className="field">
        {formTexts.name}
        {/* biome-ignore lint/a11y/noAutofocus: the page has this one purpose */}
        <input name="name" autoComplete="name" minLength={2} maxLength={100} required autoFocus />
      </label>
      <label className="field">
        {formTexts.email}
        <input
          name="email"
          type="email"
          autoComplete="username"
          maxLength={254}
          required
          defaultValue={invitation.email ?? ''}
          readOnly={invitation.email !== null}
        />
      </label>
      <NewPassword label={formTexts.password} />
    </Entry>
  )
}

export const ResetPage = () => {
  const [token] = useState(tokenOfLink)
  const [isDone, setDone] = useState(false)
  const [found, setFound] = useState<{ email: string | null } | 'over' | null>(null)
  useEffect(() => {
    document.title = appTexts.titleOf(peopleTexts.reset.title)
    if (token === '') return
    people.previewPasswordLink(token).then(setFound, (error: unknown) => {
      if (error instanceof api.ApiError && error.code === 'link_not_valid') return setFound('over')
      showProblem(error)
      setFound({ email: null }) // whether it is still valid is reported when it is used
    })
  }, [token])
  if (token === '') return <AskForLink />
  if (found === 'over')
    return (
      <MessagePage title={peopleTexts.reset.over} text={peopleTexts.reset.overText}>
        <SignInLink />
      </MessagePage>
    )
  if (found === null) return <Loading text={peopleTexts.reset.title} />
  if (isDone) {
    return (
      <MessagePage title={peopleTexts.reset.title} text={peopleTexts.reset.done}>
        <SignInLink />
      </MessagePage>
    )
  }
  return (
    <Entry
      title={peopleTexts.reset.title}
      lead={found.email === null ? '' : peopleTexts.reset.whose(found.email)}
      action={peopleTexts.reset.set}
      onSubmit={async (field) => {
        await people.setPasswordByLink(token, field('password'))
        setDone(true)
      }}
    >
      {/* For password managers, which store it with the new password. */}
      <input hidden readOnly name="email" autoComplete="username" value={found.email ?? ''} />
      <NewPassword label={peopleTexts.account.next} />
    </Entry>
  )
}

const SignInLink = () => (
  <Link href={leadingTo('/sign-in', nextPage())} className="button primary">
    {peopleTexts.reset.signIn}
  </Link>
)

const AskForLink = () => {
  const [isSent, setSent] = useState(false)
  const [byMail, setByMail] = useState<boolean | null>(null)
  useEffect(() => {
    people.signInOptions().then((options) => setByMail(options.password_reset_by_mail), showProblem)
  }, [])
  const texts = peopleTexts.reset
  if (byMail === null) return <Loading text={texts.askTitle} />
  if (!byMail || isSent)
    return (
      <MessagePage title={texts.askTitle} text={isSent ? texts.sent : texts.byHand}>
        <SignInLink />
      </MessagePage>
    )
  return (
    <Entry
      title={texts.askTitle}
      action={texts.ask}
      onSubmit={async (field) => {
        await people.askPasswordLink(field('email').trim())
        setSent(true)
      }}
    >
      <label className="field">
        {formTexts.email}
        <input name="email" type="email" autoComplete="username" maxLength={254} required />
      </label>
    </Entry>
  )
}
