// A real nginx in front of a server, in the configuration that is hardest on event streams: it would compress them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'

export interface Nginx {
  /** As docs/proxy.md shows it: HTTP/1.1 to the server, upgrades forwarded. */
  origin: string
  /** nginx's defaults: HTTP/1.0 to the server, and no header added. */
  plainOrigin: string
}

export const findNginx = (): string | null =>
  [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin']
    .map((folder) => path.join(folder, 'nginx'))
    .find((file) => existsSync(file)) ?? null

/** @param port of the server, on this machine */
export const withNginx = (port: number, work: (nginx: Nginx) => Promise<void>): Promise<void> =>
  withConfiguration(({ folder, ours, plain }) => configuration({ folder, port, ours, plain }), work)

/** Exactly as docs/proxy.md shows it for several nodes, except for the addresses. */
export async function withNginxBalancing(
  ports: readonly number[],
  work: (nginx: Pick<Nginx, 'origin'>) => Promise<void>,
): Promise<void> {
  const shown = /## Several nodes[\s\S]*?```nginx\n([\s\S]*?)```/.exec(
    await readFile('docs/proxy.md', 'utf8'),
  )?.[1]
  if (shown === undefined) throw new Error('docs/proxy.md shows no nginx for several nodes')
  const servers = ports.map((port) => `server 127.0.0.1:${port};`).join('\n')
  await withConfiguration(
    ({ folder, ours }) =>
      inHttp(
        folder,
        shown
          .replace(/(?:\s*server 10\.[\d.:]+;)+/, `\n${servers}`)
          .replace('listen 443 ssl;', `listen 127.0.0.1:${ours};`),
      ),
    work,
  )
}

async function withConfiguration(
  configured: (ports: Omit<Ports, 'port'>) => string,
  work: (nginx: Nginx) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-nginx-'))
  await chmod(folder, 0o755) // as root, its workers run as another account
  const [ours, plain] = [await freePort(), await freePort()]
  await writeFile(path.join(folder, 'nginx.conf'), configured({ folder, ours, plain }))
  const child = spawn(
    findNginx() ?? 'nginx',
    ['-p', folder, '-e', path.join(folder, 'error.log'), '-c', path.join(folder, 'nginx.conf')],
    { stdio: 'ignore' },
  )
  const exited = once(child, 'exit')
  const nginx = { origin: `http://127.0.0.1:${ours}`, plainOrigin: `http://127.0.0.1:${plain}` }
  try {
    await eventually(async () => (await fetch(`${nginx.origin}/healthz`)).ok)
    await work(nginx)
  } finally {
    child.kill('SIGTERM')
    await exited
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

interface Ports {
  folder: string
  port: number
  ours: number
  plain: number
}

const inHttp = (folder: string, servers: string): string => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`).join(' ')}
  ${servers}
}
`

const configuration = ({ folder, port, ours, plain }: Ports): string =>
  inHttp(
    folder,
    `
  gzip on;
  gzip_types text/event-stream application/json;
  gzip_proxied any;
  gzip_min_length 0;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 127.0.0.1:${ours};
    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 60s;
    }
  }
  server {
    listen 127.0.0.1:${plain};
    location / { proxy_pass http://127.0.0.1:${port}; }
  }`,
  )
