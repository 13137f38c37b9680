// Agents: creating them, granting them boards, watching and stopping them, and undoing their edits.

import { type FormEvent, useCallback, useEffect, useState } from 'react'
import type {
  AgentCreated,
  AgentEditResponse,
  AgentGrantResponse,
  AgentResponse,
} from '../../shared/api/agents.ts'
import type { BoardResponse, MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { isLetIn } from '../going-back.ts'
import { Link } from '../router.tsx'
import { agentTexts as texts } from '../texts/agents.ts'
import { appTexts } from '../texts/app.ts'
import { atTime } from '../texts/format.ts'
import { copyText } from '../ui/copy.ts'
import { Confirm, Dialog } from '../ui/dialog.tsx'
import { Loading, MessagePage } from '../ui/message.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { TopBar } from '../ui/top-bar.tsx'
import './agents.css'

const bits = ['can_read', 'can_create', 'can_update', 'can_delete'] as const
const watchEveryMs = 4000

export const AgentsPage = () => {
  const [me, setMe] = useState<MeResponse | null>(null)
  const [agents, setAgents] = useState<AgentResponse[] | null>(null)
  const [boards, setBoards] = useState<BoardResponse[]>([])
  const [problem, setProblem] = useState<string | null>(null)
  const [made, setMade] = useState<AgentCreated | null>(null)

  const load = useCallback(
    () =>
      api.listAgents().then(
        ({ items }) => setAgents(items),
        (error: Error) => setProblem(error.message),
      ),
    [],
  )
  useEffect(() => {
    document.title = appTexts.titleOf(texts.title)
    api.me().then(
      (who) => {
        if (!isLetIn(who)) return
        setMe(who)
        void load()
        api.listBoards({ limit: 200 }).then(
          ({ items }) => setBoards(items),
          () => {},
        )
      },
      (error: Error) => setProblem(error.message),
    )
  }, [load])

  if (problem !== null)
    return (
      <MessagePage title={texts.title} text={problem}>
        <Link href="/" className="button">
          {appTexts.allBoards}
        </Link>
      </MessagePage>
    )
  if (agents === null) return <Loading text={texts.looking} />
  return (
    <div className="page">
      <TopBar me={me} />
      <main className="agents">
        <div className="page-head">
          <div>
            <h1>{texts.title}</h1>
            <p className="sub">{texts.about}</p>
          </div>
        </div>
        <NewAgent
          onMade={(agent) => {
            setMade(agent)
            void load()
          }}
        />
        {agents.length === 0 && <p className="empty">{texts.none}</p>}
        {agents.map((agent) => (
          <Agent key={agent.id} agent={agent} boards={boards} onChanged={load} />
        ))}
      </main>
      {made !== null && <TokenDialog made={made} onClose={() => setMade(null)} />}
    </div>
  )
}

const NewAgent = ({ onMade }: { onMade: (agent: AgentCreated) => void }) => {
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    api.createAgent({ name, description }).then((agent) => {
      setName('')
      setDescription('')
      onMade(agent)
    }, showProblem)
  }
  return (
    <form className="agent-form" onSubmit={submit}>
      <label>
        <span>{texts.name}</span>
        <input
          value={name}
          required
          minLength={2}
          maxLength={100}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <label>
        <span>{texts.description}</span>
        <input
          value={description}
          maxLength={2000}
          onChange={(event) => setDescription(event.target.value)}
        />
      </label>
      <button type="submit" className="primary">
        {texts.make}
      </button>
    </form>
  )
}

const TokenDialog = ({ made, onClose }: { made: AgentCreated; onClose: () => void }) => (
  <Dialog title={texts.tokenTitle(made.name)} onClose={onClose}>
    <p>{texts.tokenText}</p>
    <label className="field">
      {texts.token}
      <input readOnly value={made.token} onFocus={(event) => event.target.select()} />
    </label>
    <div className="actions end">
      <button
        type="button"
        onClick={() => {
          void copyText(made.token).then((isCopied) => isCopied && showToast(texts.copied))
        }}
      >
        {texts.copy}
      </button>
      <button type="button" className="primary" onClick={onClose}>
        {texts.close}
      </button>
    </div>
  </Dialog>
)

interface AgentProps {
  agent: AgentResponse
  boards: BoardResponse[]
  onChanged: () => Promise<void>
}

const Agent = ({ agent, boards, onChanged }: AgentProps) => {
  const { id, name } = agent
  const [grants, setGrants] = useState<AgentGrantResponse[]>([])
  const [edits, setEdits] = useState<AgentEditResponse[]>([])
  const [isRemoving, setRemoving] = useState(false)
  const [isDeleted, setDeleted] = useState(false)

  const look = useCallback(async () => {
    const [given, done] = await Promise.all([api.listAgentGrants(id), api.listAgentEdits(id)])
    setGrants(given.items)
    setEdits(done.items)
  }, [id])
  useEffect(() => {
    if (isDeleted) return
    // If somebody else deleted it, the list shows that; other failures are retried in a moment.
    const quietly = () =>
      void look().catch((error) => {
        if (error instanceof api.ApiError && error.code === 'not_found') void onChanged()
      })
    quietly()
    const watching = setInterval(quietly, watchEveryMs)
    return () => clearInterval(watching)
  }, [look, isDeleted, onChanged])

  const doing = (work: Promise<unknown>) => void work.then(onChanged).then(look).catch(showProblem)
  return (
    <section className="agent" aria-labelledby={`agent-${id}`}>
      <header>
        <div>
          <h2 id={`agent-${id}`}>
            {name} <span className="tag">{appTexts.agent}</span>
            {!agent.is_active && <span className="tag">{texts.stopped}</span>}
            {agent.is_active && !agent.is_working && <span className="tag">{texts.ownerInactive}</span>}
          </h2>
          <p className="sub">
            {agent.description !== '' && `${agent.description} · `}
            {texts.owner(agent.owner_name)} ·{' '}
            {agent.last_used_at === null ? texts.neverUsed : texts.lastUsed(atTime(agent.last_used_at))}
          </p>
        </div>
        {agent.may_manage && (
          <div className="actions">
            <button type="button" onClick={() => doing(api.updateAgent(id, { is_active: !agent.is_active }))}>
              {agent.is_active ? texts.stop(name) : texts.start(name)}
            </button>
            <button type="button" onClick={() => setRemoving(true)}>
              {texts.remove(name)}
            </button>
          </div>
        )}
      </header>
      {isRemoving && (
        <Confirm
          title={texts.remove(name)}
          text={texts.removeConfirm(name)}
          action={texts.removeAction}
          onClose={() => setRemoving(false)}
          onDone={() => {
            setRemoving(false)
            setDeleted(true)
            api
              .deleteAgent(id)
              .then(onChanged)
              .catch((error) => {
                setDeleted(false)
                showProblem(error)
              })
          }}
        />
      )}
      <h3>{texts.grants}</h3>
      {grants.length === 0 && <p className="dim">{texts.noGrants}</p>}
      <ul className="agent-grants">
        {grants.map((grant) => (
          <li key={grant.id}>
            <span>
              {bits.flatMap((bit) => (grant[bit] ? [texts.bitNames[bit]] : [])).join(', ')} ·{' '}
              {grant.board_id === null ? texts.allBoards : (grant.board_title ?? texts.someBoard)} ·{' '}
              {texts.forWhom(grant.user_name)}
              {grant.expires_at !== null &&
                ` · ${grant.is_expired ? texts.expired : texts.until(atTime(grant.expires_at))}`}
            </span>
            <button type="button" onClick={() => doing(api.revokeAgentGrant(id, grant.id))}>
              {texts.revoke}
            </button>
          </li>
        ))}
      </ul>
      <NewGrant boards={boards} onGive={(grant) => doing(api.grantAgent(id, grant))} />
      <h3>{texts.edits}</h3>
      {edits.length === 0 && <p className="dim">{texts.noEdits}</p>}
      <ol className="agent-edits">
        {edits.map((edit) => (
          <li key={edit.id} className={edit.undone_at === null ? '' : 'dim'}>
            <span>
              <time dateTime={edit.created_at}>{atTime(edit.created_at)}</time> {texts.change(edit.change)}{' '}
              {nameOf(edit)} · <Link href={`/b/${edit.board_id}`}>{edit.board_title}</Link>
            </span>
            {edit.undone_at !== null ? (
              <span className="tag">{texts.undone}</span>
            ) : (
              <button
                type="button"
                aria-label={texts.undo(edit.board_title)}
                onClick={() =>
                  doing(
                    api
                      .undoAgent(edit.board_id, id, edit.created_at)
                      .then(({ elements, kept }) => showToast(texts.didUndo(elements, kept))),
                  )
                }
              >
                {texts.undoHere}
              </button>
            )}
          </li>
        ))}
      </ol>
    </section>
  )
}

/** The type of an element, and its text. */
const nameOf = ({ old_values, new_values }: AgentEditResponse): string => {
  const { type, text } = { ...old_values, ...new_values }
  const words = typeof text === 'string' ? ` “${text.slice(0, 40)}”` : ''
  return `${typeof type === 'string' ? type : 'element'}${words}`
}

const NewGrant = ({
  boards,
  onGive,
}: {
  boards: BoardResponse[]
  onGive: (grant: Parameters<typeof api.grantAgent>[1]) => void
}) => {
  const [boardId, setBoardId] = useState('')
  const [given, setGiven] = useState({
    can_read: true,
    can_create: false,
    can_update: false,
    can_delete: false,
  })
  const [until, setUntil] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onGive({
      board_id: boardId === '' ? null : boardId,
      ...given,
      ...(until === '' ? {} : { expires_at: new Date(until).toISOString() }),
    })
  }
  return (
    <form className="agent-form" onSubmit={submit}>
      <label>
        <span>{texts.board}</span>
        <select value={boardId} onChange={(event) => setBoardId(event.target.value)}>
          <option value="">{texts.allBoards}</option>
          {boards.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <fieldset>
        <legend>{texts.bits}</legend>
        {bits.map((bit) => (
          <label key={bit} className="inline">
            <input
              type="checkbox"
              checked={given[bit]}
              onChange={(event) => setGiven({ ...given, [bit]: event.target.checked })}
            />
            <span>{texts.bitNames[bit]}</span>
          </label>
        ))}
      </fieldset>
      <label>
        <span>{texts.expires}</span>
        <input type="datetime-local" value={until} onChange={(event) => setUntil(event.target.value)} />
      </label>
      <button type="submit">{texts.give}</button>
    </form>
  )
}
