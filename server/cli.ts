// The program: argv, environment, log, signals and exit code live here and in commands/, nowhere else.
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { auditCommand } from './commands/audit.ts'
import type { Command } from './commands/command.ts'
import { databaseCommand } from './commands/database.ts'
import { migrateCommand } from './commands/migrate.ts'
import { serveCommand } from './commands/serve.ts'
import { userCommand } from './commands/user.ts'
import { fields, flagOf, nearest, readConfig } from './config.ts'
import { BoardroomError } from './errors.ts'
import { readVersion } from './version.ts'

const commands: readonly Command[] = [
  serveCommand,
  migrateCommand,
  userCommand,
  auditCommand,
  databaseCommand,
]

const usage = (): string =>
  [
    'usage: boardroom <command> [options]',
    '',
    ...commands.flatMap((command) => command.usage.map((line) => `  boardroom ${line}`)),
    '',
    '  --json    answers for machines, where a command answers',
    '  --help    this, and with a command its own options',
    '',
    'Every setting of .env.example is an option too: BOARDROOM_DATA_DIR is --data-dir. An option beats the environment.',
  ].join('\n')

const settingsUsage = (): string =>
  Object.entries(fields)
    .map(([name, field]) => `  ${flagOf(name).padEnd(44)}${field.description ?? ''}`)
    .join('\n')

async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [name = 'help', ...rest] = argv
  if (['help', '--help', '-h'].includes(name)) return print(usage())
  if (['version', '--version', '-v'].includes(name)) {
    return print(readVersion())
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) {
    const close = nearest(
      name,
      commands.map((candidate) => candidate.name),
    )
    throw new BoardroomError(
      'invalid_config',
      `unknown command ${name}; did you mean ${close}? boardroom --help lists them`,
    )
  }
  const { positionals, options, settings } = parse(rest, command)
  if (options.help)
    return print(`${command.usage.map((line) => `boardroom ${line}`).join('\n')}\n\n${settingsUsage()}`)
  const config = readConfig(env, settings)
  const json = options.json === true
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
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
      const close = nearest(token.name, Object.keys(known))
      throw new BoardroomError('invalid_config', `unknown option ${token.rawName}; did you mean --${close}?`)
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

try {
  process.loadEnvFile('.env') // what the environment has already is not overwritten
} catch {
  // no such file: nothing to add
}

main(process.argv.slice(2), process.env).then(
  () => {
    // Commands end by themselves once nothing is open; `serve` is held by its listener.
  },
  (error: unknown) => {
    if (error instanceof BoardroomError) process.stderr.write(`boardroom: ${error.message}\n`)
    else
      process.stderr.write(
        `boardroom: unexpected failure: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      )
    process.exit(1)
  },
)
