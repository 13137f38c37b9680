// How much room is left on the disk of the data folder. Out of it, Postgres refuses writes or ends, and comes back by
// itself once there is room again; so the operator is warned before that, and told the cause.
import { statfs } from 'node:fs/promises'
import type { Logger } from 'pino'

/** Below this, the log says so once: Postgres wants some segments of its log (16 MiB each) at any moment. */
const lowBytes = 512 * 1024 * 1024
/** A start that failed with less than this left failed because of it. */
const fullBytes = 32 * 1024 * 1024
const lookEveryMs = 30_000

/** @returns what an ordinary account may still write there; null where the system does not tell. */
export async function freeBytesIn(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch {
    return null // the folder is not there yet, or its file system does not say
  }
}

/** The reason for which the database of a folder does not come up, where that is its disk; null where it is not. */
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

  /** @returns the bytes that are left; says in the log when they have become few, and when they are enough again. */
  async look(): Promise<number | null> {
    const freeBytes = await freeBytesIn(this.#folder)
    if (freeBytes === null || freeBytes < lowBytes === this.#isLow) return freeBytes
    this.#isLow = freeBytes < lowBytes
    const about = { alarm: 'disk_low', folder: this.#folder, freeBytes }
    if (this.#isLow)
      this.#log.error(about, 'the disk of the data folder is nearly full; free some space there')
    else this.#log.info({ ...about, alarm: undefined }, 'the disk of the data folder has room again')
    return freeBytes
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
