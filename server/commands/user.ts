// `boardroom user …`: accounts from the command line.
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { resetTwoFactor } from '../accounts/two-factor.ts'
import { createUser, disableUser, listUsers, setRole } from '../accounts/users.ts'
import { BoardroomError } from '../errors.ts'
import type { Role } from '../principal.ts'
import { type Command, commandLineActor, misuse, needed, printRows } from './command.ts'
import { openForCommand } from './open.ts'

const roles = ['sysadmin', 'admin', 'user'] as const
const actor = commandLineActor()

const roleOf = (text: string): Role => {
  const role = roles.find((candidate) => candidate === text)
  if (role === undefined)
    throw new BoardroomError('invalid_config', `unknown role ${text}; expected one of ${roles.join(', ')}`)
  return role
}

export const userCommand: Command = {
  name: 'user',
  usage: [
    'user create --email E --name N [--role sysadmin|admin|user]   the password is read from standard input or prompted for',
    'user list',
    'user disable EMAIL [--transfer-to EMAIL]',
    'user role EMAIL sysadmin|admin|user',
    'user two-factor-off EMAIL   for somebody who lost both the app and the recovery codes',
  ],
  words: { create: 1, list: 1, disable: 2, role: 3, 'two-factor-off': 2 },
  options: {
    email: { type: 'string' },
    name: { type: 'string' },
    role: { type: 'string' },
    'transfer-to': { type: 'string' },
  },
  async run(context, [verb, ...words], options) {
    const [email, role] = words
    // Wrong arguments are reported before a database is opened.
    const work = (() => {
      switch (verb) {
        case 'create': {
          const person = {
            email: needed(userCommand, options, 'email'),
            name: needed(userCommand, options, 'name'),
            role: roleOf(typeof options.role === 'string' ? options.role : 'user'),
          }
          return async (db: Parameters<typeof createUser>[0]) => [
            await createUser(db, actor, { ...person, password: await readPassword() }),
          ]
        }
        case 'list':
          return (db: Parameters<typeof createUser>[0]) => listUsers(db)
        case 'disable': {
          if (email === undefined) throw misuse(userCommand, 'the e-mail address is missing')
          const to = options['transfer-to']
          return async (db: Parameters<typeof createUser>[0]) => {
            const { user, boards, links, stoppedLinks } = await disableUser(
              db,
              actor,
              email,
              typeof to === 'string' ? { transferTo: to } : {},
            )
            if (typeof to === 'string' && !context.json)
              context.print(`${to} has taken over ${boards} boards and ${links} share links`)
            for (const link of stoppedLinks) {
              if (!context.json)
                context.print(
                  `share link ${link.label ?? link.id} of board ${link.board_id} no longer gives access`,
                )
            }
            return [user]
          }
        }
        case 'role': {
          if (email === undefined || role === undefined)
            throw misuse(userCommand, 'an e-mail address and a role are required')
          const wanted = roleOf(role)
          return async (db: Parameters<typeof createUser>[0]) => [await setRole(db, actor, email, wanted)]
        }
        case 'two-factor-off': {
          if (email === undefined) throw misuse(userCommand, 'the e-mail address is missing')
          return async (db: Parameters<typeof createUser>[0]) => {
            await resetTwoFactor(db, actor, email)
            return (await listUsers(db)).filter((user) => user.email === email.toLowerCase())
          }
        }
        default:
          throw misuse(userCommand, verb === undefined ? 'a verb is missing' : `unknown word ${verb}`)
      }
    })()
    const { database, close } = await openForCommand(context, { recorded: verb !== 'list' })
    try {
      printRows(context, await work(database.db))
    } finally {
      await close()
    }
  },
}

/** From a pipe: its first line. In a terminal: prompted for twice, without echo. */
async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) {
    for await (const line of createInterface({ input: process.stdin })) return line
    throw new BoardroomError(
      'invalid_config',
      'expected a password on standard input: printf %s "$PASSWORD" | boardroom user create …',
    )
  }
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  const ask = async (question: string): Promise<string> => {
    process.stderr.write(question)
    const answer = await terminal.question('')
    process.stderr.write('\n')
    return answer
  }
  try {
    const password = await ask('Password: ')
    if ((await ask('Once more: ')) !== password)
      throw new BoardroomError('invalid_config', 'the two passwords differ; no account was created')
    return password
  } finally {
    terminal.close()
  }
}
