// Exports over HTTP. Each is first written to a file at the database's speed and then sent at the reader's, so that a slow
// reader does not hold a database connection and snapshot.
import { mkdtemp, open, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { BoardroomError } from '../errors.ts'

export class ExportFiles {
  readonly #most: number
  readonly #readers = new Set<string>()
  #writing = 0

  /** @param most the most exports written at once */
  constructor(most = 2) {
    this.#most = most
  }

  /**
   * @param reader the requester, who can have one export at a time, until it is read or abandoned.
   * @param signal aborts the writing.
   * @returns the complete export; the file is already unlinked, so nobody else can open it.
   * @throws BoardroomError too_many_requests
   */
  async of(reader: string, pieces: AsyncIterable<string>, signal: AbortSignal): Promise<Readable> {
    if (this.#readers.has(reader) || this.#writing >= this.#most)
      throw new BoardroomError('too_many_requests', 'another export is in progress; try again in a minute', {
        details: { limit: 'exports', retry_after_ms: 60_000 },
      })
    this.#readers.add(reader)
    this.#writing++
    try {
      const file = await unnamedFile()
      try {
        for await (const piece of pieces) {
          signal.throwIfAborted()
          await file.appendFile(piece)
        }
      } catch (error) {
        await file.close()
        throw error
      }
      const content = file.createReadStream({ start: 0 }) // closes the file
      content.once('close', () => this.#readers.delete(reader))
      return content
    } catch (error) {
      this.#readers.delete(reader)
      throw error
    } finally {
      this.#writing--
    }
  }
}

async function unnamedFile() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-export-'))
  try {
    return await open(path.join(folder, 'export'), 'wx+', 0o600)
  } finally {
    await rm(folder, { recursive: true })
  }
}
