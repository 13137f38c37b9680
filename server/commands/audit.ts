// `boardroom audit …`: follow, export and verify the trail, and remove what may be removed from it.
import { createWriteStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { AuditResponse } from '../../shared/api.ts'
import { userIdByEmail } from '../accounts/queries.ts'
import { transactionAs } from '../audit/actor.ts'
import { exportAudit, exportFormats } from '../audit/export.ts'
import { followAudit } from '../audit/follow.ts'
import { sealAudit } from '../audit/queries.ts'
import { dropAuditMonths, eraseAudit } from '../audit/retention-queries.ts'
import { type AuditProblem, verifyAudit, verifyConnections } from '../audit/verify.ts'
import { eraseNames } from '../comments/export-queries.ts'
import { type Database, openForLongWork } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import {
  type Command,
  type CommandContext,
  type CommandOptions,
  commandLineActor,
  misuse,
  textOption,
} from './command.ts'
import { openForCommand } from './open.ts'

const actor = commandLineActor()
/** The minimum that the schema's function enforces. */
const leastDays = 90

export const auditCommand: Command = {
  name: 'audit',
  usage: [
    'audit tail [--board ID]                                   shows new events until Ctrl-C',
    'audit export [--format ndjson|csv] [--board ID] [--output FILE]',
    'audit erase --user EMAIL|--guest ID                       removes the personal values of one person from the trail, and their name from comments',
    'audit retention --keep 90d                                drops whole months that ended longer ago; at least 90 days',
    'audit verify [--heads FILE]                               verifies the chain, and names the first row that was changed, removed or left out',
  ],
  words: 1,
  options: {
    board: { type: 'string' },
    format: { type: 'string' },
    output: { type: 'string' },
    heads: { type: 'string' },
    user: { type: 'string' },
    guest: { type: 'string' },
    keep: { type: 'string' },
  },
  async run(context, [verb], options) {
    // Wrong arguments are reported before a database is opened.
    const work = workOf(context, verb, options)
    const stop = new AbortController()
    const { database, close, onClose } = await openForCommand(
      context,
      verb === 'tail'
        ? { onInterrupt: () => stop.abort() }
        : { recorded: verb === 'erase' || verb === 'retention' },
    )
    try {
      const long = openForLongWork(database, verb === 'verify' ? verifyConnections : 1)
      onClose(() => long.close())
      await work(long, stop.signal)
    } finally {
      await close()
    }
  },
}

type Work = (database: Database, signal: AbortSignal) => Promise<void>

function workOf(context: CommandContext, verb: string | undefined, options: CommandOptions): Work {
  const board = textOption(options, 'board')
  const filter = board === undefined ? {} : { board_id: uuidOf('--board', board) }
  switch (verb) {
    case 'tail':
      return async (database, signal) => {
        for await (const entry of followAudit(database, filter, { after: null, signal })) {
          if (entry !== null) context.print(context.json ? JSON.stringify(entry.row) : lineOf(entry.row))
        }
      }
    case 'export': {
      const format = exportFormats.find((candidate) => candidate === (options.format ?? 'ndjson'))
      if (format === undefined) throw misuse(auditCommand, `expected --format ${exportFormats.join(' or ')}`)
      const output = textOption(options, 'output')
      return async (database) => {
        const target = output === undefined ? process.stdout : createWriteStream(output, { mode: 0o600 })
        await pipeline(exportAudit(database, filter, { format }), target, { end: target !== process.stdout })
      }
    }
    case 'verify':
      return (database) => verify(context, database, textOption(options, 'heads'))
    case 'erase':
      return erasure(context, textOption(options, 'user'), textOption(options, 'guest'))
    case 'retention': {
      const days = /^(\d{1,5})d$/.exec(textOption(options, 'keep') ?? '')?.[1]
      if (days === undefined || Number(days) < leastDays) {
        throw misuse(auditCommand, `expected --keep DAYSd, at least ${leastDays}d`)
      }
      return async (database) => {
        while (((await sealAudit(database, 1000)) ?? 0) > 0); // a month goes only when it is in the chain
        const months = await transactionAs(database.db, actor, (trx) =>
          dropAuditMonths(trx, database.schema, Number(days)),
        )
        context.print(context.json ? JSON.stringify({ months }) : `${months} months were dropped`)
      }
    }
    default:
      throw misuse(auditCommand, verb === undefined ? 'a verb is missing' : `unknown word ${verb}`)
  }
}

function erasure(context: CommandContext, email: string | undefined, guest: string | undefined): Work {
  if ((email === undefined) === (guest === undefined)) {
    throw misuse(auditCommand, 'expected --user EMAIL or --guest ID')
  }
  const guestId = guest === undefined ? null : uuidOf('--guest', guest)
  return async ({ db, schema }) => {
    const userId = email === undefined ? null : await userIdByEmail(db, email)
    if (email !== undefined && userId === null) {
      throw new BoardroomError(
        'not_found',
        'no user has this e-mail address; list them with: boardroom user list',
      )
    }
    const subject = userId === null ? { guestId: guestId ?? '' } : { userId }
    const rows = await transactionAs(db, actor, async (trx) => {
      await eraseNames(trx, userId === null ? `guest:${guestId}` : `user:${userId}`)
      return eraseAudit(trx, schema, subject)
    })
    context.print(
      context.json ? JSON.stringify({ rows }) : `${rows} rows of the trail no longer contain personal values`,
    )
  }
}

async function verify(
  context: CommandContext,
  database: Parameters<typeof verifyAudit>[0],
  given: string | undefined,
): Promise<void> {
  const usual = context.config.auditHeadsFile ?? join(resolve(context.config.dataDir), 'audit-heads.ndjson')
  const heads =
    given ??
    (await access(usual).then(
      () => usual,
      () => undefined,
    ))
  const result = await verifyAudit(database, {
    ...(heads === undefined ? {} : { heads }),
    onProgress: (checked, total) => context.progress(`checked ${checked} of ${total} entries`),
  })
  if (process.stderr.isTTY) process.stderr.write('\n')
  if (context.json) context.print(JSON.stringify(result))
  else if (result.ok) {
    const against = heads === undefined ? 'there is no file of heads to compare with' : `agrees with ${heads}`
    context.print(`the trail is whole: ${result.rows} rows, ${result.erased} of them erased; ${against}`)
  }
  if (!result.ok)
    throw new BoardroomError('conflict', `the trail was tampered with: ${sentenceOf(result.firstProblem)}`)
}

/** What is wrong, and where: the entry of the chain, the row, or both. */
const sentenceOf = (problem: AuditProblem | undefined): string => {
  if (problem === undefined) return 'unknown problem'
  const { message, seq, timestamp, id } = problem
  const places = [
    ...(seq === null ? [] : [`entry ${seq} of the chain`]),
    ...(id === null ? [] : [`row ${id} of ${timestamp}`]),
  ]
  return `${message} (${places.join(', ')})`
}

const uuidOf = (option: string, text: string): string => {
  if (/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)) return text
  throw misuse(auditCommand, `${option}: expected an id, got ${text}`)
}

const lineOf = (row: AuditResponse): string =>
  [
    row.timestamp,
    row.action,
    row.actor_name ?? row.actor_kind,
    row.permission_level ?? '',
    row.board_id ?? '',
    row.ip_address ?? '',
  ]
    .filter((part) => part !== '')
    .join('  ')
