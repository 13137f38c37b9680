// `/consent?board=`: the texts to accept, what was accepted, and withdrawing it; and the user's own data. If the
// address says where the user came from, they continue there once nothing is missing.

import { type FormEvent, useCallback, useEffect, useState } from 'react'
import type { ConsentAsked, ConsentResponse } from '../../shared/api/consent.ts'
import type { ExportProgress } from '../../shared/api/privacy.ts'
import type { MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { saveFile } from '../board/save-file.ts'
import { isLetIn, leadingTo } from '../going-back.ts'
import {
  eraseMe,
  getConsent,
  getExportProgress,
  getMyExport,
  giveConsent,
  withdrawConsent,
} from '../records-api.ts'
import { Link, navigate } from '../router.tsx'
import { appTexts } from '../texts/app.ts'
import { atTime } from '../texts/format.ts'
import { dataTexts, consentTexts as t } from '../texts/records.ts'
import { Dialog, Prompt } from '../ui/dialog.tsx'
import { Loading, MessagePage } from '../ui/message.tsx'
import { Table } from '../ui/table.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { TopBar } from '../ui/top-bar.tsx'
import './records.css'

const askEveryMs = 400
const uuid = /^[0-9a-f-]{36}$/i

export const ConsentPage = () => {
  const [boardId] = useState(() => {
    const board = new URLSearchParams(window.location.search).get('board') ?? ''
    return uuid.test(board) ? board : null
  })
  const [me, setMe] = useState<MeResponse | null>(null)
  const [consent, setConsent] = useState<ConsentResponse | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const load = useCallback(async () => {
    try {
      const who = await api.me()
      if (who.kind === 'user' && !isLetIn(who)) return
      // An unidentified person may not know about the board, but the server asks for consent all the same.
      const found = await getConsent(boardId).catch((error: unknown) => {
        if (boardId !== null && error instanceof api.ApiError && error.status !== 0) return getConsent(null)
        throw error
      })
      setMe(who)
      setConsent(found)
    } catch (error) {
      setProblem(error instanceof Error ? error.message : t.failed)
    }
  }, [boardId])
  useEffect(() => {
    document.title = appTexts.titleOf(t.title)
    void load()
  }, [load])
  if (problem !== null) return <MessagePage title={t.failed} text={problem} />
  if (me === null || consent === null) return <Loading text={t.title} />
  const isKnown = me.kind === 'user' || me.kind === 'guest'
  const next = boardId === null ? '/' : `/b/${boardId}`
  return (
    <div className="page">
      <TopBar me={me} />
      <main className="reading">
        <h1>{t.title}</h1>
        <p>{consent.asked.length === 0 ? t.nothing : t.lead}</p>
        {consent.asked.map((asked) => (
          <Asked
            key={`${asked.board_id} ${asked.consent_version}`}
            asked={asked}
            chosen={chosenIn(consent, asked)}
            mayAnswer={isKnown}
            onChange={load}
          />
        ))}
        {!isKnown && consent.asked.length > 0 && (
          <>
            <p>{t.signInFirst}</p>
            <Link className="button primary" href={leadingTo('/sign-in')}>
              {t.signIn}
            </Link>
          </>
        )}
        {isKnown && !consent.required && (
          <div className="actions">
            <Link className="button primary" href={next}>
              {t.goOn}
            </Link>
          </div>
        )}
        {consent.given.length > 0 && <History consent={consent} />}
        {me.kind === 'user' && <OwnData me={me} />}
      </main>
    </div>
  )
}

const chosenIn = ({ given }: ConsentResponse, asked: ConsentAsked): readonly string[] =>
  given.find(
    (record) =>
      record.board_id === asked.board_id &&
      record.consent_version === asked.consent_version &&
      record.privacy_policy_version === asked.privacy_policy_version &&
      record.withdrawn_at === null,
  )?.consent_categories ?? []

const Asked = ({
  asked,
  chosen,
  mayAnswer,
  onChange,
}: {
  asked: ConsentAsked
  /** Categories that the user accepted for this version. */
  chosen: readonly string[]
  mayAnswer: boolean
  onChange: () => Promise<void>
}) => {
  const [isAsking, setAsking] = useState(false)
  const title = asked.board_id === null ? t.ofServer : t.ofBoard(asked.board_title ?? '')
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    giveConsent({
      consent_version: asked.consent_version,
      privacy_policy_version: asked.privacy_policy_version,
      consent_categories: fields.getAll('category').map(String),
      ...(asked.board_id === null ? {} : { board_id: asked.board_id }),
    }).then(onChange, showProblem)
  }
  const withdraw = () => {
    setAsking(false)
    withdrawConsent(asked.board_id).then(onChange, showProblem)
  }
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <p className="hint">{t.version(asked.consent_version, asked.privacy_policy_version)}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text is scrolled with the keyboard */}
      <section className="terms" tabIndex={0} aria-label={t.textOf(title)}>
        {asked.text}
      </section>
      {mayAnswer && (
        <form onSubmit={submit}>
          {[...asked.required_categories, ...asked.optional_categories].map((name) => {
            const isRequired = asked.required_categories.includes(name)
            return (
              <label className="consent-choice" key={name}>
                <input
                  type="checkbox"
                  name="category"
                  value={name}
                  required={isRequired}
                  defaultChecked={chosen.includes(name)}
                />
                {name.replaceAll(/[_.-]/g, ' ')} ({isRequired ? t.required : t.optional})
              </label>
            )
          })}
          {asked.given && <p role="status">{t.given}</p>}
          <div className="actions">
            {(!asked.given || asked.optional_categories.length > 0) && (
              <button type="submit" className={asked.given ? '' : 'primary'}>
                {asked.given ? t.change : t.accept}
              </button>
            )}
            {asked.given && (
              <button type="button" onClick={() => setAsking(true)}>
                {t.withdraw}
              </button>
            )}
          </div>
        </form>
      )}
      {isAsking && (
        <Dialog title={t.withdrawTitle} onClose={() => setAsking(false)}>
          <p>{asked.board_id === null ? t.withdrawText : t.withdrawBoardText}</p>
          <div className="actions end">
            <button type="button" className="primary" data-first onClick={withdraw}>
              {t.withdraw}
            </button>
          </div>
        </Dialog>
      )}
    </section>
  )
}

const History = ({ consent }: { consent: ConsentResponse }) => (
  <section>
    <h2>{t.history}</h2>
    <Table heads={[t.whose, t.accepted, t.categories, t.withdrawn]}>
      {consent.given.map((record) => (
        <tr key={record.id}>
          <td>
            {record.board_id === null ? (
              t.ofServer
            ) : (
              <Link href={`/consent?board=${record.board_id}`}>
                {consent.asked.find(({ board_id }) => board_id === record.board_id)?.board_title ?? t.board}
              </Link>
            )}
            , {record.consent_version}
          </td>
          <td data-head={t.accepted}>{atTime(record.accepted_at)}</td>
          <td>{record.consent_categories.join(', ')}</td>
          <td>{record.withdrawn_at === null ? t.stands : atTime(record.withdrawn_at)}</td>
        </tr>
      ))}
    </Table>
  </section>
)

const OwnData = ({ me }: { me: MeResponse }) => {
  const [isErasing, setErasing] = useState(false)
  const [progress, setProgress] = useState<ExportProgress | null>(null)
  const gather = async (format: 'json' | 'html') => {
    setProgress({ section: null, done: 0, total: 0 })
    const asking = setInterval(() => {
      getExportProgress().then(
        (found) => setProgress((before) => (before === null ? null : found)),
        () => {}, // it is only the progress
      )
    }, askEveryMs)
    try {
      saveFile(await getMyExport(format), dataTexts.file, format)
      showToast(dataTexts.ready)
    } catch (error) {
      showProblem(error)
    } finally {
      clearInterval(asking)
      setProgress(null)
    }
  }
  return (
    <section>
      <h2>{dataTexts.title}</h2>
      <p>{dataTexts.lead}</p>
      <div className="actions">
        <button type="button" disabled={progress !== null} onClick={() => gather('html')}>
          {dataTexts.page}
        </button>
        <button type="button" disabled={progress !== null} onClick={() => gather('json')}>
          {dataTexts.json}
        </button>
        <button type="button" onClick={() => setErasing(true)}>
          {dataTexts.erase}
        </button>
      </div>
      {progress !== null && (
        <p role="status">
          <progress
            aria-label={dataTexts.gathering}
            {...(progress.total === 0 ? {} : { value: progress.done, max: progress.total })}
          />{' '}
          {progress.section === null
            ? dataTexts.gathering
            : dataTexts.section(progress.section, progress.done, progress.total)}
        </p>
      )}
      {isErasing && (
        <Prompt
          title={dataTexts.eraseTitle}
          text={dataTexts.eraseText}
          label={dataTexts.eraseLabel(me.email ?? me.name ?? '')}
          value=""
          action={dataTexts.eraseAction}
          isDanger
          onClose={() => setErasing(false)}
          onDone={(typed) => {
            setErasing(false)
            eraseMe(typed).then(() => navigate('/sign-in', { replace: true }), showProblem)
          }}
        />
      )}
    </section>
  )
}
