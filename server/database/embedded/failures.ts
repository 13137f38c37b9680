// What a start of the embedded database can fail with: one line each, with what to do.
import { BoardroomError } from '../../errors.ts'

/** The reason among everything that Postgres printed. */
export const lastWords = (output: string): string => {
  const lines = output.trim().split('\n')
  return (lines.find((line) => /FATAL|PANIC/.test(line)) ?? lines.at(-1) ?? '').replace(
    /^.*?(FATAL|PANIC):\s*/,
    '',
  )
}

export const failedError = (clusterDir: string, reason: string) =>
  new BoardroomError(
    'data_folder_unusable',
    `the database in ${clusterDir} does not come up: ${reason || 'no reason given'}; its log is in ${clusterDir}/log`,
  )

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
