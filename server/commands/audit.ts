// `boardroom audit …`: follow, export and verify the trail.
import { createWriteStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { AuditResponse } from '../../shared/api.ts'
import { exportAudit, exportFormats } from '../audit/export.ts'
import { followAudit } from '../audit/follow.ts'
import { verifyAudit } from '../audit/verify.ts'
import { openForLongWork } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import { type Command, type CommandContext, misuse } from './command.ts'
import { openForCommand } from './open.ts'

export const auditCommand: Command = {
  name: 'audit',
  usage: [
    'audit tail [--board ID]                                   what happens from now on, until Ctrl-C',
    'audit export [--format ndjson|csv] [--board ID] [--output FILE]',
    'audit verify [--heads FILE]                               names the first row that was changed, removed or left out',
  ],
  options: {
    board: { type: 'string' },
    format: { type: 'string' },
    output: { type: 'string' },
    heads: { type: 'string' },
  },
  async run(context, [verb], options) {
    const filter = typeof options.board === 'string' ? { board_id: boardIdOf(options.board) } : {}
    const format = exportFormats.find((candidate) => candidate === (options.format ?? 'ndjson'))
    if (format === undefined) throw misuse(auditCommand, `expected --format ${exportFormats.join(' or ')}`)
    if (verb === undefined || !['tail', 'export', 'verify'].includes(verb)) {
      throw misuse(auditCommand, verb === undefined ? 'what about the trail?' : `unknown word ${verb}`)
    }
    const stop = new AbortController()
    const { database, close } = await openForCommand(
      context,
      verb === 'tail' ? { onInterrupt: () => stop.abort() } : {},
    )
    const long = openForLongWork(database)
    try {
      if (verb === 'tail') {
        for await (const entry of followAudit(long, filter, { after: null, signal: stop.signal })) {
          if (entry !== null) context.print(context.json ? JSON.stringify(entry.row) : lineOf(entry.row))
        }
      } else if (verb === 'export') {
        const target =
          typeof options.output === 'string'
            ? createWriteStream(options.output, { mode: 0o600 })
            : process.stdout
        await pipeline(exportAudit(long, filter, { format }), target, { end: target !== process.stdout })
      } else {
        await verify(context, long, typeof options.heads === 'string' ? options.heads : undefined)
      }
    } finally {
      await long.close()
      await close()
    }
  },
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
    const against = heads === undefined ? 'no file of heads to compare with' : `agrees with ${heads}`
    context.print(`the trail is whole: ${result.rows} rows, ${result.erased} of them erased; ${against}`)
  }
  if (!result.ok)
    throw new BoardroomError(
      'conflict',
      `the trail was tampered with: ${result.firstProblem?.message ?? 'unknown problem'}`,
    )
}

const boardIdOf = (text: string): string => {
  if (/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)) return text
  throw misuse(auditCommand, `--board: expected the id of a board, got ${text}`)
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
