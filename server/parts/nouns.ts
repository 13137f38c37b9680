// What the routes of boards, documents, comments and agents need from other parts, and their background work.
import type { Level } from '../../shared/levels.ts'
import { makeTicket } from '../accounts/tickets.ts'
import { backgrounds } from '../boards/background.ts'
import type { BoardsDeps } from '../boards/deps.ts'
import { RecordTexts } from '../boards/records/following.ts'
import { requireLevel, requireManage } from '../boards/require-level.ts'
import { everywhere } from '../cluster/everywhere.ts'
import type { CommentsDeps } from '../comments/deps.ts'
import { CommentMail } from '../comments/digest.ts'
import { copyThreads, threadsJson } from '../comments/export-queries.ts'
import { BoardroomError } from '../errors.ts'
import type { Mailer } from '../mail/mailer.ts'
import type { Identity } from '../principal.ts'
import { boardDocuments } from '../storage/board-documents.ts'
import type { StorageDeps } from '../storage/deps.ts'
import { copyDocument } from '../storage/documents.ts'
import { startWebhooks } from '../webhooks/start.ts'
import type { Given } from './given.ts'
import type { Live } from './live.ts'
import type { People } from './people.ts'
import type { Records } from './records.ts'

export type Nouns = Awaited<ReturnType<typeof openNouns>>

export async function openNouns(given: Given, records: Records, live: Live, people: People) {
  const { database, config, log, rates, opened, closing } = given
  const { db, schema } = database
  const { trail, worker, compaction, notifications, journal } = records
  const { access, consent, cluster, rooms } = live
  const { urlFor, guests, ticketKey } = people
  const boardUrl = (boardId: string, host: string | null) =>
    config.boardUrl?.replaceAll('{board_id}', boardId) ?? `${urlFor(host)}/b/${boardId}`

  const documents = boardDocuments({
    worker,
    config,
    edit: async (boardId, change, author) => {
      await rooms.applyAsServer(boardId, change, author)
    },
    document: (boardId) => rooms.document(boardId),
  })
  const recordTexts = new RecordTexts({ db, documents, log, closing })
  const boards: BoardsDeps = {
    ...{ db, schema, access, guests, documents, recordTexts, notifications, closing, log, boardUrl },
    publicBoards: config.publicBoards,
    instanceText: consent.text,
    consentUrl: consent.urlFor,
    audit: trail,
    limits: config,
    newGuests: rates.newGuests,
    failedGuesses: rates.failedLinks,
    makeTicket: async (identity, boardId) => (await makeTicket(ticketKey, identity, { boardId })).ticket,
    connections: everywhere(rooms, cluster),
    copyDocument: async (trx, from, to) => {
      await copyDocument(trx, from, to)
      await copyThreads(trx, from, to)
    },
  }

  const mayManage = (identity: Identity, boardId: string) =>
    requireManage(access, identity, boardId, { deleted: true })
  const needsLevel = async (
    identity: Identity,
    boardId: string,
    level: Level,
    { deleted = false }: { deleted?: boolean } = {},
  ) => {
    try {
      return await requireLevel(access, identity, boardId, level)
    } catch (error) {
      if (!deleted || !(error instanceof BoardroomError && error.code === 'board_deleted')) throw error
      return mayManage(identity, boardId)
    }
  }
  const storage: StorageDeps = {
    ...{ database, worker, trail, config },
    live: rooms,
    catchUp: (boardId) => compaction.catchUp(boardId),
    requireLevel: needsLevel,
    backgrounds: backgrounds(db, schema),
    threadsJson: (boardId) => threadsJson(db, boardId),
  }

  const mailer = await openMailer(given, urlFor(null))
  const comments: CommentsDeps = {
    ...{ db, schema, access, worker },
    audit: trail,
    live: rooms,
    limits: config,
    writes: rates.comments,
    mails: mailer !== null,
    secret: config.secret,
  }
  if (mailer !== null) {
    const mail = new CommentMail({
      ...{ db, access, mailer, log, secret: config.secret, publicUrl: urlFor(null) },
      minutes: config.mailDigestMinutes,
      boardUrl: (boardId) => boardUrl(boardId, null),
    })
    opened.add('mail of comments', () => mail.close())
  }
  const webhooks = startWebhooks({
    ...{ db, log, config, mailer, pace: given.webhookPace, waiting: records.waiting },
    publicUrl: urlFor(null),
  })
  opened.add('webhooks', () => webhooks.close())
  const agents = { db, access, trail, rooms, journal, comments, log, calls: rates.agentCalls }
  return { boards, storage, comments, agents, webhooks, mailer, recordTexts, needsLevel, mayManage }
}

async function openMailer({ config, opened }: Given, publicUrl: string): Promise<Mailer | null> {
  if (config.smtpUrl === undefined) return null
  const { createMailer } = await import('../mail/mailer.ts')
  const mailer = createMailer({ smtpUrl: config.smtpUrl, from: config.mailFrom ?? mailFromOf(publicUrl) })
  opened.add('mailer', () => mailer.close())
  return mailer
}

/** The default if the operator sets none: an address that at least names the server. */
const mailFromOf = (publicUrl: string): string => `Boardroom <boardroom@${new URL(publicUrl).hostname}>`
