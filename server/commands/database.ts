// `boardroom database url`: the embedded Postgres is an ordinary one; this prints the URL for other clients.
import { type Command, misuse } from './command.ts'
import { openForCommand } from './open.ts'

export const databaseCommand: Command = {
  name: 'database',
  usage: ['database url    the address of the database, for psql and other clients while the server runs'],
  words: 1,
  options: {},
  async run(context, [verb]) {
    if (verb !== 'url')
      throw misuse(databaseCommand, verb === undefined ? 'a verb is missing' : `unknown word ${verb}`)
    const { directUrl, close } = await openForCommand(context, { schema: 'any' })
    await close()
    context.print(context.json ? JSON.stringify({ url: directUrl }) : directUrl)
  },
}
