// Who may write under which Yjs client id. Writing under a live colleague's id makes the colleague's own next edits
// vanish, so an id belongs to the principal that wrote under it first; what peers hold of somebody who is away is
// accepted as an exact continuation, and remembered as relayed.
import type { Author, RoomLimits } from './ports.ts'

/** Clocks `fromClock` to `toClock` of `owner`'s client id came from somebody else while the owner was away. */
export interface Relayed {
  clientId: number
  owner: string
  by: string
  fromClock: number
  toClock: number
}

/** A connection as its writes are judged. */
export interface Writer {
  readonly principalKey: string
  /** Client ids that it brought to the board. */
  newClientIds: number
}

interface Write {
  readonly clientId: number
  readonly fromClock: number
  readonly toClock: number
}

/** Owner of the ids of a document that was replaced by a rebuild: whoever brings them in would bring it all back. */
const retired = 'retired'

const isAnonymous = (principalKey: string): boolean => principalKey.startsWith('anonymous:')

export class ClientIds {
  readonly #owners = new Map<number, string>()
  /** How many connections each principal has in the room. */
  readonly #present = new Map<string, number>()
  #retiredIds = 0
  readonly #limits: RoomLimits
  /** Who speaks for a client id in presence: before its first write, that is whose it is. */
  readonly #speakerOf: (clientId: number) => string | null

  constructor(options: {
    authors: readonly Author[]
    limits: RoomLimits
    speakerOf: (clientId: number) => string | null
  }) {
    for (const { clientId, principal } of options.authors) {
      this.#owners.set(clientId, principal)
      if (principal === retired) this.#retiredIds++
    }
    this.#limits = options.limits
    this.#speakerOf = options.speakerOf
  }

  joined(principalKey: string): void {
    this.#present.set(principalKey, (this.#present.get(principalKey) ?? 0) + 1)
  }

  left(principalKey: string): void {
    const count = (this.#present.get(principalKey) ?? 0) - 1
    if (count > 0) this.#present.set(principalKey, count)
    else this.#present.delete(principalKey)
  }

  /** Whether `writer` may extend `clientId`. resync and not reject where it is somebody's: honest clients relay. */
  judge(writer: Writer, clientId: number, isKnown: boolean): 'ok' | 'resync' | 'reject' {
    const owner = this.#owners.get(clientId) ?? (isKnown ? null : this.#speakerOf(clientId))
    if (owner === retired) return 'reject'
    if (owner === writer.principalKey) return 'ok'
    if (owner !== null) return this.#present.has(owner) ? 'resync' : 'ok'
    if (isKnown) return 'ok'
    const hasRoom =
      writer.newClientIds < this.#limits.maxNewClientsPerConnection &&
      this.#owners.size - this.#retiredIds < this.#limits.maxClientsPerBoard
    return hasRoom ? 'ok' : 'reject'
  }

  /** An update of `writer` was applied. @returns ids that are new on the board, and what was relayed. */
  wrote(writer: Writer, writes: readonly Write[]): { authors: Author[]; relayed: Relayed[] } {
    const authors: Author[] = []
    const relayed: Relayed[] = []
    for (const { clientId, fromClock, toClock } of writes) {
      const owner = this.#owners.get(clientId)
      if (owner === writer.principalKey) continue
      if (owner === undefined || (isAnonymous(owner) && isAnonymous(writer.principalKey))) {
        // An anonymous client that reconnects is a new principal with its old id.
        this.#owners.set(clientId, writer.principalKey)
        if (fromClock === 0) writer.newClientIds++
        if (owner === undefined) authors.push({ clientId, principal: writer.principalKey })
      } else relayed.push({ clientId, owner, by: writer.principalKey, fromClock, toClock })
    }
    return { authors, relayed }
  }
}
