// `boardroom board …`: list boards, export and import them as files, and rebuild those at their size limit.
import { randomBytes } from 'node:crypto'
import { basename, extname } from 'node:path'
import { AuditTrail } from '../audit/trail.ts'
import type { Boardroom } from '../boardroom.ts'
import { listAuthors } from '../boards/authors.ts'
import { type BoardQuestion, listBoardRows } from '../boards/board-list-queries.ts'
import { boardBackground, boardById } from '../boards/board-queries.ts'
import { granteesByEmail } from '../boards/permission-queries.ts'
import { threadsJson } from '../comments/export-queries.ts'
import { DocumentWorker } from '../documents/document-worker.ts'
import { BoardroomError } from '../errors.ts'
import { renderedAs, withThreads } from '../storage/documents.ts'
import { withImages } from '../storage/files/files.ts'
import { PostgresUpdateLog } from '../storage/log/update-log.ts'
import { rebuildBoard } from '../storage/rebuild.ts'
import { contentOf, formatNames, formatOfFile, writeNew } from './board-files.ts'
import {
  type Command,
  type CommandContext,
  type CommandOptions,
  commandLineActor,
  misuse,
  printRows,
  textOption,
} from './command.ts'
import { type Connected, openForCommand } from './open.ts'

const actor = commandLineActor()
export const boardCommand: Command = {
  name: 'board',
  usage: [
    'board list [--deleted]',
    'board export ID [--format excalidraw|yjs|json] [--output FILE]   to standard output by default',
    'board import FILE [--title T] [--owner EMAIL]                    creates a board; also while a server runs',
    'board import FILE --board ID                                     imports into a board; only while no server runs',
    'board authors ID                                                 who edited it, under which Yjs client ids',
    'board rebuild ID                                                 keeps the content and drops its history; only while no server runs',
  ],
  words: { list: 1, export: 2, import: 2, rebuild: 2 },
  options: {
    deleted: { type: 'boolean' },
    format: { type: 'string' },
    output: { type: 'string' },
    title: { type: 'string' },
    owner: { type: 'string' },
    board: { type: 'string' },
  },
  async run(context, [verb, word], options) {
    switch (verb) {
      case 'list':
        return list(context, options.deleted === true)
      case 'export':
        return exportBoard(context, idOf(word), options)
      case 'import':
        if (word === undefined) throw misuse(boardCommand, 'which file?')
        return importFile(context, word, options)
      case 'authors':
        return listBoardAuthors(context, idOf(word))
      case 'rebuild':
        return rebuild(context, idOf(word))
      default:
        throw misuse(boardCommand, verb === undefined ? 'a verb is missing' : `unknown word ${verb}`)
    }
  },
}

const idOf = (text: string | undefined): string => {
  if (text !== undefined && /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text))
    return text.toLowerCase()
  throw misuse(
    boardCommand,
    text === undefined ? 'the id of the board is missing' : `expected the id of a board, got ${text}`,
  )
}

async function list(context: CommandContext, deleted: boolean): Promise<void> {
  const { database, close } = await openForCommand(context)
  try {
    const question: BoardQuestion = {
      userId: null,
      guestId: null,
      scope: 'instance',
      deleted,
      q: undefined,
      sort: 'updated',
    }
    const pageSize = 1000
    let after: { key: string; id: string } | null = null
    for (;;) {
      const rows: Awaited<ReturnType<typeof listBoardRows>> = await listBoardRows(
        database.db,
        question,
        after,
        pageSize,
      )
      printRows(
        context,
        rows.map(({ id, title, owner_name, is_public, members_level, updated_at }) => ({
          id,
          title,
          owner_name,
          is_public,
          members_level,
          updated_at,
        })),
      )
      const last = rows.at(-1)
      if (rows.length < pageSize || last === undefined) return
      after = { key: last.key, id: last.id }
    }
  } finally {
    await close()
  }
}

async function listBoardAuthors(context: CommandContext, boardId: string): Promise<void> {
  const { database, close } = await openForCommand(context)
  try {
    if ((await boardById(database.db, boardId)) === undefined) throw noBoard()
    for (let cursor: string | undefined; ; ) {
      const page = await listAuthors(database, boardId, { limit: 1000, cursor })
      const rows = page.items.map(({ principal, client_ids, first_written_at, latest_client_at }) => ({
        who: principal.id ?? principal.kind,
        name: principal.name,
        first_written_at,
        latest_client_at,
        client_ids: context.json ? client_ids : client_ids.length,
      }))
      printRows(context, rows)
      if (page.next_cursor === null) return
      cursor = page.next_cursor
    }
  } finally {
    await close()
  }
}

async function exportBoard(context: CommandContext, boardId: string, options: CommandOptions): Promise<void> {
  const name = options.format ?? 'excalidraw'
  const format = Object.entries(formatNames).find(([known]) => known === name)?.[1]
  if (format === undefined)
    throw misuse(
      boardCommand,
      `expected --format ${Object.keys(formatNames).join(', ')}, got ${String(name)}`,
    )
  await withBoard(context, boardId, { alone: false }, async ({ database, worker, trail }) => {
    // Reads only what is committed, also while a server has the board open.
    const ignored = { opened: () => undefined, grew: () => undefined, idle: () => undefined }
    const log = new PostgresUpdateLog({ database, log: context.log, keeper: ignored })
    const state = await worker.foldStored(await log.load(boardId))
    const rendered = await renderedAs({ worker }, state, format)
    const body =
      format === formatNames.excalidraw
        ? await withImages(database, boardId, rendered, await boardBackground(database.db, boardId))
        : format === formatNames.json
          ? withThreads(rendered, await threadsJson(database.db, boardId))
          : rendered
    await trail.record({ action: 'export', actor, boardId, resourceType: 'document', details: { format } })
    const output = textOption(options, 'output')
    if (output === undefined)
      await new Promise<void>((resolve) => process.stdout.write(body, () => resolve()))
    else await writeNew(output, body)
  })
}

async function importFile(context: CommandContext, path: string, options: CommandOptions): Promise<void> {
  const into = options.board === undefined ? null : idOf(textOption(options, 'board'))
  if (into !== null && (options.title !== undefined || options.owner !== undefined)) {
    throw misuse(
      boardCommand,
      '--title and --owner only apply to a new board; leave out --board to create one',
    )
  }
  const body = await contentOf(path, 4 * context.config.maxBoardBytes)
  const format = formatOfFile(path, body)
  const connected = await openForCommand(context, { alone: into !== null, recorded: true })
  try {
    const owner = textOption(options, 'owner')
    const ownerId = owner === undefined ? undefined : await userIdOf(connected, owner)
    const title =
      (textOption(options, 'title') ?? basename(path, extname(path))).slice(0, 200).trim() || 'Untitled Board'
    if (into !== null && (await boardById(connected.database.db, into)) === undefined) throw noBoard()
    const boardroom = await boardroomFor(context, connected)
    connected.onClose(() => boardroom.close({ drainMs: 0 }))
    const boardId =
      into ?? (await boardroom.boards.create({ title, ...(ownerId === undefined ? {} : { owner: ownerId }) }))
    const { left_out, ...summary } = await boardroom.documents
      .import(boardId, { format, body }, ownerId)
      .catch(async (error: unknown) => {
        if (into === null) {
          await boardroom.boards.delete(boardId)
          await boardroom.boards.purge(boardId)
        }
        throw error
      })
    if (context.json) return context.print(JSON.stringify({ id: boardId, ...summary, left_out }))
    printRows(context, [{ id: boardId, ...summary }])
    for (const { id, type, reason } of left_out)
      context.print(`left out: ${type || 'element'} ${id}: ${reason}`)
  } finally {
    await connected.close()
  }
}

async function userIdOf({ database }: Connected, email: string): Promise<number> {
  const [user] = await granteesByEmail(database.db, email.toLowerCase())
  if (user === undefined)
    throw new BoardroomError(
      'not_found',
      `no user has the e-mail address ${email}; list them with: boardroom user list`,
    )
  return user.id
}

/** Nothing that it signs outlives it. Loaded here because loading it all takes longer than most commands run. */
async function boardroomFor({ config, log }: CommandContext, { database }: Connected): Promise<Boardroom> {
  const { createBoardroom } = await import('../boardroom.ts')
  return createBoardroom({
    ...config,
    database,
    secret: randomBytes(32).toString('base64url'),
    logger: log,
    migrate: false,
  })
}

async function rebuild(context: CommandContext, boardId: string): Promise<void> {
  await withBoard(context, boardId, { alone: true }, async (parts) => {
    const summary = await rebuildBoard(parts, boardId, actor)
    if (context.json) return context.print(JSON.stringify({ id: boardId, ...summary }))
    const { bytes_before, bytes_after, forgotten_elements } = summary
    context.print(
      `rebuilt: ${bytes_before} bytes became ${bytes_after}; ${forgotten_elements} deleted elements were removed for good`,
    )
    context.print(
      'the old content is kept as the version "Before the rebuild"; people who had the board open must reload the page',
    )
  })
}

interface Parts {
  database: Connected['database']
  worker: DocumentWorker
  trail: AuditTrail
}

async function withBoard(
  context: CommandContext,
  boardId: string,
  needs: { alone: boolean },
  work: (parts: Parts) => Promise<void>,
): Promise<void> {
  const { database, close } = await openForCommand(context, { ...needs, recorded: true })
  const worker = new DocumentWorker({ log: context.log, timeoutMs: 60 * 60_000 })
  const trail = new AuditTrail({ database, log: context.log, serverId: 'command line' })
  try {
    if ((await boardById(database.db, boardId)) === undefined) throw noBoard()
    await work({ database, worker, trail })
  } finally {
    await trail.close()
    await worker.close()
    await close()
  }
}

const noBoard = () =>
  new BoardroomError('not_found', 'there is no such board; list them with: boardroom board list')
