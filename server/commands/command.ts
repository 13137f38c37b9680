// What a command of the program is, and what it receives.
import { userInfo } from 'node:os'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { BoardroomError } from '../errors.ts'
import { type Actor, systemActor } from '../principal.ts'

export interface CommandContext {
  config: Config
  log: Logger
  /** `--json`: answer with one JSON value a line. */
  json: boolean
  env: NodeJS.ProcessEnv
  print(line: string): void
  /** The progress of long work. */
  progress(text: string): void
}

export type CommandOptions = Record<string, string | boolean | undefined>

export interface Command {
  name: string
  /** One line per form, without the program's name. */
  usage: readonly string[]
  /** How many words may follow, per first word or the same for all: an extra word is an error and is not ignored. */
  words: number | Readonly<Record<string, number>>
  /** Options beside the settings. */
  options: Record<string, { type: 'string' | 'boolean' }>
  run(context: CommandContext, positionals: readonly string[], options: CommandOptions): Promise<void>
}

/** The error for words that a command does not know, with the command's usage. */
export const misuse = (command: Pick<Command, 'name' | 'usage'>, problem: string): BoardroomError =>
  new BoardroomError(
    'invalid_config',
    [`${command.name}: ${problem}; usage:`, ...command.usage.map((line) => `  boardroom ${line}`)].join('\n'),
  )

/** @throws BoardroomError invalid_config for words that the command would ignore. */
export function refuseExtraWords(command: Command, positionals: readonly string[]): void {
  const most = typeof command.words === 'number' ? command.words : command.words[positionals[0] ?? '']
  if (most !== undefined && positionals.length > most)
    throw misuse(command, `unexpected argument ${positionals[most]}`)
}

/** A text option, if given. */
export const textOption = (options: CommandOptions, name: string): string | undefined => {
  const value = options[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A required text option. */
export const needed = (
  command: Pick<Command, 'name' | 'usage'>,
  options: CommandOptions,
  name: string,
): string => {
  const value = textOption(options, name)
  if (value !== undefined) return value
  throw misuse(command, `--${name} is required`)
}

/** Rows as JSON lines, or as columns under their names. */
export function printRows(context: CommandContext, rows: readonly Record<string, unknown>[]): void {
  if (context.json) {
    for (const row of rows) context.print(JSON.stringify(row))
    return
  }
  const names = Object.keys(rows[0] ?? {})
  const text = (value: unknown): string =>
    value === null || value === undefined ? '-' : value instanceof Date ? value.toISOString() : String(value)
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => text(row[name]).length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  if (names.length > 0) context.print(line(names))
  for (const row of rows) context.print(line(names.map((name) => text(row[name]))))
}

/** The person at the terminal, by their operating-system user name. */
export const commandLineActor = (): Actor => ({ ...systemActor, name: `command line: ${systemUserName()}` })

function systemUserName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown') // a container's user may have no name
  }
}
