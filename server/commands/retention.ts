// `boardroom retention`: shows what is kept for how long, and removes what is too old.
import { applyRetention, retentionTable } from '../privacy/retention.ts'
import { type Command, commandLineActor, misuse, printRows } from './command.ts'
import { openForCommand } from './open.ts'

export const retentionCommand: Command = {
  name: 'retention',
  usage: [
    'retention [--dry-run]                                     shows what is kept for how long, by which setting, and how much is older',
    'retention --apply                                         removes what is older, with a row in the trail for each category',
  ],
  words: 0,
  options: { 'dry-run': { type: 'boolean' }, apply: { type: 'boolean' } },
  async run(context, _words, options) {
    const isApplied = options.apply === true
    if (isApplied && options['dry-run'] === true)
      throw misuse(retentionCommand, 'give either --dry-run or --apply')
    const { retention } = context.config
    const stop = new AbortController()
    const { database, close } = await openForCommand(
      context,
      isApplied ? { recorded: true, onInterrupt: () => stop.abort() } : {},
    )
    try {
      if (!isApplied) {
        printRows(
          context,
          (await retentionTable(database.db, retention)).map((line) => ({ ...line })),
        )
        return
      }
      const removed = await applyRetention(database, commandLineActor(), retention, {
        onProgress: (category, done, total) => context.progress(`${category}: ${done} of ${total} rows`),
        signal: stop.signal,
      })
      if (context.json) printRows(context, removed)
      else for (const { category, rows } of removed) context.print(`${category}: ${rows} rows were removed`)
      if (removed.length === 0 && !context.json) context.print('nothing is too old')
    } finally {
      await close()
    }
  },
}
