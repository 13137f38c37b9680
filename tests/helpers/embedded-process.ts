// A process that holds an embedded database, so that a test can kill it: node embedded-process.js DATA_DIR PURPOSE
// [USER]. Prints one line of JSON, {ready: {url, adopted}} or {refused: {code, message}}; stops cleanly on SIGTERM.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { startEmbedded } from '../../server/database/embedded.ts'
import { BoardroomError } from '../../server/errors.ts'

const thisFile = fileURLToPath(import.meta.url)

export type Report =
  | { ready: { url: string; adopted: boolean }; refused?: undefined }
  | { ready?: undefined; refused: { code: string; message: string } }

export interface EmbeddedProcess {
  child: ChildProcess
  report: Report
  /** Stops it, cleanly by default, and waits until it has ended. */
  end(signal?: NodeJS.Signals): Promise<void>
}

/** @param asUser the user and group ids of another account to switch to, for root only. */
export async function startEmbeddedProcess(
  dataDir: string,
  purpose: 'server' | 'command' = 'server',
  asUser?: { uid: number; gid: number },
): Promise<EmbeddedProcess> {
  const account = asUser === undefined ? [] : [String(asUser.uid), String(asUser.gid)]
  const child = spawn(process.execPath, [thisFile, dataDir, purpose, ...account], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), exited])) as [unknown]
  if (typeof line !== 'string') throw new Error(`the process ended without a word: ${String(line)}`)
  return {
    child,
    report: JSON.parse(line) as Report, // printed below
    end: async (signal = 'SIGTERM') => {
      child.kill(signal)
      await exited
    },
  }
}

if (process.argv[1] === thisFile) {
  const [dataDir = '', purpose, uid, gid] = process.argv.slice(2)
  if (uid !== undefined && gid !== undefined) {
    process.setgroups?.([])
    process.setgid?.(Number(gid))
    process.setuid?.(Number(uid))
  }
  const say = (report: Report) => process.stdout.write(`${JSON.stringify(report)}\n`)
  try {
    const embedded = await startEmbedded({
      dataDir,
      purpose: purpose === 'command' ? 'command' : 'server',
      log: pino({ level: 'silent' }),
    })
    const alive = setInterval(() => undefined, 60_000)
    process.once('SIGTERM', () => {
      clearInterval(alive)
      void embedded.stop()
    })
    say({ ready: { url: embedded.url, adopted: embedded.adopted } })
  } catch (error) {
    if (!(error instanceof BoardroomError)) throw error
    say({ refused: { code: error.code, message: error.message } })
  }
}
