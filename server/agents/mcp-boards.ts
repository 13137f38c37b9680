// The board operations behind the MCP tools; each checks the agent's rights again.
import type { SceneElement } from '../../shared/element.ts'
import { allows } from '../../shared/levels.ts'
import { subjectOf } from '../boards/access.ts'
import { boardById } from '../boards/board-queries.ts'
import { refusalOf, wholeLevelOf } from '../boards/require-level.ts'
import { createComment } from '../comments/comments.ts'
import { writerOf } from '../comments/deps.ts'
import { createThread, listThreads } from '../comments/threads.ts'
import { documentOf } from '../documents/content.ts'
import type { ElementEdit } from '../documents/element-properties.ts'
import { BoardroomError } from '../errors.ts'
import { type Actor, type Identity, principalKey } from '../principal.ts'
import type { AccessDecision, AgentRights } from '../rooms/ports.ts'
import { applyBatch, visible } from './canvas/batch.ts'
import type { Batch } from './canvas/description.ts'
import type { Direction } from './canvas/layout.ts'
import type { McpDeps } from './deps.ts'
import { boardsOfAgent } from './queries.ts'

/** The agent behind a request. */
export interface AgentCaller {
  identity: Identity
  actor: Actor
  agentId: string
  name: string
}

const mostListed = 500
const mostThreads = 50

/** @throws BoardroomError not_found | board_deleted | not_signed_in | access_denied */
async function rightsOn(
  deps: McpDeps,
  { identity }: AgentCaller,
  boardId: string,
): Promise<{ decision: AccessDecision; rights: AgentRights }> {
  const decision = await deps.access.decideOne(subjectOf(identity, boardId))
  const refusal = refusalOf(decision, identity)
  if (refusal?.code === 'access_denied')
    throw new BoardroomError(
      'not_found',
      'there is no such board, or nobody has granted this agent access to it',
      {
        cause: refusal,
      },
    )
  if (refusal !== null) throw refusal
  if (decision.agent === null)
    throw new BoardroomError('internal', 'a decision about an agent without its rights')
  return { decision, rights: decision.agent }
}

/** Boards that somebody has granted the agent access to, most recently changed first. */
export async function boardsFor(deps: McpDeps, caller: AgentCaller) {
  const boards = await boardsOfAgent(deps.db, caller.agentId, mostListed)
  const decisions = await deps.access.decide(boards.map(({ id }) => subjectOf(caller.identity, id)))
  return boards.flatMap(({ id, title }, at) => {
    const rights = decisions[at]?.agent
    return rights == null || decisions[at]?.level == null ? [] : [{ id, title, rights }]
  })
}

/** The content of a board. @throws BoardroomError as rightsOn */
export async function elementsFor(
  deps: McpDeps,
  caller: AgentCaller,
  boardId: string,
): Promise<{ title: string; elements: SceneElement[] }> {
  const { decision, rights } = await rightsOn(deps, caller, boardId)
  if (!rights.read)
    throw new BoardroomError('access_denied', 'this agent may not read this board: it lacks can_read')
  const doc = documentOf(await deps.rooms.document(boardId))
  const board = await boardById(deps.db, boardId)
  await deps.trail.recordRead(caller.actor, boardId, 'document', wholeLevelOf(decision))
  try {
    return { title: board?.title ?? '', elements: visible(doc) }
  } finally {
    doc.destroy()
  }
}

/**
 * Applies all of it, or nothing.
 * @param work the batch, or a function that creates it, which runs after the agent's rights were checked.
 * @throws BoardroomError as rightsOn, and as applyBatch
 */
export async function editBoard(
  deps: McpDeps,
  caller: AgentCaller,
  boardId: string,
  work: Batch | (() => { batch: Batch; direction?: Direction }),
): Promise<ElementEdit[]> {
  const { decision, rights } = await rightsOn(deps, caller, boardId)
  if (!allows(decision.level, 'edit'))
    throw new BoardroomError(
      'access_denied',
      'this agent may only read this board; ask for can_create, can_update or can_delete',
    )
  const { batch, direction } = typeof work === 'function' ? work() : { batch: work, direction: undefined }
  let edits: ElementEdit[] = []
  await deps.rooms.applyAsServer(
    boardId,
    (doc) => {
      edits = applyBatch(doc, batch, rights, direction)
    },
    principalKey(caller.identity.principal),
  )
  return edits
}

/** @throws BoardroomError as rightsOn, and of comments */
export async function commentOn(
  deps: McpDeps,
  caller: AgentCaller,
  boardId: string,
  said: {
    text: string
    threadId?: string | undefined
    x?: number | undefined
    y?: number | undefined
    elementId?: string | undefined
  },
): Promise<{ threadId: string }> {
  const { decision, rights } = await rightsOn(deps, caller, boardId)
  if (!rights.comment)
    throw new BoardroomError('access_denied', 'this agent may not comment on this board: it lacks can_create')
  if (!deps.comments.writes.take(principalKey(caller.identity.principal)))
    throw new BoardroomError('too_many_requests', 'too many comments; try again later')
  const writer = writerOf(caller.identity, caller.actor, decision)
  const { text: body, threadId, elementId } = said
  if (threadId !== undefined) {
    await createComment(deps.comments, writer, boardId, threadId, { body })
    return { threadId }
  }
  const place = await placeOf(deps, boardId, said)
  const anchor = { ...place, ...(elementId === undefined ? {} : { element_id: elementId }) }
  const { thread } = await createThread(deps.comments, writer, boardId, { anchor, body })
  return { threadId: thread.id }
}

async function placeOf(
  deps: McpDeps,
  boardId: string,
  { x, y, elementId }: { x?: number | undefined; y?: number | undefined; elementId?: string | undefined },
) {
  if (x !== undefined && y !== undefined) return { x, y }
  if (elementId === undefined)
    throw new BoardroomError('invalid_request', 'expected x and y, an element_id or a thread_id')
  const doc = documentOf(await deps.rooms.document(boardId))
  const element = visible(doc).find(({ id }) => id === elementId)
  doc.destroy()
  if (element === undefined)
    throw new BoardroomError('invalid_request', `element_id: the board has no element ${elementId}`)
  return { x: Number(element.x) + Number(element.width), y: Number(element.y) }
}

/** Open threads, latest first. @throws BoardroomError as rightsOn */
export async function threadsFor(deps: McpDeps, caller: AgentCaller, boardId: string) {
  const { decision, rights } = await rightsOn(deps, caller, boardId)
  if (!rights.read)
    throw new BoardroomError('access_denied', 'this agent may not read this board: it lacks can_read')
  await deps.trail.recordRead(caller.actor, boardId, 'threads', wholeLevelOf(decision))
  const reader = { principal: principalKey(caller.identity.principal), mayManage: false }
  const page = await listThreads(deps.comments, boardId, reader, {
    open: 'true',
    comments: 20,
    limit: mostThreads,
  })
  return page.items
}
