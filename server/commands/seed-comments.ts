// What the invented people say about the boards. Threads have no routes yet, so these rows alone do not come through
// the front door; each is written as its author, with its row of the trail.
import { transactionAs } from '../audit/actor.ts'
import { rowOf } from '../audit/event.ts'
import { insertEvents } from '../audit/queries.ts'
import { insertComment, insertThread, markRead, resolveThread } from '../comments/queries.ts'
import type { Database } from '../database/database.ts'
import { type Actor, systemActor } from '../principal.ts'
import { type PersonKey, people, type SeedThread } from './seed-story.ts'

/** Writes one thread, and says that whoever spoke in it has read it. */
export async function discuss(
  database: Database,
  boardId: string,
  thread: SeedThread,
  userIdOf: (person: PersonKey) => number,
): Promise<void> {
  const speaker = (person: PersonKey) => {
    const userId = userIdOf(person)
    const { name, address } = people[person]
    const actor: Actor = { ...systemActor, kind: 'user', userId, name, ip: address }
    return { actor, principal: `user:${userId}`, name }
  }
  const opener = speaker(thread.comments[0][0])
  const threadId = await transactionAs(database.db, opener.actor, (trx) =>
    insertThread(trx, {
      board_id: boardId,
      anchor: thread.anchor,
      created_by: opener.principal,
      created_by_name: opener.name,
    }),
  )
  for (const [person, body] of thread.comments) {
    const { actor, principal, name } = speaker(person)
    await transactionAs(database.db, actor, async (trx) => {
      const id = await insertComment(trx, { thread_id: threadId, author: principal, author_name: name, body })
      await markRead(trx, threadId, principal)
      const event = { action: 'comment', actor, boardId, resourceType: 'comment', resourceId: id } as const
      await insertEvents({ ...database, db: trx }, [rowOf({ ...event, details: { thread_id: threadId } })])
    })
  }
  if (thread.resolvedBy === undefined) return
  const { actor, principal } = speaker(thread.resolvedBy)
  await transactionAs(database.db, actor, (trx) => resolveThread(trx, threadId, principal))
}
