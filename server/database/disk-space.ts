// Monitors free space on the disk of the data folder. Without any, Postgres refuses writes or exits, and recovers by
// itself once there is space again; so the operator is warned in advance, and told the cause.
import { statfs } from 'node:fs/promises'
import type { Logger } from 'pino'

/** Below this, the log warns once: Postgres always needs some WAL segments (16 MiB each). */
const lowBytes = 512 * 1024 * 1024
/** If a start fails with less than this left, the disk is the cause. */
const fullBytes = 32 * 1024 * 1024
const lookEveryMs = 30_000

/** @returns how much an unprivileged account may still write there; null if unknown. */
async function freeBytesIn(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch {
    return null // the folder is not there yet, or its file system does not say
  }
}

/** Why the database of a folder does not start, if its disk is the reason; otherwise null. */
export async function fullDiskReason(folder: string): Promise<string | null> {
  const freeBytes = await freeBytesIn(folder)
  if (freeBytes === null || freeBytes >= fullBytes) return null
  return `its disk is full (${Math.floor(freeBytes / 1024 / 1024)} MiB left); free some space there`
}

export class DiskWatch {
  readonly #folder: string
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  #isLow = false

  constructor(folder: string, log: Logger) {
    this.#folder = folder
    this.#log = log
    this.#timer = setInterval(() => void this.look(), lookEveryMs)
    this.#timer.unref()
  }

  /** @returns the free bytes; logs when they become low, and when they are sufficient again. */
  async look(): Promise<number | null> {
    const freeBytes = await freeBytesIn(this.#folder)
    if (freeBytes === null || freeBytes < lowBytes === this.#isLow) return freeBytes
    this.#isLow = freeBytes < lowBytes
    const about = { alarm: 'disk_low', folder: this.#folder, freeBytes }
    if (this.#isLow)
      this.#log.error(about, 'the disk of the data folder is nearly full; free some space there')
    else this.#log.info({ ...about, alarm: undefined }, 'the disk of the data folder has free space again')
    return freeBytes
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
