// The program: argv, environment, log, signals and exit code live here and in commands/, nowhere else.
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { type Command, refuseExtraWords } from './commands/command.ts'
import { fields, flagOf, readConfig } from './config.ts'
import { didYouMean } from './did-you-mean.ts'
import { BoardroomError } from './errors.ts'
import { readVersion } from './version.ts'

/** Loaded on demand, so that no command waits for modules that it does not use. */
const commands: Record<string, () => Promise<Command>> = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  migrate: async () => (await import('./commands/migrate.ts')).migrateCommand,
  user: async () => (await import('./commands/user.ts')).userCommand,
  person: async () => (await import('./commands/person.ts')).personCommand,
  audit: async () => (await import('./commands/audit.ts')).auditCommand,
  retention: async () => (await import('./commands/retention.ts')).retentionCommand,
  board: async () => (await import('./commands/board.ts')).boardCommand,
  backup: async () => (await import('./commands/backup.ts')).backupCommand,
  restore: async () => (await import('./commands/backup.ts')).restoreCommand,
  database: async () => (await import('./commands/database.ts')).databaseCommand,
  seed: async () => (await import('./commands/seed.ts')).seedCommand,
}

const usage = async (): Promise<string> => {
  const all = await Promise.all(Object.values(commands).map((load) => load()))
  return [
    'usage: boardroom <command> [options]',
    '',
    ...all.flatMap((command) => command.usage.map((line) => `  boardroom ${line}`)),
    '',
    '  --json    machine-readable output, where a command supports it',
    '  --help    this, and with a command its own options',
    '',
    'Every setting of .env.example is an option too: BOARDROOM_DATA_DIR is --data-dir. An option overrides the environment.',
  ].join('\n')
}

const settingsUsage = (): string =>
  Object.entries(fields)
    .map(([name, field]) => `  ${flagOf(name).padEnd(44)}${field.description ?? ''}`)
    .join('\n')

async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [name = 'help', ...rest] = argv
  if (['help', '--help', '-h'].includes(name)) return print(await usage())
  if (['version', '--version', '-v'].includes(name)) {
    return print(readVersion())
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load === undefined) {
    throw new BoardroomError(
      'invalid_config',
      `unknown command ${name}${didYouMean(name, Object.keys(commands))}; boardroom --help lists them`,
    )
  }
  const command = await load()
  const { positionals, options, settings } = parse(rest, command)
  if (options.help)
    return print(`${command.usage.map((line) => `boardroom ${line}`).join('\n')}\n\n${settingsUsage()}`)
  refuseExtraWords(command, positionals)
  const config = readConfig(env, settings)
  const json = options.json === true
  const isTold = settings['log-level'] !== undefined || env.BOARDROOM_LOG_LEVEL !== undefined
  // The person at the terminal sees the output, so the log need not repeat what succeeded.
  const level = name === 'serve' || isTold ? config.logLevel : 'warn'
  const log = pino({ level, base: null }, pino.destination({ dest: 2, sync: true }))
  await command.run(
    { config, log, json, env, print, progress: progressTo(process.stderr) },
    positionals,
    options,
  )
}

interface Parsed {
  positionals: string[]
  options: Record<string, string | boolean | undefined>
  settings: Record<string, string>
}

function parse(args: readonly string[], command: Command): Parsed {
  const settingFlags = Object.keys(fields).map((name) => flagOf(name).slice(2))
  const own: Record<string, { type: 'string' | 'boolean' }> = {
    ...command.options,
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  }
  const known = {
    ...Object.fromEntries(settingFlags.map((flag) => [flag, { type: 'string' as const }])),
    ...own,
  }
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: known,
    strict: false,
    tokens: true,
    allowPositionals: true,
  })
  const parsed: Parsed = { positionals, options: {}, settings: {} }
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = known[token.name]
    if (option === undefined) {
      const hint = didYouMean(token.name, Object.keys(known), '--')
      throw new BoardroomError(
        'invalid_config',
        `unknown option ${token.rawName}${hint || '; --help after the command lists them'}`,
      )
    }
    if (option.type === 'string' && token.value === undefined) {
      throw new BoardroomError('invalid_config', `${token.rawName} needs a value: ${token.rawName} VALUE`)
    }
    if (own[token.name] !== undefined) parsed.options[token.name] = token.value ?? true
    else parsed.settings[token.name] = token.value ?? ''
  }
  return parsed
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Progress of long work: one line rewritten in a terminal, a line every few seconds elsewhere. */
function progressTo(stream: NodeJS.WriteStream): (text: string) => void {
  let printedAt = 0
  return (text) => {
    if (stream.isTTY) stream.write(`\r\u001B[K${text}`)
    else if (Date.now() - printedAt >= 2000) {
      printedAt = Date.now()
      stream.write(`${text}\n`)
    }
  }
}

/** The error message for the terminal; with a stack trace only for unexpected errors. */
function sentenceOf(error: unknown): string {
  if (error instanceof BoardroomError) return error.message
  if (!(error instanceof Error)) return `unexpected failure: ${String(error)}`
  const { code, path } = error as NodeJS.ErrnoException // fields that Node and pg add to their errors
  if (code === '42501')
    return `${error.message}: the database role is not allowed to do this; run it with the DATABASE_URL of the tables' owner`
  if (path !== undefined) return `cannot use ${path}: ${error.message}`
  return `unexpected failure: ${error.stack ?? error.message}`
}

try {
  process.loadEnvFile('.env') // does not overwrite what is already set in the environment
} catch {
  // no such file: there is nothing to add
}

// The reader of our output may stop early: boardroom audit export | head
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

// Nothing open here keeps the process alive, and exiting in the middle of closing would look like success.
const untilDone = setInterval(() => undefined, 60_000)

main(process.argv.slice(2), process.env).then(
  // Commands end once nothing is open; `serve` is held by its listener.
  () => clearInterval(untilDone),
  (error: unknown) => {
    process.stderr.write(`boardroom: ${sentenceOf(error)}\n`)
    process.exit(1)
  },
)
