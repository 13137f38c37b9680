// Comment digests by mail: comments that stayed unread for a while, one mail per person. Access is checked when the mail
// is sent, for its recipient.
import type { Logger } from 'pino'
import type { BoardAccess } from '../boards/access.ts'
import type { Db } from '../database/database.ts'
import type { Mailer } from '../mail/mailer.ts'
import { stopTokenFor } from './mail-stop.ts'
import { giveBack, type NotificationRow, takeDigest } from './notification-queries.ts'
import { excerptOf } from './notifications.ts'
import { whoMayOpen } from './people.ts'

export interface DigestDeps {
  db: Db
  access: BoardAccess
  mailer: Mailer
  /** How long comments are collected. */
  minutes: number
  secret: string
  publicUrl: string
  boardUrl(boardId: string): string
  log: Logger
}

const everyMs = 60_000
/** The most comments in one mail; the page shows the rest. */
const mostLines = 30

/** Runs every minute. `close` waits for the mail being sent. */
export class CommentMail {
  readonly #deps: DigestDeps
  readonly #timer: NodeJS.Timeout
  #sending: Promise<void> | null = null
  #isClosed = false

  constructor(deps: DigestDeps) {
    this.#deps = deps
    this.#timer = setInterval(() => void this.sendWaiting(), everyMs)
    this.#timer.unref()
  }

  /** Sends everything that is due. Does not throw: failed mails are retried. */
  sendWaiting(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null
    })
    return this.#sending
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    const { db, minutes, log } = this.#deps
    try {
      while (!this.#isClosed) {
        const digest = await takeDigest(db, minutes)
        if (digest === null) return
        try {
          await sendDigest(this.#deps, digest)
        } catch (error) {
          await giveBack(
            db,
            digest.rows.map(({ id }) => id),
          )
          throw error
        }
      }
    } catch (error) {
      log.warn({ err: error }, 'comments not mailed; trying again in a minute')
    }
  }
}

async function sendDigest(
  deps: DigestDeps,
  { userId, email, rows }: { userId: number; email: string; rows: NotificationRow[] },
): Promise<void> {
  const boardIds = [...new Set(rows.map((row) => row.board_id))]
  const open = new Set<string>()
  for (const boardId of boardIds)
    if ((await whoMayOpen(deps.access, boardId, [`user:${userId}`])).length > 0) open.add(boardId)
  const shown = rows.filter((row) => open.has(row.board_id))
  if (shown.length === 0) return
  const stopUrl = `${deps.publicUrl}/api/mail/stop?token=${stopTokenFor(deps.secret, userId)}`
  await deps.mailer.send({
    to: email,
    subject: subjectOf(shown),
    text: textOf(deps, shown, stopUrl),
    stopUrl,
  })
}

function subjectOf(rows: readonly NotificationRow[]): string {
  const [first] = rows
  const titles = new Set(rows.map((row) => row.board_id))
  if (first === undefined || titles.size > 1) return `${rows.length} new comments on ${titles.size} boards`
  if (rows.length > 1) return `${rows.length} new comments on ${first.board_title}`
  return first.kind === 'mention'
    ? `${first.author_name} mentioned you on ${first.board_title}`
    : `${first.author_name} replied on ${first.board_title}`
}

function textOf(deps: DigestDeps, rows: readonly NotificationRow[], stopUrl: string): string {
  const lines: string[] = []
  let board = ''
  for (const row of rows.slice(0, mostLines)) {
    if (row.board_id !== board) lines.push(row.board_title, '')
    board = row.board_id
    lines.push(
      `${row.author_name} ${row.kind === 'mention' ? 'mentioned you' : 'replied'}:`,
      `> ${excerptOf(row.body)}`,
      `${deps.boardUrl(row.board_id)}?thread=${row.thread_id}`,
      '',
    )
  }
  if (rows.length > mostLines) lines.push(`And ${rows.length - mostLines} more.`, '')
  lines.push('-- ', `Stop mails about comments: ${stopUrl}`)
  return lines.join('\n')
}
