// A real Caddy in front of several nodes, exactly as docs/proxy.md shows it except for the addresses.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'

export const findCaddy = (): string | null =>
  (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'caddy'))
    .find((file) => existsSync(file)) ?? null

export async function withCaddyBalancing(
  ports: readonly number[],
  work: (caddy: { origin: string }) => Promise<void>,
): Promise<void> {
  const shown = /## Several nodes[\s\S]*?```\n(boards\.example\.org \{[\s\S]*?)```/.exec(
    await readFile('docs/proxy.md', 'utf8'),
  )?.[1]
  if (shown === undefined) throw new Error('docs/proxy.md shows no Caddy for several nodes')
  const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-caddy-'))
  const origin = `http://127.0.0.1:${await freePort()}`
  const servers = ports.map((port) => `127.0.0.1:${port}`).join(' ')
  const file = path.join(folder, 'Caddyfile')
  await writeFile(
    file,
    `{\n  admin off\n}\n${shown.replace('boards.example.org', origin).replace(/10\.[\d.:]+ 10\.[\d.:]+/, servers)}`,
  )
  const child = spawn(findCaddy() ?? 'caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    stdio: 'ignore',
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  })
  const exited = once(child, 'exit')
  try {
    await eventually(async () => (await fetch(`${origin}/healthz`)).ok)
    await work({ origin })
  } finally {
    child.kill('SIGTERM')
    await exited
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
