// Work done at the start and every hour: texts on boards follow their records, and data past its retention is removed.
import { cleanUp } from '../privacy/retention.ts'
import type { Given } from './given.ts'
import type { Nouns } from './nouns.ts'

const everyMs = 60 * 60_000

export function openHourly({ database, config, log, opened, closing }: Given, { recordTexts }: Nouns): void {
  let running = recordTexts.followAll()
  const timer = setInterval(() => {
    running = running
      .then(() => recordTexts.followAll())
      .then(() => cleanUp(database.db, config.retention, log, closing))
  }, everyMs)
  // Work in progress ends before the database closes; `closing` keeps that short.
  opened.add('hourly work', () => {
    clearInterval(timer)
    return running
  })
}
