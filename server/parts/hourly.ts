// What is done at the start and every hour: texts of boards follow their records, what is too old goes.
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
  // What is under way ends before the database does; `closing` keeps that short.
  opened.add('hourly work', () => {
    clearInterval(timer)
    return running
  })
}
