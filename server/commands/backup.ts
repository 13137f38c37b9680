// `boardroom backup FILE` and `boardroom restore FILE`: everything of an instance, out while it runs, and back in.
import { backup, restore } from '../storage/backup/backup.ts'
import { type Command, misuse } from './command.ts'
import { openForCommand } from './open.ts'

export const backupCommand: Command = {
  name: 'backup',
  usage: [
    'backup FILE     everything as it is at one moment, beside a running server too; not the secret, which is the file secret of the data folder',
  ],
  words: 1,
  options: {},
  async run(context, [file]) {
    if (file === undefined) throw misuse(backupCommand, 'expected one file to write')
    const { database, close } = await openForCommand(context)
    try {
      const { tables, rows } = await backup(database, file, { onProgress: context.progress })
      context.print(
        context.json ? JSON.stringify({ file, tables, rows }) : `${file}: ${rows} rows of ${tables} tables`,
      )
    } finally {
      await close()
    }
  },
}

export const restoreCommand: Command = {
  name: 'restore',
  usage: [
    'restore FILE    into an instance that was never started, with a data folder or a schema of its own; makes the tables',
  ],
  words: 1,
  options: {},
  async run(context, [file]) {
    if (file === undefined) throw misuse(restoreCommand, 'expected one file to read')
    const { database, close } = await openForCommand(context, { alone: true })
    try {
      const { tables, rows } = await restore(database, file, { onProgress: context.progress })
      if (context.json) return context.print(JSON.stringify({ file, tables, rows }))
      context.print(`restored ${rows} rows of ${tables} tables; start it with: boardroom serve`)
      context.print(
        'people stay signed in if the secret is the old one: the file secret of the old data folder, or BOARDROOM_SECRET',
      )
    } finally {
      await close()
    }
  },
}
