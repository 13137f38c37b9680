// Threads, their comments and how far each reader has come: rows in, ids out.
import type { Db } from '../database/database.ts'
import type { NewRow } from '../database/tables.ts'

/** @returns its id. */
export const insertThread = async (db: Db, thread: NewRow<'threads'>): Promise<string> =>
  (await db.insertInto('threads').values(thread).returning('id').executeTakeFirstOrThrow()).id

/** @returns its id. */
export const insertComment = async (db: Db, comment: NewRow<'comments'>): Promise<string> =>
  (await db.insertInto('comments').values(comment).returning('id').executeTakeFirstOrThrow()).id

/** `resolvedBy` is a principal, `user:7`. */
export const resolveThread = async (db: Db, threadId: string, resolvedBy: string): Promise<void> => {
  await db
    .updateTable('threads')
    .set({ resolved_at: new Date(), resolved_by: resolvedBy })
    .where('id', '=', threadId)
    .execute()
}

/** `reader`, a principal, has seen everything in the thread up to now. */
export const markRead = async (db: Db, threadId: string, reader: string): Promise<void> => {
  await db
    .insertInto('comment_reads')
    .values({ thread_id: threadId, reader })
    .onConflict((conflict) => conflict.columns(['thread_id', 'reader']).doUpdateSet({ read_at: new Date() }))
    .execute()
}
