// The nodes of a deployment, connected by a bus: membership, channels for boards, questions to all nodes.
//
//   A node that is silent for five seconds is gone. One that does not hear itself for three is deaf: it reads other nodes'
//   edits from the log, and so do they, as long as the database shows that a node they do not hear is alive.
//   A node that hears itself again announces that, and then its state; others check the log once more for unheard edits.
import type { Logger } from 'pino'
import type { BoardChannel, BoardListener, Nodes } from '../rooms/nodes/ports.ts'
import { BoardChannels, type Channel } from './board-channels.ts'
import type { Bus } from './bus.ts'
import { decodeNodeMessage, encodeNodeMessage, type NodeMessage, type Question } from './node-messages.ts'
import { Questions } from './questions.ts'
import { SignedBus, type SignedBusStats, type SignedMessage } from './signed-bus.ts'
import { Stranded } from './stranded.ts'

const beatMs = 1000
const deafAfterMs = 3000
const goneAfterMs = 5000
const lookAtDatabaseEvery = 3

export interface ClusterOptions {
  bus: Bus
  log: Logger
  /** The id of this process in the trail. */
  nodeId: string
  /** The deployment, and the secret that its nodes share. */
  deployment: string
  secret: string
  /** Ids of nodes that are alive according to the database, except those that are heard. */
  silentNodes: (heard: ReadonlySet<string>) => Promise<readonly string[]>
  /** Resolves if the database answers. */
  askDatabase: () => Promise<unknown>
  onClose: () => void
}

export interface ClusterStats extends SignedBusStats {
  nodes: number
  isDeaf: boolean
  isCutOff: boolean
}

export class Cluster implements Nodes {
  readonly nodeId: string
  readonly #options: ClusterOptions
  readonly #bus: SignedBus
  /** The subject that all nodes subscribe to. */
  readonly #toNodes: string
  readonly #questions = new Questions((message) => this.#say(message))
  readonly #channels = new BoardChannels((work) => this.#guard(work))
  /** The time when each node was last heard. */
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
  /** Nodes that disappeared without a goodbye, and may only have been unreachable. */
  readonly #outOfSight = new Set<string>()
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

  /** Whether a node that we do not hear may write to the log. */
  get isCutOff(): boolean {
    return this.#isDeaf || this.#silent.length > 0
  }

  /** Whether this node cannot reach the database while others may. */
  get isStranded(): boolean {
    return this.#stranded.isStranded
  }

  get stats(): ClusterStats {
    return { ...this.#bus.stats, nodes: this.#nodes.size + 1, isDeaf: this.#isDeaf, isCutOff: this.isCutOff }
  }

  async start(): Promise<void> {
    const { bus } = this.#options
    this.#undo.push(
      this.#bus.subscribe(this.#toNodes, (message) => this.#heardNode(message), { withOwn: true }),
    )
    bus.onChange((isConnected) => {
      if (!isConnected) this.#becomeDeaf('the bus is unavailable')
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

  /** Sets how this node answers the others. */
  answerWith(answer: (question: Question) => unknown[]): void {
    this.#answer = answer
  }

  /** Receives messages from other nodes, except heartbeats, questions and answers. */
  onMessage(listener: (nodeId: string, message: NodeMessage) => void): void {
    this.#listeners.add(listener)
  }

  /** Called when a node joined that knows nothing about us, or we were not heard for a while. */
  onNewcomer(listener: () => void): void {
    this.#newcomers.add(listener)
  }

  onGone(listener: (nodeId: string) => void): void {
    this.#departures.add(listener)
  }

  /** Called when the node becomes stranded: its connections are better off on another node. */
  onStranded(listener: () => void): void {
    this.#stranded.onStranded(() => this.#guard(listener))
  }

  say(message: NodeMessage): void {
    this.#say(message)
  }

  /** The answers of all other nodes that are heard, within a second. */
  async ask(question: Question): Promise<unknown[]> {
    if (this.#nodes.size === 0 || this.#isClosed) return []
    return this.#questions.ask(question, this.#nodes.keys())
  }

  open(boardId: string, listener: BoardListener): BoardChannel {
    const { bus } = this.#options
    const subject = this.#bus.subjectOf(`board.${boardId.toLowerCase()}`)
    const end = this.#bus.subscribe(subject, ({ nodeId, body }) => {
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
    this.#channels.end()
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
      this.#options.log.warn({ err: error, nodeId }, 'a message from another node could not be read')
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
    // Its messages meanwhile were not heard, and its earlier ones were forgotten.
    if (this.#outOfSight.delete(nodeId)) this.#tellAgain()
    else for (const listener of this.#newcomers) this.#guard(listener)
  }

  /** It was unreachable: all messages in either direction meanwhile are lost. */
  #otherBack(nodeId: string): void {
    this.#channels.tell((listener) => listener.otherBackAgain(nodeId))
    for (const listener of this.#newcomers) this.#guard(listener)
    this.#channels.lookAtAll()
  }

  #gone(nodeId: string, why: string): void {
    if (!this.#nodes.delete(nodeId)) return
    this.#stranded.gone(nodeId)
    this.#options.log.info({ nodeId, why }, 'a node is gone')
    this.#channels.tell((listener) => listener.gone(nodeId))
    for (const listener of this.#departures) this.#guard(() => listener(nodeId))
    this.#questions.gone(nodeId)
  }

  #tick(): void {
    const now = performance.now()
    // A process that was stopped for long was gone for the others, and has missed their messages.
    const stoodStill = now - this.#tickedAt > deafAfterMs
    if (stoodStill) this.#becomeDeaf('this process was suspended')
    else if (now - this.#heardSelfAt > deafAfterMs) this.#becomeDeaf('nothing is heard')
    this.#tickedAt = now
    this.#beat()
    for (const [nodeId, at] of [...this.#nodes])
      if (now - at > goneAfterMs) {
        this.#gone(nodeId, 'not heard any more')
        this.#outOfSight.add(nodeId)
        this.#channels.lookAtAll()
      }
    this.#stranded.tick(this.#isDeaf, stoodStill)
    if (this.#ticks++ % lookAtDatabaseEvery === 0) void this.#lookAtDatabase()
    this.#channels.tick(this.isCutOff)
  }

  #becomeDeaf(why: string): void {
    if (this.#isDeaf || this.#isClosed) return
    this.#isDeaf = true
    this.#options.log.warn({ why }, 'other nodes are not heard; their edits are read from the database')
  }

  #hearAgain(): void {
    this.#isDeaf = false
    this.#options.log.info('other nodes are heard again')
    this.#tellAgain()
  }

  #tellAgain(): void {
    this.#say({ kind: 'back' })
    this.#channels.tell((listener) => listener.backAgain())
    for (const listener of this.#newcomers) this.#guard(listener)
  }

  #lookAtDatabase(): Promise<void> {
    this.#looking ??= this.#options
      .silentNodes(new Set(this.#nodes.keys()))
      .then(
        (silent) => {
          this.#silent = silent.filter((nodeId) => !this.#nodes.has(nodeId))
        },
        (error: unknown) =>
          this.#options.log.debug({ err: error }, 'could not read from the database which nodes are alive'),
      )
      .finally(() => {
        this.#looking = null
      })
    return this.#looking
  }

  /** An error in one listener must not affect the others. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.log.error({ err: error }, 'a message from another node caused an error')
    }
  }
}
