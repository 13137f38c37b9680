// `boardroom backup FILE` and `boardroom restore FILE`: a full backup of a running instance, and restoring it.
import { backup, restore } from '../storage/backup/backup.ts'
import { type Command, misuse } from './command.ts'
import { openForCommand } from './open.ts'

export const backupCommand: Command = {
  name: 'backup',
  usage: [
    'backup FILE     a consistent backup of everything, also while the server runs; without the secret, which is the file "secret" in the data folder',
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
    'restore FILE    into an instance that was never started, with its own data folder or schema; creates the tables',
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
        'people stay signed in if you keep the old secret: the file "secret" in the old data folder, or BOARDROOM_SECRET',
      )
    } finally {
      await close()
    }
  },
}
