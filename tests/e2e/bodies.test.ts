// Bodies from strangers: none is read before it is known that the sender may send one.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withMadeFolder } from '../helpers/command-line.ts'
import { startProgram } from '../helpers/program.ts'

const bodies = suite('request bodies')

const mebibyte = 1024 * 1024

/** The peak memory of the process, in bytes; null if the system does not report it. */
async function peakOf(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kib = /VmHWM:\s+(\d+) kB/.exec(status)?.[1]
  return kib === undefined ? null : Number(kib) * 1024
}

/**
 * Sends a body as fast as the server accepts it, up to `most` bytes or until it disconnects. @returns the first line
 * of its answer.
 */
function pour(port: number, head: string, chunked: boolean, most: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const piece = Buffer.alloc(64 * 1024, 0x20)
    const chunk = chunked
      ? Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
      : piece
    let answer = ''
    let sent = 0
    const more = (): void => {
      while (sent < most && !socket.destroyed) {
        sent += piece.length
        if (!socket.write(chunk)) return
      }
      socket.end(chunked ? '0\r\n\r\n' : '')
    }
    socket.setTimeout(20_000, () => socket.destroy())
    socket.on('data', (data) => {
      answer += data.toString('latin1')
    })
    socket.on('drain', more)
    socket.on('error', () => undefined) // the server may disconnect: the answer counts
    socket.on('close', () => resolve(answer.split('\r\n')[0] ?? ''))
    socket.on('connect', () => {
      socket.write(head)
      more()
    })
  })
}

bodies('from fifty strangers take no memory, whatever their length and headers', () =>
  withMadeFolder(async (folder) => {
    const program = await startProgram(folder)
    try {
      const { port, host } = new URL(program.origin)
      await fetch(`${program.origin}/api/me`)
      const idle = await peakOf(program.pid)
      const board = randomUUID()
      const routes = [
        `POST /api/boards/${board}/import`,
        `PUT /api/boards/${board}/files/${'0'.repeat(64)}`,
        `PUT /api/boards/${board}/thumbnail`,
        `POST /api/boards/${board}/permissions`,
        'POST /api/boards',
        'POST /api/auth/sign-in/email',
        'POST /api/share-links/exchange',
      ]
      const most = 20 * mebibyte
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => {
          const chunked = n % 2 === 1
          const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${most}`
          const head = `${routes[n % routes.length]} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${length}\r\nConnection: close\r\n\r\n`
          return pour(Number(port), head, chunked, most)
        }),
      )
      for (const answer of answers) assert.match(answer, /^(HTTP\/1\.1 4\d\d .*)?$/)
      const peak = await peakOf(program.pid)
      if (idle === null || peak === null) return
      assert.ok(peak - idle < 64 * mebibyte, `${Math.round((peak - idle) / mebibyte)} MiB more than idle`)
    } finally {
      await program.stop()
    }
  }),
)

bodies.run()
