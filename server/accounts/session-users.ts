// Who is behind the sessions that tickets were made from. After a restart everybody comes back in the same second, so
// there is one question on its way at a time, about all who came while the one before it was.
import type { Db } from '../database/database.ts'
import { type UserRow, usersOfSessions } from './queries.ts'

interface Asked {
  userId: number
  sessionId: number
  resolve(user: UserRow | undefined): void
  reject(error: unknown): void
}

/** So many at most in one question, and so many questions at once, should one of them take long. */
const mostInAQuestion = 200
const mostQuestions = 2

export class SessionUsers {
  readonly #db: Db
  #waiting: Asked[] = []
  #questions = 0

  constructor(db: Db) {
    this.#db = db
  }

  /** The user, where the session is theirs and lives. @throws BoardroomError database_unreachable */
  find(userId: number, sessionId: number): Promise<UserRow | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ userId, sessionId, resolve, reject })
      void this.#askNext()
    })
  }

  /** Never rejects. */
  async #askNext(): Promise<void> {
    if (this.#questions === mostQuestions) return
    this.#questions++
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, mostInAQuestion)
      try {
        const sessions = [...new Set(asked.map(({ sessionId }) => sessionId))]
        const users = new Map<string, UserRow>()
        for (const { session_id, ...user } of await usersOfSessions(this.#db, sessions))
          users.set(`${session_id} ${user.id}`, user)
        for (const { userId, sessionId, resolve } of asked) resolve(users.get(`${sessionId} ${userId}`))
      } catch (error) {
        for (const { reject } of asked) reject(error)
      }
    }
    this.#questions--
  }
}
