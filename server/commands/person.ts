// `boardroom person …`: export everything about one person as a file, or erase it for good.

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { BoardroomError } from '../errors.ts'
import { erasePerson, personNamed, subjectOf } from '../privacy/erase.ts'
import { exportPerson } from '../privacy/export.ts'
import { type Command, type CommandContext, commandLineActor, misuse, textOption } from './command.ts'
import { openForCommand } from './open.ts'

export const personCommand: Command = {
  name: 'person',
  usage: [
    'person export EMAIL [FILE] [--format json|html]   to standard output without FILE; a FILE that ends in .html is a readable page',
    'person erase EMAIL [--transfer-to EMAIL]          removes name, addresses and sign-ins for good; what they drew and wrote stays',
    '                                                  in place of EMAIL also user:ID, for people without an e-mail address, and guest:ID',
  ],
  words: { export: 3, erase: 2 },
  options: { format: { type: 'string' }, 'transfer-to': { type: 'string' } },
  async run(context, [verb, who, file], options) {
    if (verb !== 'export' && verb !== 'erase')
      throw misuse(personCommand, verb === undefined ? 'a verb is missing' : `unknown word ${verb}`)
    if (who === undefined) throw misuse(personCommand, 'the e-mail address is missing')
    const format = formatOf(textOption(options, 'format'), file)
    const { database, close } = await openForCommand(context)
    try {
      const person = await personNamed(database.db, who)
      if (verb === 'export') {
        const onProgress = (done: number, total: number, section: string) =>
          context.progress(`${section}: ${done} of ${total} rows`)
        const pieces = exportPerson(database.db, {
          subject: subjectOf(person),
          who: person,
          format,
          onProgress,
        })
        await (file === undefined ? print(pieces) : save(pieces, file, context))
        return
      }
      const transferTo = textOption(options, 'transfer-to')
      const onProgress = (step: string) => context.progress(`erasing: ${step}`)
      const { rows, boards } = await erasePerson(database, commandLineActor(), person, {
        transferTo,
        onProgress,
      })
      context.print(
        context.json
          ? JSON.stringify({ rows, boards })
          : `erased: ${rows} rows of the trail no longer contain personal values, ${boards} boards were handed over`,
      )
    } finally {
      await close()
    }
  },
}

function formatOf(told: string | undefined, file: string | undefined): 'json' | 'html' {
  if (told === 'json' || told === 'html') return told
  if (told !== undefined) throw misuse(personCommand, `--format: expected json or html, not ${told}`)
  return file?.endsWith('.html') ? 'html' : 'json'
}

async function print(pieces: AsyncGenerator<string>): Promise<void> {
  for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain')
}

async function save(pieces: AsyncGenerator<string>, file: string, context: CommandContext): Promise<void> {
  // Readable only by the user who asked, and never overwrites an existing file.
  const out = createWriteStream(file, { mode: 0o600, flags: 'wx' })
  try {
    await once(out, 'open')
  } catch (error) {
    throw new BoardroomError('invalid_config', `${file} cannot be written; does it already exist?`, {
      cause: error,
    })
  }
  for await (const piece of pieces) if (!out.write(piece)) await once(out, 'drain')
  out.end()
  await once(out, 'finish')
  context.print(context.json ? JSON.stringify({ file }) : `${file} contains everything about the person`)
}
