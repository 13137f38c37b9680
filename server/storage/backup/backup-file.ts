// The backup file: gzipped frames of [type u8][length u32][payload]. A header, then for each table its name, its rows in
// COPY format and a checksum; and an end frame, without which the file is truncated.
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'
import { BoardroomError } from '../../errors.ts'

export const formatVersion = 1

export const Header = z.object({
  product: z.literal('boardroom-backup'),
  format: z.int(),
  /** The names of the applied migrations, in order. */
  migrations: z.array(z.string()),
  created_at: z.string(),
  /** Of the trail, with their bounds as Postgres writes them. */
  partitions: z.array(z.object({ parent: z.string(), name: z.string(), bounds: z.string() })),
})
export type Header = z.infer<typeof Header>

export const TableStart = z.object({ name: z.string(), columns: z.array(z.string()) })
export const TableEnd = z.object({ rows: z.int(), sha256: z.string() })
export const End = z.object({ tables: z.int(), sequences: z.record(z.string(), z.string()) })

export const FrameType = { header: 1, table: 2, data: 3, tableEnd: 4, end: 5 } as const

export interface Frame {
  type: number
  payload: Buffer
}

const mostFrameBytes = 256 * 1024 * 1024
const headBytes = 5

export function* frame(type: number, payload: Buffer): Generator<Buffer> {
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt8(type, 0)
  head.writeUInt32BE(payload.length, 1)
  yield head
  yield payload
}

export const jsonFrame = (type: number, body: unknown): Generator<Buffer> =>
  frame(type, Buffer.from(JSON.stringify(body), 'utf8'))

/** Written to a temporary file and renamed once it is complete and on disk. Readable only by its owner. */
export async function writeBackupFile(file: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  const partial = `${file}.partial`
  try {
    await pipeline(
      Readable.from(chunks, { objectMode: false }),
      createGzip({ level: 3 }),
      createWriteStream(partial, { mode: 0o600 }),
    )
    const written = await open(partial, 'r+')
    await written.sync()
    await written.close()
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

/** @throws BoardroomError invalid_request: not a backup, damaged or truncated */
export async function* readBackupFile(file: string): AsyncGenerator<Frame> {
  const source = createReadStream(file)
  const unzipped = createGunzip()
  // `pipe` does not forward errors; destroying does, and the loop below throws them.
  source.on('error', (error) => unzipped.destroy(error))
  source.pipe(unzipped)
  let rest: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of unzipped as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let at = 0
      while (rest.length - at >= headBytes) {
        const length = rest.readUInt32BE(at + 1)
        if (length > mostFrameBytes) throw damaged('it is damaged')
        if (rest.length - at - headBytes < length) break
        yield { type: rest.readUInt8(at), payload: rest.subarray(at + headBytes, at + headBytes + length) }
        at += headBytes + length
      }
      rest = rest.subarray(at)
    }
    if (rest.length > 0) throw damaged('it is truncated')
  } catch (error) {
    throw asDamage(error)
  } finally {
    source.destroy()
    unzipped.destroy()
  }
}

export const damaged = (how: string, cause?: unknown): BoardroomError =>
  new BoardroomError('invalid_request', `this backup cannot be restored: ${how}; nothing was changed`, {
    cause,
  })

const asDamage = (error: unknown): unknown => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'Z_BUF_ERROR') return damaged('it is truncated', error)
  if (code.startsWith('Z_')) return damaged('it is damaged, or no backup of Boardroom', error)
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
    return damaged(`the file cannot be read (${code})`, error)
  return error
}
