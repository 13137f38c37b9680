// Who may write under which Yjs client id. Writing under a connected colleague's id would make the colleague's next edits
// vanish, so an id belongs to the principal that first wrote under it. Edits of somebody who is away may be sent by
// others if they exactly continue the known ones: they are recorded as relayed, and compared when the owner comes back.
import type { ClientIdRule, Shown } from '../../documents/validate/verdict.ts'
import type { Author, RoomLimits } from '../ports.ts'
import { type Clocks, Relays, withoutRelayed } from './relays.ts'

/** Clocks of `owner`'s client id that somebody else sent while the owner was away. */
export interface Relayed extends Clocks {
  owner: string
  by: string
}

/** The owner came back, and its edits differ from those that `by` sent, or have been deleted. */
export interface Contested extends Clocks {
  owner: string
  by: string[]
  isDeleted: boolean
}

/** A connection as client ids see it. */
export interface Writer {
  readonly principalKey: string
  /** How many client ids were new when it wrote under them. */
  newClientIds: number
  /** Whether it speaks for this client id in presence, so that it has the id's own document. */
  speaksFor(clientId: number): boolean
}

/** The owner of all ids of a document that a rebuild replaced: accepting them would bring that document back. */
const retired = 'retired'
const mostSignIns = 10_000

const isAnonymous = (principalKey: string): boolean => principalKey.startsWith('anonymous:')
const hasNoAccount = (principalKey: string): boolean =>
  isAnonymous(principalKey) || principalKey.startsWith('guest:')

export class ClientIds {
  readonly #owners = new Map<number, string>()
  readonly #relays: Relays
  /** How many connections each person has in the room. */
  readonly #present = new Map<string, number>()
  /** Guests who signed in, and as whom: one person from then on, even if a tab of the guest is still open. */
  readonly #signedIn = new Map<string, string>()
  /** Ids with changes that are not logged yet; they are logged with the next edit. */
  readonly #changed = new Set<number>()
  /** Ids that are already reported as contested. */
  readonly #contested = new Set<number>()
  #retiredIds = 0
  readonly #limits: RoomLimits
  /** Who speaks for a client id in presence, which is its owner before the first write. */
  readonly #speakerOf: (clientId: number) => string | null
  /** Whether a person has the board open on another node. */
  readonly #isElsewhere: (principalKey: string) => boolean

  constructor(options: {
    authors: readonly Author[]
    limits: RoomLimits
    speakerOf: (clientId: number) => string | null
    isElsewhere?: (principalKey: string) => boolean
  }) {
    for (const { clientId, principal } of options.authors) {
      this.#owners.set(clientId, principal)
      if (principal === retired) this.#retiredIds++
    }
    this.#relays = new Relays(options.authors)
    this.#limits = options.limits
    this.#speakerOf = options.speakerOf
    this.#isElsewhere = options.isElsewhere ?? (() => false)
  }

  /** @param formerKey the guest that this user was before; from now on the guest's ids belong to the user. */
  joined(principalKey: string, formerKey: string | null): void {
    if (formerKey !== null) this.#handOver(formerKey, principalKey)
    const person = this.#personOf(principalKey)
    this.#present.set(person, (this.#present.get(person) ?? 0) + 1)
  }

  left(principalKey: string): void {
    const person = this.#personOf(principalKey)
    const count = (this.#present.get(person) ?? 0) - 1
    if (count > 0) this.#present.set(person, count)
    else this.#present.delete(person)
  }

  /**
   * Whether `writer` may extend `clientId`. If it belongs to somebody else: resync, not reject, because honest clients
   * relay edits.
   * @param fresh if the id is new to the board: how many new ids came before it in the same update; otherwise null.
   */
  judge(writer: Writer, clientId: number, fresh: number | null): ReturnType<ClientIdRule> {
    const isKnown = fresh === null
    const owner = this.#owners.get(clientId) ?? (isKnown ? null : this.#speakerOf(clientId))
    if (owner === retired) return 'reject'
    if (owner !== null)
      return this.#isSame(owner, writer.principalKey) || !this.#isHere(owner) ? 'ok' : 'resync'
    if (isKnown) return 'ok'
    const { maxNewClientsPerConnection, maxClientsPerBoard } = this.#limits
    if (writer.newClientIds + fresh >= maxNewClientsPerConnection)
      return {
        rule: 'connection_client_ids',
        message: `one connection may use at most ${maxNewClientsPerConnection} new client ids; import the rest over HTTP`,
      }
    if (this.#owners.size - this.#retiredIds + fresh >= maxClientsPerBoard)
      return {
        rule: 'board_client_ids',
        message: `this board has reached its limit of ${maxClientsPerBoard} client ids; changes under new ones are not saved until it is rebuilt`,
      }
    return 'ok'
  }

  /** An update of `writer` was applied. @returns the authors that changed, and newly relayed edits. */
  wrote(writer: Writer, writes: readonly Clocks[]): { authors: Author[]; relayed: Relayed[] } {
    const by = writer.principalKey
    const relayed: Relayed[] = []
    for (const write of writes) {
      const { clientId, fromClock } = write
      const owner = this.#owners.get(clientId)
      if (owner !== undefined && this.#isSame(owner, by)) continue
      // An anonymous client that reconnects is a new principal with its old id, and so is one that became a guest.
      if (owner === undefined || (isAnonymous(owner) && hasNoAccount(by))) {
        this.#owners.set(clientId, by)
        if (fromClock === 0) writer.newClientIds++
        if (owner === undefined || !isAnonymous(by)) this.#changed.add(clientId)
      } else {
        if (this.#relays.add(by, write)) relayed.push({ ...write, owner, by })
        this.#changed.add(clientId)
      }
    }
    return { authors: this.#takeChanged(), relayed }
  }

  /** Takes authors from another node, which replace the known ones. */
  learned(authors: readonly Author[]): void {
    for (const { clientId, principal, relays } of authors) {
      const former = this.#owners.get(clientId)
      if (former !== retired && principal === retired) this.#retiredIds++
      if (former === retired && principal !== retired) continue
      this.#owners.set(clientId, principal)
      this.#relays.replace(clientId, relays ?? [])
    }
  }

  /** Clocks of this principal's id that somebody else sent and that it has not shown yet. */
  unshown(principalKey: string, clientId: number): Clocks | null {
    const owner = this.#relays.isEmpty ? undefined : this.#owners.get(clientId)
    return owner !== undefined && this.#isSame(owner, principalKey) ? this.#relays.range(clientId) : null
  }

  /** The state vector for sync step 1 to this principal, without the clocks that it must show. */
  questionFor(principalKey: string, stateVector: Uint8Array): Uint8Array {
    if (this.#relays.isEmpty) return stateVector
    const relayed = Array.from(this.#relays.clientIds(), (clientId) => this.unshown(principalKey, clientId))
    return withoutRelayed(
      stateVector,
      relayed.filter((clocks) => clocks !== null),
    )
  }

  /**
   * The owner has shown relayed clocks, which are the same, or deleted by now.
   * @returns reports about those that were deleted, once.
   */
  shown(writer: Writer, shown: readonly Shown[]): Contested[] {
    const news: Contested[] = []
    for (const clocks of shown) {
      const { clientId, isDeleted, isExtended } = clocks
      if (isDeleted) news.push(...this.contested(clientId, true))
      // Another document of the owner may have them only from the board.
      if (!isExtended && !writer.speaksFor(clientId)) continue
      this.#relays.forget(clientId)
      this.#changed.add(clientId)
    }
    return news
  }

  /** The owner's edits differ from those relayed. @returns the report, empty if it was reported before. */
  contested(clientId: number, isDeleted: boolean): Contested[] {
    const clocks = this.#relays.range(clientId)
    const owner = this.#owners.get(clientId)
    if (clocks === null || owner === undefined || this.#contested.has(clientId)) return []
    this.#contested.add(clientId)
    return [{ ...clocks, owner, by: this.#relays.sendersOf(clocks), isDeleted }]
  }

  #handOver(guestKey: string, userKey: string): void {
    if (this.#signedIn.has(guestKey) || this.#signedIn.size >= mostSignIns) return
    this.#signedIn.set(guestKey, userKey)
    const tabs = this.#present.get(guestKey) ?? 0
    this.#present.delete(guestKey)
    if (tabs > 0) this.#present.set(userKey, (this.#present.get(userKey) ?? 0) + tabs)
    for (const [clientId, owner] of this.#owners) {
      if (owner !== guestKey) continue
      this.#owners.set(clientId, userKey)
      this.#changed.add(clientId)
    }
  }

  #takeChanged(): Author[] {
    const authors: Author[] = []
    for (const clientId of this.#changed) {
      const principal = this.#owners.get(clientId)
      const relays = this.#relays.of(clientId)
      if (principal !== undefined)
        authors.push({
          clientId,
          principal,
          ...(relays.length > 0 ? { relays: structuredClone(relays) } : {}),
        })
    }
    this.#changed.clear()
    return authors
  }

  #personOf = (principalKey: string): string => this.#signedIn.get(principalKey) ?? principalKey
  #isSame = (one: string, other: string): boolean => this.#personOf(one) === this.#personOf(other)
  #isHere = (principalKey: string): boolean => {
    const person = this.#personOf(principalKey)
    return this.#present.has(person) || this.#isElsewhere(person) || this.#isElsewhere(principalKey)
  }
}
