// `boardroom seed`: a demo team with boards, permissions of every kind, links in every state and a history. It runs
// once: a second run is refused, because nobody would know which passwords are valid.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Level } from '../../shared/levels.ts'
import { createUser, disableUser, listUsers, setRole } from '../accounts/users.ts'
import { BoardroomError } from '../errors.ts'
import { publicUrlOf } from '../http/origins.ts'
import { type Command, type CommandContext, commandLineActor, printRows } from './command.ts'
import { type Connected, openForCommand } from './open.ts'
import { withGuestName } from './sample.ts'
import { employAgent } from './seed-agents.ts'
import { discuss } from './seed-comments.ts'
import { askForConsent, fillTemplates } from './seed-records.ts'
import {
  type BoardKey,
  boards,
  emailOf,
  notes,
  type PersonKey,
  people,
  type SeedBoard,
  seedDomain,
  threads,
} from './seed-story.ts'
import { type Door, openDoor, type Visitor } from './seed-visitors.ts'

const actor = commandLineActor()
const linkPassword = 'harbour lights'

export const seedCommand: Command = {
  name: 'seed',
  usage: ['seed    creates a demo team with boards, permissions and links; prints the passwords once'],
  words: 0,
  options: {},
  async run(context) {
    const connected = await openForCommand(context)
    try {
      await refuseTwice(connected)
      const { config, log } = context
      const secret = randomBytes(32).toString('base64url') // for sessions that end with this command
      const door = await openDoor({
        ...config,
        database: connected.database,
        secret,
        logger: log,
        migrate: false,
      })
      connected.onClose(() => door.close())
      await new Story(context, connected, door).tell()
    } finally {
      await connected.close()
    }
  },
}

async function refuseTwice({ database }: Connected): Promise<void> {
  const users = await listUsers(database.db)
  if (!users.some(({ email }) => email?.endsWith(`@${seedDomain}`))) return
  throw new BoardroomError(
    'conflict',
    `there are already people with addresses at ${seedDomain}; seed another instance: boardroom seed --data-dir OTHER-FOLDER. Nothing was changed`,
  )
}

type Link = { board: string; label: string; level: Level; state: string; url: string }

class Story {
  readonly #context: CommandContext
  readonly #connected: Connected
  readonly #door: Door
  readonly #visitors = new Map<PersonKey, Visitor>()
  readonly #boardIds = new Map<BoardKey, string>()
  readonly #links: Link[] = []

  constructor(context: CommandContext, connected: Connected, door: Door) {
    this.#context = context
    this.#connected = connected
    this.#door = door
  }

  async tell(): Promise<void> {
    const context = this.#context
    const passwords = await this.#hire()
    for (const key of Object.keys(boards) as BoardKey[]) await this.#draw(key) // keys of a literal
    await this.#share()
    await this.#work()
    await this.#record()
    await this.#leave()
    const rows = (Object.keys(people) as PersonKey[]).map((key) => {
      const { name, role, work } = people[key]
      return {
        name,
        work,
        role,
        email: emailOf(key),
        password: key === 'noor' ? 'deactivated' : passwords.get(key),
      }
    })
    if (!context.json) context.print('People and their passwords (shown only this once)')
    printRows(context, rows)
    if (!context.json) context.print(`\nBoards`)
    printRows(
      context,
      (Object.keys(boards) as BoardKey[]).map((key) => ({
        board: boards[key].title,
        owner: people[boards[key].owner].name,
        id: this.#board(key),
      })),
    )
    if (!context.json)
      context.print(`\nShare links; the password of the one that is protected: ${linkPassword}`)
    printRows(context, this.#links)
  }

  async #hire(): Promise<Map<PersonKey, string>> {
    const passwords = new Map<PersonKey, string>()
    for (const key of Object.keys(people) as PersonKey[]) {
      const { name, role, address } = people[key]
      this.#context.progress(`hiring ${name}`)
      const password = randomBytes(12).toString('base64url')
      await createUser(this.#connected.database.db, actor, {
        email: emailOf(key),
        name,
        role: key === 'deniz' ? 'user' : role,
        password,
      })
      const visitor = this.#door.visitor(address)
      if (key === 'sam')
        await visitor.attempt('POST', '/api/auth/sign-in/email', {
          email: emailOf(key),
          password: 'not this one',
        })
      await visitor.ask('POST', '/api/auth/sign-in/email', { email: emailOf(key), password })
      passwords.set(key, password)
      this.#visitors.set(key, visitor)
    }
    return passwords
  }

  async #draw(key: BoardKey): Promise<void> {
    const { title, owner, drawing, permissions }: SeedBoard = boards[key]
    this.#context.progress(`drawing ${title}`)
    const { id } = await this.#as(owner).ask('POST', '/api/boards', { title })
    this.#boardIds.set(key, id)
    if (drawing !== null) {
      const file = await readFile(new URL(`../../../samples/${drawing}.excalidraw`, import.meta.url))
      await this.#as(owner).ask('POST', `/api/boards/${id}/import`, file, 'application/vnd.excalidraw+json')
    }
    for (const [person, level] of Object.entries(permissions)) {
      await this.#as(owner).ask('POST', `/api/boards/${id}/permissions`, {
        email: emailOf(person as PersonKey),
        level,
      })
    }
  }

  /** Every kind of permission, and a link in every state. */
  async #share(): Promise<void> {
    this.#context.progress('sharing')
    const { publicBoards } = this.#context.config
    await this.#as('priya').ask('PATCH', this.#path('journey'), { members_level: 'comment' })
    if (publicBoards !== 'off') {
      await this.#as('lena').ask('PATCH', this.#path('charts'), { is_public: true })
      await this.#as('aiko').ask('POST', `${this.#path('launch')}/permissions`, {
        user_id: null,
        level: 'view',
      })
    }
    await this.#link('tom', 'architecture', { label: 'Reviewers', level: 'edit' }, 'active')
    await this.#link('priya', 'journey', { label: 'Workshop guests', level: 'comment' }, 'active')
    await this.#link(
      'tom',
      'architecture',
      { label: 'All hands', level: 'view', password: linkPassword },
      'active',
    )

    const firstLook = await this.#link(
      'aiko',
      'launch',
      { label: 'First look', level: 'view', max_uses: 1 },
      'used_up',
    )
    await this.#guest('Ines (agency)', '192.0.2.150', firstLook.token)
    const contractor = await this.#link(
      'tom',
      'architecture',
      { label: 'Contractor', level: 'edit' },
      'revoked',
    )
    await this.#guest('Ravi, contractor', '192.0.2.201', contractor.token)
    await this.#as('tom').ask('DELETE', `${this.#path('architecture')}/share-links/${contractor.id}`)
    await this.#link('noor', 'launch', { label: 'Press', level: 'view' }, 'suspended')
    const soon = new Date(Date.now() + 1500)
    await this.#link(
      'lena',
      'charts',
      { label: 'Until the meeting', level: 'view', expires_at: soon.toISOString() },
      'expired',
    )
    await delay(Math.max(0, soon.getTime() - Date.now()))
  }

  /** What people have done since, for the trail and the versions. */
  async #work(): Promise<void> {
    this.#context.progress('working')
    const workshop = this.#links.find(({ label }) => label === 'Workshop guests')
    await this.#guest('Zoë from the bakery', '192.0.2.17', secretOf(workshop?.url ?? ''))
    for (const person of ['tom', 'jonas', 'aiko', 'sam'] as const)
      await this.#as(person).visit(this.#board('architecture'))
    for (const person of ['priya', 'lena', 'deniz'] as const)
      await this.#as(person).visit(this.#board('journey'))
    for (const { board, by, ...note } of notes) await this.#as(by).write(this.#board(board), note)
    for (const thread of threads)
      await discuss(this.#path(thread.board), thread, (person) => this.#as(person))
    await employAgent(this.#door, this.#as('aiko'), this.#board('launch'))
    const architecture = this.#path('architecture')
    await this.#as('tom').ask('POST', `${architecture}/versions`, { name: 'Before the review' })
    await this.#as('priya').ask('POST', `${this.#path('journey')}/versions`, { name: 'After the workshop' })
    await this.#as('jonas').ask('GET', `${architecture}/document`)
    await this.#as('tom').ask('POST', `${architecture}/permissions`, {
      email: emailOf('priya'),
      level: 'edit',
    })
    const sams = (await this.#as('tom').ask('GET', `${architecture}/permissions`)).items.find(
      (row: { user_email: string | null }) => row.user_email === emailOf('sam'),
    )
    await this.#as('tom').ask('DELETE', `${architecture}/permissions/${sams.id}`)
    await this.#as('sam')
      .visit(this.#board('architecture'))
      .catch(() => undefined) // no longer allowed in
    await this.#as('aiko').ask('PATCH', this.#path('launch'), { title: `${boards.launch.title}, draft 2` })
    await this.#as('priya').ask('POST', `${this.#path('journey')}/duplicate`)
    // Promoted since then, which the trail records.
    await setRole(
      this.#connected.database.db,
      { ...actor, name: people.mara.name },
      emailOf('deniz'),
      people.deniz.role,
    )
    await this.#as('deniz').ask('GET', `/api/audit?limit=5`)
    await this.#as('sam').ask('DELETE', this.#path('roadmap'))
  }

  /** Records of boards, and who consented to what. */
  async #record(): Promise<void> {
    this.#context.progress('filling in templates')
    const as = (person: PersonKey) => this.#as(person)
    await fillTemplates(as)
    await askForConsent(as, this.#board('launch'))
  }

  /** Noor has left: the account, its sessions and its links end. */
  async #leave(): Promise<void> {
    await disableUser(this.#connected.database.db, { ...actor, name: people.mara.name }, emailOf('noor'))
    await this.#as('lena').attempt('POST', '/api/auth/sign-out', {})
  }

  async #link(
    by: PersonKey,
    board: BoardKey,
    body: { label: string; level: Level; [more: string]: unknown },
    state: string,
  ): Promise<{ id: string; token: string }> {
    const link = await this.#as(by).ask('POST', `${this.#path(board)}/share-links`, body)
    const { pathname, hash } = new URL(link.url)
    const url = withGuestName(
      `${publicUrlOf(this.#context.config, null)}${pathname}${hash}`,
      this.#links.length,
    )
    this.#links.push({ board: boards[board].title, label: body.label, level: body.level, state, url })
    return { id: link.id, token: secretOf(url) }
  }

  async #guest(name: string, address: string, token: string): Promise<void> {
    const visitor = this.#door.visitor(address)
    const { board_id: boardId } = await visitor.ask('POST', '/api/share-links/exchange', { token, name })
    await visitor.visit(boardId)
  }

  #as(person: PersonKey): Visitor {
    const visitor = this.#visitors.get(person)
    if (visitor === undefined) throw new Error(`${person} has not been hired`)
    return visitor
  }

  #board(key: BoardKey): string {
    const id = this.#boardIds.get(key)
    if (id === undefined) throw new Error(`${key} has not been drawn`)
    return id
  }

  #path(key: BoardKey): string {
    return `/api/boards/${this.#board(key)}`
  }
}

/** Of `…/b/<id>#k=<secret>`. */
const secretOf = (url: string): string => url.slice(url.indexOf('#k=') + 3)
