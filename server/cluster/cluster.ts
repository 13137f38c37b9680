// The nodes of a deployment, by way of a bus: who is heard, channels for boards, questions to everybody.
//
//   A node that says nothing for five seconds is gone. One that does not hear itself for three is deaf: it looks into
//   the log for what others write, and so do they, as long as the database says that somebody lives whom they do not hear.
//   One that hears itself again says so, and then what it has: others look once more for what it did unheard.
import type { Logger } from 'pino'
import type { BoardChannel, BoardListener, Nodes } from '../rooms/nodes/ports.ts'
import type { Bus } from './bus.ts'
import { decodeNodeMessage, encodeNodeMessage, type NodeMessage, type Question } from './node-messages.ts'
import { Questions } from './questions.ts'
import { SignedBus, type SignedBusStats, type SignedMessage } from './signed-bus.ts'
import { Stranded } from './stranded.ts'

const beatMs = 1000
const deafAfterMs = 3000
const goneAfterMs = 5000
/** So many boards are looked after in a second while somebody is not heard. */
const boardsATick = 200
const lookAtDatabaseEvery = 3

export interface ClusterOptions {
  bus: Bus
  log: Logger
  /** As the trail knows this process. */
  nodeId: string
  /** Which deployment, and the secret that its nodes share. */
  deployment: string
  secret: string
  /** Ids of nodes that live, as far as the database knows, but for those that are heard: what became of them is its care. */
  silentNodes: (heard: ReadonlySet<string>) => Promise<readonly string[]>
  /** Resolves where the database answers. */
  askDatabase: () => Promise<unknown>
  onClose: () => void
}

export interface ClusterStats extends SignedBusStats {
  nodes: number
  isDeaf: boolean
  isCutOff: boolean
}

interface Channel {
  listener: BoardListener
  end: () => void
}

export class Cluster implements Nodes {
  readonly nodeId: string
  readonly #options: ClusterOptions
  readonly #bus: SignedBus
  /** What all nodes hear. */
  readonly #toNodes: string
  readonly #questions = new Questions((message) => this.#say(message))
  readonly #channels = new Set<Channel>()
  /** When each was last heard. */
  readonly #nodes = new Map<string, number>()
  readonly #listeners = new Set<(nodeId: string, message: NodeMessage) => void>()
  readonly #newcomers = new Set<() => void>()
  readonly #departures = new Set<(nodeId: string) => void>()
  readonly #stranded: Stranded
  #answer: (question: Question) => unknown[] = () => []
  #heardSelfAt = performance.now()
  #tickedAt = performance.now()
  #ticks = 0
  #isDeaf = false
  /** Were gone without a word, and may only have been out of sight. */
  readonly #outOfSight = new Set<string>()
  /** So many more ticks, until every board was looked after, for somebody may have written unheard. */
  #looks = 0
  #silent: readonly string[] = []
  #looking: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #isClosed = false
  #undo: (() => void)[] = []

  constructor(options: ClusterOptions) {
    this.#options = options
    this.nodeId = options.nodeId
    this.#bus = new SignedBus(options)
    this.#toNodes = this.#bus.subjectOf('nodes')
    this.#stranded = new Stranded(options)
  }

  get isDeaf(): boolean {
    return this.#isDeaf
  }

  /** Somebody may write to the log whom we do not hear. */
  get isCutOff(): boolean {
    return this.#isDeaf || this.#silent.length > 0
  }

  /** This node does not reach the database while others may. */
  get isStranded(): boolean {
    return this.#stranded.isStranded
  }

  get stats(): ClusterStats {
    return { ...this.#bus.stats, nodes: this.#nodes.size + 1, isDeaf: this.#isDeaf, isCutOff: this.isCutOff }
  }

  async start(): Promise<void> {
    const { bus } = this.#options
    this.#undo.push(this.#bus.subscribe(this.#toNodes, (message) => this.#heardNode(message)))
    bus.onChange((isConnected) => {
      if (!isConnected) this.#becomeDeaf('the bus is away')
      else this.#beat()
    })
    await bus.settled()
    this.#heardSelfAt = performance.now()
    this.#tickedAt = this.#heardSelfAt
    this.#beat()
    await this.#lookAtDatabase()
    this.#timer = setInterval(() => this.#tick(), beatMs)
    this.#timer.unref()
  }

  /** How this node answers the others. */
  answerWith(answer: (question: Question) => unknown[]): void {
    this.#answer = answer
  }

  /** What other nodes say, but for beats, questions and answers. */
  onMessage(listener: (nodeId: string, message: NodeMessage) => void): void {
    this.#listeners.add(listener)
  }

  /** Somebody came who knows nothing of us, or we were not heard for a while. */
  onNewcomer(listener: () => void): void {
    this.#newcomers.add(listener)
  }

  onGone(listener: (nodeId: string) => void): void {
    this.#departures.add(listener)
  }

  /** `isStranded` from now on: whoever is here is better off elsewhere. */
  onStranded(listener: () => void): void {
    this.#stranded.onStranded(() => this.#guard(listener))
  }

  say(message: NodeMessage): void {
    this.#say(message)
  }

  /** What all other nodes that are heard answer, as far as they do within a second. */
  async ask(question: Question): Promise<unknown[]> {
    if (this.#nodes.size === 0 || this.#isClosed) return []
    return this.#questions.ask(question, this.#nodes.keys())
  }

  open(boardId: string, listener: BoardListener): BoardChannel {
    const { bus } = this.#options
    const subject = this.#bus.subjectOf(`board.${boardId.toLowerCase()}`)
    const end = this.#bus.subscribe(subject, ({ nodeId, body }) => {
      if (nodeId === this.nodeId) return
      this.#sawSign(nodeId)
      this.#guard(() => listener.message(nodeId, body))
    })
    const channel: Channel = { listener, end }
    this.#channels.add(channel)
    return {
      ready: bus.settled(),
      maxBytes: this.#bus.maxBytes,
      send: (body) => this.#bus.send(subject, body),
      close: () => {
        end()
        this.#channels.delete(channel)
      },
    }
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#say({ kind: 'goodbye' })
    this.#isClosed = true
    this.#bus.close()
    this.#questions.close()
    for (const undo of this.#undo) undo()
    for (const { end } of this.#channels) end()
    this.#options.onClose()
    await this.#looking
    await this.#stranded.close()
    await this.#options.bus.close()
  }

  #beat(): void {
    this.#say({ kind: 'beat', reachesDatabase: this.#stranded.reachesDatabase })
  }

  #say(message: NodeMessage): void {
    this.#bus.send(this.#toNodes, encodeNodeMessage(message))
  }

  #heardNode({ nodeId, body }: SignedMessage): void {
    if (this.#isClosed) return
    if (nodeId === this.nodeId) {
      this.#heardSelfAt = performance.now()
      if (this.#isDeaf) this.#hearAgain()
      return
    }
    let message: NodeMessage
    try {
      message = decodeNodeMessage(body)
    } catch (error) {
      this.#options.log.warn({ err: error, nodeId }, 'a message of another node could not be read')
      return
    }
    if (message.kind === 'goodbye') {
      this.#gone(nodeId, 'said goodbye')
      return
    }
    this.#sawSign(nodeId)
    switch (message.kind) {
      case 'back':
        this.#otherBack(nodeId)
        return
      case 'beat':
        this.#stranded.heard(nodeId, message.reachesDatabase === true)
        return
      case 'ask':
        this.#answerTo(nodeId, message.id, message.question)
        return
      case 'answer':
        this.#questions.answered(nodeId, message)
        return
      default:
        for (const listener of this.#listeners) this.#guard(() => listener(nodeId, message))
    }
  }

  #answerTo(to: string, id: string, question: Question): void {
    let answers: unknown[] = []
    this.#guard(() => {
      answers = this.#answer(question)
    })
    this.#questions.answer(to, id, answers)
  }

  #sawSign(nodeId: string): void {
    const isNew = !this.#nodes.has(nodeId)
    this.#nodes.set(nodeId, performance.now())
    if (!isNew) return
    this.#options.log.info({ nodeId }, 'another node is there')
    this.#beat() // it may be new
    // What it said meanwhile was not heard, and what it had said was forgotten.
    if (this.#outOfSight.delete(nodeId)) this.#tellAgain()
    else for (const listener of this.#newcomers) this.#guard(listener)
  }

  /** It was away: whatever it, or we to it, said meanwhile is lost. */
  #otherBack(nodeId: string): void {
    for (const { listener } of [...this.#channels]) this.#guard(() => listener.otherBackAgain(nodeId))
    for (const listener of this.#newcomers) this.#guard(listener)
    this.#lookAtBoards()
  }

  #lookAtBoards(): void {
    this.#looks = Math.ceil(this.#channels.size / boardsATick) + 1
  }

  #gone(nodeId: string, why: string): void {
    if (!this.#nodes.delete(nodeId)) return
    this.#stranded.gone(nodeId)
    this.#options.log.info({ nodeId, why }, 'a node is gone')
    for (const { listener } of [...this.#channels]) this.#guard(() => listener.gone(nodeId))
    for (const listener of this.#departures) this.#guard(() => listener(nodeId))
    this.#questions.gone(nodeId)
  }

  #tick(): void {
    const now = performance.now()
    // Who was stopped for long was gone for the others, and has missed what came meanwhile.
    const stoodStill = now - this.#tickedAt > deafAfterMs
    if (stoodStill) this.#becomeDeaf('this process stood still')
    else if (now - this.#heardSelfAt > deafAfterMs) this.#becomeDeaf('nothing is heard')
    this.#tickedAt = now
    this.#beat()
    for (const [nodeId, at] of [...this.#nodes])
      if (now - at > goneAfterMs) {
        this.#gone(nodeId, 'not heard any more')
        this.#outOfSight.add(nodeId)
        this.#lookAtBoards()
      }
    this.#stranded.tick(this.#isDeaf, stoodStill)
    if (this.#ticks++ % lookAtDatabaseEvery === 0) void this.#lookAtDatabase()
    const isToLook = this.isCutOff || this.#looks > 0
    if (this.#looks > 0) this.#looks--
    const turns = Math.ceil(this.#channels.size / boardsATick)
    let place = 0
    for (const { listener } of [...this.#channels]) {
      const isTurn = (place++ + this.#ticks) % turns === 0
      this.#guard(() => listener.tick(isToLook && isTurn))
    }
  }

  #becomeDeaf(why: string): void {
    if (this.#isDeaf || this.#isClosed) return
    this.#isDeaf = true
    this.#options.log.warn({ why }, 'other nodes are not heard; what they write is read from the database')
  }

  #hearAgain(): void {
    this.#isDeaf = false
    this.#options.log.info('other nodes are heard again')
    this.#tellAgain()
  }

  #tellAgain(): void {
    this.#say({ kind: 'back' })
    for (const { listener } of [...this.#channels]) this.#guard(() => listener.backAgain())
    for (const listener of this.#newcomers) this.#guard(listener)
  }

  #lookAtDatabase(): Promise<void> {
    this.#looking ??= this.#options
      .silentNodes(new Set(this.#nodes.keys()))
      .then(
        (silent) => {
          this.#silent = silent.filter((nodeId) => !this.#nodes.has(nodeId))
        },
        (error: unknown) => this.#options.log.debug({ err: error }, 'the database does not say who lives'),
      )
      .finally(() => {
        this.#looking = null
      })
    return this.#looking
  }

  /** One listener's mistake must not keep the others from hearing. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.log.error({ err: error }, 'a message of another node led to an error')
    }
  }
}
