// The errors of starting the embedded database, one line each, with a remedy.
import { BoardroomError } from '../../errors.ts'
import { fullDiskReason } from '../disk-space.ts'

/** Extracts the reason from Postgres' output. */
export const lastWords = (output: string): string => {
  const lines = output.trim().split('\n')
  // Once it writes its own log, our output only mentions that.
  const last = lines.filter((line) => !/logging collector|HINT:/.test(line)).at(-1)
  return (lines.find((line) => /FATAL|PANIC/.test(line)) ?? last ?? '').replace(/^.*?(FATAL|PANIC):\s*/, '')
}

/** Checks the disk, because Postgres cannot always log that it is full. */
export async function failedError(clusterDir: string, reason: string): Promise<BoardroomError> {
  const disk = await fullDiskReason(clusterDir)
  return new BoardroomError(
    'data_folder_unusable',
    `the database in ${clusterDir} does not start: ${disk ?? (reason || 'no reason given')}; its log is in ${clusterDir}/log`,
  )
}

export const strangerError = (clusterDir: string) =>
  new BoardroomError(
    'data_folder_unusable',
    `the database in ${clusterDir} was started by another user; start Boardroom as that user, or stop that one first`,
  )

export const inUseError = (clusterDir: string, holder: string) => {
  const pid = /(\d+)$/.exec(holder)?.[1]
  return new BoardroomError(
    'database_in_use',
    `another Boardroom (process ${pid ?? 'unknown'}) serves from ${clusterDir}; stop it, or start this one with another BOARDROOM_DATA_DIR`,
    { details: pid === undefined ? {} : { pid: Number(pid) } },
  )
}
