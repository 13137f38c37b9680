// `boardroom migrate …`: migrate the schema up or down, and create the database roles.
import { join, resolve } from 'node:path'
import { AuditChain } from '../audit/chain.ts'
import type { Database } from '../database/database.ts'
import { migrateDown, migrateUp, migrationStatus } from '../database/migrate.ts'
import { makeRoles } from '../database/roles.ts'
import { BoardroomError } from '../errors.ts'
import { type Command, type CommandContext, misuse, printRows } from './command.ts'
import { openForCommand } from './open.ts'

export const migrateCommand: Command = {
  name: 'migrate',
  usage: [
    'migrate up',
    'migrate down [N|all] [--yes]    reverts the newest N migrations (default 1) and drops the data in their tables; only while no server runs. --yes: also the trail',
    'migrate status',
    'migrate roles [--owner NAME] [--server NAME]    creates an owner of the tables, and a role for the server that cannot change the trail',
  ],
  words: { up: 1, down: 2, status: 1, roles: 1 },
  options: { owner: { type: 'string' }, server: { type: 'string' }, yes: { type: 'boolean' } },
  async run(context, [verb, count = '1'], options) {
    if (verb === undefined || !['up', 'down', 'status', 'roles'].includes(verb)) {
      throw misuse(migrateCommand, verb === undefined ? 'where to?' : `unknown word ${verb}`)
    }
    if (verb === 'down' && count !== 'all' && !/^[1-9]\d{0,3}$/.test(count)) {
      throw misuse(migrateCommand, `expected a number of migrations or all, got ${count}`)
    }
    const { database, close } = await openForCommand(context, { schema: 'any', alone: verb === 'down' })
    const onProgress = context.progress
    try {
      if (verb === 'up') {
        const applied = await migrateUp(database, { onProgress })
        context.print(applied.length === 0 ? 'nothing to do' : `migrated up: ${applied.join(', ')}`)
      } else if (verb === 'down') {
        await keepTrail(context, database, count, options.yes === true)
        const undone = await migrateDown(database, count === 'all' ? 'all' : Number(count), { onProgress })
        context.print(undone.length === 0 ? 'nothing to do' : `migrated down: ${undone.join(', ')}`)
      } else if (verb === 'status') {
        const states = await migrationStatus(database)
        printRows(
          context,
          states.map(({ name, appliedAt, isKnown }) => ({
            migration: name,
            applied_at: appliedAt,
            known: isKnown,
          })),
        )
      } else {
        const owner = typeof options.owner === 'string' ? options.owner : 'boardroom_owner'
        const server = typeof options.server === 'string' ? options.server : 'boardroom_server'
        await makeRoles(database, { owner, server })
        context.print(
          `roles made: ${owner} (migrations), ${server} (the server; give it a password and put it into DATABASE_URL)`,
        )
      }
    } finally {
      await close()
    }
  },
}

/** Steps that drop the trail, or what it is verified with, including everything recorded so far. */
const trailMigrations = ['0005-trail', '0007-chain']

/** The trail is dropped only on request and leaves its heads behind, so that an export can still be proven complete. */
async function keepTrail(
  context: CommandContext,
  database: Database,
  count: string,
  isMeant: boolean,
): Promise<void> {
  const applied = (await migrationStatus(database)).filter(({ appliedAt }) => appliedAt !== null)
  const steps = count === 'all' ? applied : applied.slice(-Number(count))
  if (!steps.some(({ name }) => trailMigrations.includes(name))) return
  if (!isMeant) {
    throw new BoardroomError(
      'conflict',
      `this drops the audit trail for good (${steps.length} of ${applied.length} migrations); save it first with \`boardroom audit export\`, then repeat with --yes`,
    )
  }
  const { auditHeadsFile, dataDir } = context.config
  const headsFile = auditHeadsFile ?? join(resolve(dataDir), 'audit-heads.ndjson')
  const chain = new AuditChain({ database, log: context.log, headsFile })
  await chain.close() // seals pending rows and writes the last head
  context.print(`the last head of the trail is in ${headsFile}`)
}
