// Presence of one room, over the bytes of y-protocols' awareness messages: an entry a client id, each with the one
// connection that may speak for it. Only the newest state of a client goes out, at most once a window; JSON is
// parsed then and not when it comes in, so a flood of states costs no more than the window lets through.
//
// Stock clients send on every state that they hear, so hearing an id from a connection does not make the id its own.
// An id belongs to the connection whose document has it; one that comes back while its old socket is half open takes
// it over with its first new state, or inherits it when the old socket ends.
import { varUintBytes, writeVarUint } from '../../documents/var-uint.ts'
import { Reader } from '../messages.ts'
import type { PresenceEntry } from '../nodes/messages.ts'
import type { Speaker } from './speaker.ts'

const mostIdsOfASpeaker = 4
const mostStateBytes = 16 * 1024
const mostClock = 2 ** 31
const mostFarewells = 1000
const closingBrace = 0x7d
const nullState = Buffer.from('null')

interface Entry {
  clock: number
  speaker: Speaker
  /** A newer connection of the same client, as it seems: the id is its own once `speaker` is gone. */
  heir: Speaker | null
  /** As it came, not looked into yet; null where the newest state is encoded. */
  raw: { clock: number; state: Buffer } | null
  /** Client id, clock and state as they are sent; null before the first good state. */
  encoded: Uint8Array | null
}

/** Somebody who went: the id stays theirs, and who missed it is told later. */
interface Farewell {
  clock: number
  key: string
  encoded: Uint8Array
}

/** Somebody who is on another node. */
interface RemoteEntry extends PresenceEntry {
  nodeId: string
}

export class Awareness {
  readonly #entries = new Map<number, Entry>()
  readonly #farewells = new Map<number, Farewell>()
  readonly #dirty = new Set<number>()
  /** Whom other nodes speak of, and news of them that was not sent yet. */
  readonly #remote = new Map<number, RemoteEntry>()
  readonly #remoteNews = new Map<number, Uint8Array>()
  /** What others have heard that the state being read does not outdo. */
  #outdatedBy: Uint8Array | null = null
  readonly #onIgnored: () => void

  /** @param onIgnored an entry was not taken: its sender had no right to it, or it is too large. */
  constructor(onIgnored: () => void = () => undefined) {
    this.#onIgnored = onIgnored
  }

  get hasNews(): boolean {
    return this.#dirty.size > 0 || this.#remoteNews.size > 0
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * Takes what one connection says. What it has no right to is ignored without a word, because stock clients
   * re-send the states of others.
   * @param update body of an awareness message; copied where it is kept.
   * @param onOutdated is given the entry that says goodbye to an id of the speaker, where others have heard it and
   *   would take the speaker's state for older: a client that hears of its own end says with a new clock that it is there.
   * @returns false where the bytes are no awareness update.
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
      if (!this.#hear(speaker, clientId, clock, state)) this.#onIgnored()
      if (this.#outdatedBy === null) continue
      onOutdated?.(this.#outdatedBy)
      this.#outdatedBy = null
    }
    return reader.isAtEnd
  }

  /** The connection ended, or is silent: exactly the ids that it still speaks for go, or to those who inherit them. */
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
    // An anonymous client that comes back is a new principal, and the one that writes under its id.
    return (entry.heir ?? entry.speaker).principalKey
  }

  /**
   * The newest state of everyone who moved since the last call, encoded; empty where nobody did.
   * @param tell is given those that are of this node.
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
   * What another node says of those who are there. Somebody who came from here to there, or from there to here, is where
   * the newer state is.
   * @param isNews as it happened: of two equal ones, it is the later.
   */
  hearRemote(nodeId: string, entries: readonly PresenceEntry[], isNews: boolean): void {
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
        // Said again: whoever was never shown need not go.
        if (isNews || known !== undefined) this.#goneRemote(entry)
      } else {
        this.#farewells.delete(clientId)
        this.#remote.set(clientId, { ...entry, nodeId })
        if (known === undefined || known.clock < clock) this.#remoteNews.set(clientId, entry.encoded)
      }
    }
  }

  /** A node is gone, and everybody who was there. */
  remoteLeft(nodeId: string): void {
    for (const entry of [...this.#remote.values()]) {
      if (entry.nodeId !== nodeId) continue
      const { clientId, clock } = entry
      this.#goneRemote({ ...entry, isGone: true, encoded: encodeEntry(clientId, clock, nullState) })
    }
  }

  /** Whether somebody speaks as `principalKey` on another node. */
  isElsewhere(principalKey: string): boolean {
    for (const entry of this.#remote.values()) if (entry.principalKey === principalKey) return true
    return false
  }

  /** Everyone of this node, for another one. @param withGone and who went, for one that may not have heard it. */
  own(withGone: boolean): PresenceEntry[] {
    const ids = [...this.#entries.keys(), ...(withGone ? this.#farewells.keys() : [])]
    return ids.map((clientId) => this.#told(clientId)).filter((entry) => entry !== null)
  }

  #goneRemote(entry: PresenceEntry): void {
    const { clientId, clock, key, encoded } = entry
    this.#remote.delete(clientId)
    this.#sayFarewell(clientId, { clock, key, encoded })
    this.#remoteNews.set(clientId, encoded)
  }

  /** One of this node as others are told of it; null before its first good state. */
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

  /** Everyone who is here, for a joiner. What waits for the window is left to the window. */
  everyone(): Uint8Array[] {
    const entries: Uint8Array[] = []
    for (const { encoded } of this.#entries.values()) if (encoded !== null) entries.push(encoded)
    for (const { encoded } of this.#remote.values()) entries.push(encoded)
    return entries
  }

  /** Everyone who is here and who went: for a connection that was left out for a while. */
  everyoneAndFarewells(): Uint8Array[] {
    return [...Array.from(this.#farewells.values(), (farewell) => farewell.encoded), ...this.everyone()]
  }

  /** @returns whether the speaker may say this. */
  #hear(speaker: Speaker, clientId: number, clock: number, state: Uint8Array): boolean {
    const isNull = nullState.equals(state)
    const entry = this.#entries.get(clientId)
    if (entry === undefined) {
      const remote = this.#remote.get(clientId)
      if (remote !== undefined) {
        if (remote.key !== speaker.key) return false
        // Stock clients repeat what they hear; whoever comes from another node speaks of itself.
        if (isNull || speaker.ownId !== clientId || clock < remote.clock) return true
      }
      if (isNull || !this.#introduce(speaker, clientId, clock, state)) return false
      this.#remote.delete(clientId)
      return true
    }
    const newest = entry.raw?.clock ?? entry.clock
    if (entry.speaker === speaker) {
      // It lives: nobody has taken its place.
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
        // Another window repeats what it heard before its neighbour went.
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
   * `speaker` says something about an id that another connection speaks for.
   * @param isNews the clock is newer than any before. An echo has an old one.
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
    // The clock of the last state that others saw, as y-protocols removes: a state after it is news again.
    const encoded = encodeEntry(clientId, clock, nullState)
    this.#sayFarewell(clientId, { clock, key: entry.speaker.key, encoded })
    if (entry.encoded === null) this.#dirty.delete(clientId)
    else this.#dirty.add(clientId)
  }

  #sayFarewell(clientId: number, farewell: Farewell): void {
    this.#farewells.set(clientId, farewell)
    if (this.#farewells.size <= mostFarewells) return
    const [oldest] = this.#farewells.keys()
    if (oldest !== undefined) this.#farewells.delete(oldest)
  }

  /** @returns whether the entry has a new encoding; a state that is not a JSON object leaves the old one in place. */
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

/** A state as others get it: `principal` is the server's word, and so is the name in `user`. Null: no JSON object. */
function signedState(raw: Buffer, { principal, suffix }: Speaker): Uint8Array | null {
  try {
    const state: unknown = JSON.parse(raw.toString())
    if (typeof state !== 'object' || state === null || Array.isArray(state)) return null
    const fields = state as Record<string, unknown> // an object, and what is in it is checked below
    const { user } = fields
    const hasUser = typeof user === 'object' && user !== null
    const isNamed = !hasUser || (user as Record<string, unknown>).name === principal.name
    // The usual case costs no second pass: the bytes as they came, the principal put before the closing brace.
    if (
      isNamed &&
      !('principal' in fields) &&
      !Object.hasOwn(fields, '__proto__') &&
      raw.at(-1) === closingBrace
    ) {
      const body = raw.subarray(0, -1)
      return Object.keys(fields).length === 0
        ? Buffer.from(`{${suffix.toString().slice(1)}`)
        : Buffer.concat([body, suffix])
    }
    Reflect.deleteProperty(fields, '__proto__')
    if (hasUser) fields.user = { ...user, name: principal.name }
    fields.principal = principal
    return Buffer.from(JSON.stringify(fields))
  } catch {
    return null // not JSON, or nested too deep to be written again
  }
}

function encodeEntry(clientId: number, clock: number, state: Uint8Array): Uint8Array {
  const length = varUintBytes(clientId) + varUintBytes(clock) + varUintBytes(state.length) + state.length
  const entry = Buffer.allocUnsafe(length)
  const at = writeVarUint(entry, writeVarUint(entry, writeVarUint(entry, 0, clientId), clock), state.length)
  entry.set(state, at)
  return entry
}
