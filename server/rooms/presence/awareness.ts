// The awareness of one room, on the bytes of y-protocols' awareness messages: one entry per client id, with the one
// connection that may speak for it. Only the newest state of a client is sent, at most once per window. JSON is parsed
// then, and not on arrival, so a flood of states costs no more than the window lets through.
//
// Stock clients resend every state that they receive, so a connection that sends an id does not necessarily own it. An
// id belongs to the connection whose document has it. If a client reconnects while its old socket is half open, the new
// connection takes the id over with its first newer state, or inherits it when the old socket ends.
import { Reader } from '../messages.ts'
import type { PresenceEntry } from '../nodes/messages.ts'
import type { Speaker } from './speaker.ts'
import { encodeEntry, nullState, signedState } from './states.ts'

const mostIdsOfASpeaker = 4
const mostStateBytes = 16 * 1024
const mostClock = 2 ** 31
const mostFarewells = 1000

interface Entry {
  clock: number
  speaker: Speaker
  /** Probably a newer connection of the same client; it gets the id once `speaker` is gone. */
  heir: Speaker | null
  /** The newest state as it arrived, not parsed yet; null once it is encoded. */
  raw: { clock: number; state: Buffer } | null
  /** Client id, clock and state as they are sent; null before the first valid state. */
  encoded: Uint8Array | null
}

/** The removal of an entry. The id stays its owner's, and connections that missed the removal get it later. */
interface Farewell {
  clock: number
  key: string
  encoded: Uint8Array
}

/** An entry of another node. */
interface RemoteEntry extends PresenceEntry {
  nodeId: string
}

export class Awareness {
  readonly #entries = new Map<number, Entry>()
  readonly #farewells = new Map<number, Farewell>()
  readonly #dirty = new Set<number>()
  /** Entries of other nodes, and which of them are not sent yet. */
  readonly #remote = new Map<number, RemoteEntry>()
  readonly #remoteNews = new Map<number, Uint8Array>()
  /** The removal that others have received and that is newer than the state being read. */
  #outdatedBy: Uint8Array | null = null
  readonly #onIgnored: () => void

  /** @param onIgnored called for an entry that its sender may not send, or that is too large. */
  constructor(onIgnored: () => void = () => undefined) {
    this.#onIgnored = onIgnored
  }

  get hasNews(): boolean {
    return this.#dirty.size > 0 || this.#remoteNews.size > 0
  }

  /**
   * Takes the message of one connection. Entries that it may not send are ignored silently, because stock clients
   * resend the states of others.
   * @param update body of an awareness message; stored parts are copied.
   * @param onOutdated gets the removal of the speaker's own id if others have received it and would therefore ignore the
   *   speaker's state: a client that receives its own removal sends its state again with a higher clock.
   * @returns false if the bytes are not an awareness update.
   */
  receive(speaker: Speaker, update: Uint8Array, onOutdated?: (farewell: Uint8Array) => void): boolean {
    const reader = new Reader(update)
    const count = reader.varUint()
    if (count < 0 || count * 3 > update.length) return false
    for (let i = 0; i < count; i++) {
      const clientId = reader.varUint()
      const clock = reader.varUint()
      const state = reader.varBytes()
      if (clientId < 0 || clock < 0 || state === null) return false
      const isSound = clock <= mostClock && state.length <= mostStateBytes
      if (!isSound) {
        this.#onIgnored()
        continue
      }
      if (speaker.ownId === null && !nullState.equals(state)) speaker.ownId = clientId
      if (!this.#take(speaker, clientId, clock, state)) this.#onIgnored()
      if (this.#outdatedBy === null) continue
      onOutdated?.(this.#outdatedBy)
      this.#outdatedBy = null
    }
    return reader.isAtEnd
  }

  /** The connection ended or is silent: the ids that it still speaks for are removed, or go to those who inherit them. */
  leave(speaker: Speaker): void {
    speaker.hasLeft = true
    for (const clientId of speaker.ids) {
      const entry = this.#entries.get(clientId)
      if (entry === undefined) continue
      const { heir } = entry
      if (heir !== null && !heir.hasLeft && heir.ids.size < mostIdsOfASpeaker) {
        entry.speaker = heir
        entry.heir = null
        heir.ids.add(clientId)
      } else this.#remove(clientId, entry, entry.raw?.clock ?? entry.clock)
    }
    speaker.ids.clear()
  }

  /** The principal that speaks for a client id. */
  speakerOf(clientId: number): string | null {
    const entry = this.#entries.get(clientId)
    if (entry === undefined) return this.#remote.get(clientId)?.principalKey ?? null
    // An anonymous client that reconnects is a new principal, and writes under the same id.
    return (entry.heir ?? entry.speaker).principalKey
  }

  /**
   * The encoded entries that changed since the last call.
   * @param tell gets those of this node.
   */
  takeNews(tell?: (entries: PresenceEntry[]) => void): Uint8Array[] {
    const news: Uint8Array[] = [...this.#remoteNews.values()]
    this.#remoteNews.clear()
    if (tell !== undefined && this.#dirty.size > 0) {
      const dirty = [...this.#dirty]
      for (const clientId of dirty) {
        const entry = this.#entries.get(clientId)
        if (entry !== undefined) this.#encode(clientId, entry)
      }
      tell(dirty.flatMap((clientId) => this.#told(clientId) ?? []))
      for (const clientId of dirty) {
        const encoded = this.#entries.get(clientId)?.encoded ?? this.#farewells.get(clientId)?.encoded
        if (encoded !== undefined && encoded !== null) news.push(encoded)
      }
      this.#dirty.clear()
      return news
    }
    for (const clientId of this.#dirty) {
      const entry = this.#entries.get(clientId)
      if (entry === undefined) {
        const farewell = this.#farewells.get(clientId)
        if (farewell !== undefined) news.push(farewell.encoded)
      } else if (this.#encode(clientId, entry) && entry.encoded !== null) news.push(entry.encoded)
    }
    this.#dirty.clear()
    return news
  }

  /**
   * Takes entries of another node. A client that moved between the nodes is where its state has the higher clock.
   * @param isNews sent as it happened: with equal clocks, it is the newer one.
   */
  receiveRemote(nodeId: string, entries: readonly PresenceEntry[], isNews: boolean): void {
    for (const entry of entries) {
      const { clientId, clock, key, isGone } = entry
      const own = this.#entries.get(clientId)
      if (own !== undefined) {
        const newest = own.raw?.clock ?? own.clock
        if (isGone || own.speaker.key !== key || clock < newest || (clock === newest && !isNews)) continue
        own.speaker.ids.delete(clientId)
        this.#entries.delete(clientId)
        this.#dirty.delete(clientId)
      }
      const known = this.#remote.get(clientId)
      if (known !== undefined && known.nodeId !== nodeId && (isGone || clock < known.clock)) continue
      if (isGone) {
        // A repeated removal matters only if the entry was ever shown.
        if (isNews || known !== undefined) this.#removeRemote(entry)
      } else {
        this.#farewells.delete(clientId)
        this.#remote.set(clientId, { ...entry, nodeId })
        if (known === undefined || known.clock < clock) this.#remoteNews.set(clientId, entry.encoded)
      }
    }
  }

  /** A node is gone: removes all its entries. */
  remoteLeft(nodeId: string): void {
    for (const entry of [...this.#remote.values()]) {
      if (entry.nodeId !== nodeId) continue
      const { clientId, clock } = entry
      this.#removeRemote({ ...entry, isGone: true, encoded: encodeEntry(clientId, clock, nullState) })
    }
  }

  /** Whether an entry of another node belongs to `principalKey`. */
  isElsewhere(principalKey: string): boolean {
    for (const entry of this.#remote.values()) if (entry.principalKey === principalKey) return true
    return false
  }

  /** The entries of this node, for another one. @param withGone includes removals, which it may have missed. */
  own(withGone: boolean): PresenceEntry[] {
    const ids = [...this.#entries.keys(), ...(withGone ? this.#farewells.keys() : [])]
    return ids.map((clientId) => this.#told(clientId)).filter((entry) => entry !== null)
  }

  #removeRemote(entry: PresenceEntry): void {
    const { clientId, clock, key, encoded } = entry
    this.#remote.delete(clientId)
    this.#keepFarewell(clientId, { clock, key, encoded })
    this.#remoteNews.set(clientId, encoded)
  }

  /** An entry of this node as it is sent to others; null before its first valid state. */
  #told(clientId: number): PresenceEntry | null {
    const entry = this.#entries.get(clientId)
    if (entry !== undefined) {
      const { clock, encoded, speaker } = entry
      if (encoded === null) return null
      return {
        ...{ clientId, clock, encoded, isGone: false },
        ...{ key: speaker.key, principalKey: speaker.principalKey },
      }
    }
    const farewell = this.#farewells.get(clientId)
    return farewell === undefined ? null : { clientId, principalKey: '', isGone: true, ...farewell }
  }

  /** The entries of everyone, for a new connection. States that wait for the window follow with it. */
  everyone(): Uint8Array[] {
    const entries: Uint8Array[] = []
    for (const { encoded } of this.#entries.values()) if (encoded !== null) entries.push(encoded)
    for (const { encoded } of this.#remote.values()) entries.push(encoded)
    return entries
  }

  /** All entries and removals, for a connection that was skipped for a while. */
  everyoneAndFarewells(): Uint8Array[] {
    return [...Array.from(this.#farewells.values(), (farewell) => farewell.encoded), ...this.everyone()]
  }

  /** @returns whether the speaker may send this. */
  #take(speaker: Speaker, clientId: number, clock: number, state: Uint8Array): boolean {
    const isNull = nullState.equals(state)
    const entry = this.#entries.get(clientId)
    if (entry === undefined) {
      const remote = this.#remote.get(clientId)
      if (remote !== undefined) {
        if (remote.key !== speaker.key) return false
        // Stock clients repeat what they receive; only a client that moved here sends its own id.
        if (isNull || speaker.ownId !== clientId || clock < remote.clock) return true
      }
      if (isNull || !this.#introduce(speaker, clientId, clock, state)) return false
      this.#remote.delete(clientId)
      return true
    }
    const newest = entry.raw?.clock ?? entry.clock
    if (entry.speaker === speaker) {
      // It is alive, so no other connection has replaced it.
      if (clock > newest) entry.heir = null
    } else {
      const claim = this.#claim(clientId, entry, speaker, clock > newest)
      if (claim !== 'taken') return claim === 'repeated'
    }
    if (isNull) {
      if (clock < newest) return false
      speaker.ids.delete(clientId)
      this.#remove(clientId, entry, clock)
    } else if (clock > newest) {
      entry.raw = { clock, state: Buffer.from(state) }
      this.#dirty.add(clientId)
    }
    return true
  }

  #introduce(speaker: Speaker, clientId: number, clock: number, state: Uint8Array): boolean {
    if (speaker.ids.size >= mostIdsOfASpeaker) return false
    const farewell = this.#farewells.get(clientId)
    if (farewell !== undefined) {
      if (farewell.key !== speaker.key) return false
      if (clock <= farewell.clock) {
        // Another window of the browser repeats the state of one that has been closed.
        if (speaker.ownId !== clientId) return false
        this.#outdatedBy = farewell.encoded
        if (clock < farewell.clock) return false
      }
      this.#farewells.delete(clientId)
    }
    speaker.hasLeft = false
    speaker.ids.add(clientId)
    const raw = { clock, state: Buffer.from(state) }
    this.#entries.set(clientId, { clock, speaker, heir: null, raw, encoded: null })
    this.#dirty.add(clientId)
    return true
  }

  /**
   * `speaker` sends an id that another connection speaks for.
   * @param isNews the clock is higher than any before; an echo has an old one.
   */
  #claim(
    clientId: number,
    entry: Entry,
    speaker: Speaker,
    isNews: boolean,
  ): 'taken' | 'repeated' | 'refused' {
    const holder = entry.speaker
    if (holder.key !== speaker.key) return 'refused'
    const isOwn = speaker.ownId === clientId
    const isHolders = holder.ownId === clientId
    if (isHolders && !isOwn) return 'repeated'
    const mayTake = isOwn ? isNews || !isHolders : isNews && holder.age < speaker.age
    if (mayTake && speaker.ids.size < mostIdsOfASpeaker) {
      holder.ids.delete(clientId)
      speaker.hasLeft = false
      speaker.ids.add(clientId)
      entry.speaker = speaker
      entry.heir = null
      return 'taken'
    }
    if (isOwn && holder.age < speaker.age) {
      speaker.hasLeft = false
      entry.heir = speaker
    }
    return 'repeated'
  }

  #remove(clientId: number, entry: Entry, clock: number): void {
    this.#entries.delete(clientId)
    // With the clock of the last state that others saw, as in y-protocols, so that the next state is newer.
    const encoded = encodeEntry(clientId, clock, nullState)
    this.#keepFarewell(clientId, { clock, key: entry.speaker.key, encoded })
    if (entry.encoded === null) this.#dirty.delete(clientId)
    else this.#dirty.add(clientId)
  }

  #keepFarewell(clientId: number, farewell: Farewell): void {
    this.#farewells.set(clientId, farewell)
    if (this.#farewells.size <= mostFarewells) return
    const [oldest] = this.#farewells.keys()
    if (oldest !== undefined) this.#farewells.delete(oldest)
  }

  /** @returns whether there is a new encoding; a state that is not a JSON object leaves the old one in place. */
  #encode(clientId: number, entry: Entry): boolean {
    const { raw, speaker } = entry
    if (raw === null) return false
    entry.raw = null
    const state = signedState(raw.state, speaker)
    if (state === null) return false
    entry.clock = raw.clock
    entry.encoded = encodeEntry(clientId, raw.clock, state)
    return true
  }
}
