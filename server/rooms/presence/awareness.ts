// Presence of one room, over the bytes of y-protocols' awareness messages: an entry a client id, each with the one
// connection that may speak for it. Only the newest state of a client goes out, at most once a window; JSON is
// parsed then and not when it comes in, so a flood of states costs no more than the window lets through.
import type { PublicPrincipal } from '../../../shared/protocol.ts'
import { varUintBytes, writeVarUint } from '../../documents/var-uint.ts'
import { Reader } from '../messages.ts'

const mostIdsOfASpeaker = 4
const mostStateBytes = 16 * 1024
const mostClock = 2 ** 31
const mostFarewells = 1000
const closingBrace = 0x7d
const nullState = Buffer.from('null')

/**
 * A connection as presence sees it. The older of two with the same key yields its ids to the newer one, so that a
 * half-open socket neither mutes the one that replaced it nor takes its cursor along when it ends.
 */
export class Speaker {
  /** Who it is: the principal, for anonymous ones address and user agent. */
  readonly key: string
  readonly principalKey: string
  /** Order of joining. */
  readonly age: number
  /** Shown instead of whatever name the client gives itself. */
  readonly principal: PublicPrincipal
  readonly ids = new Set<number>()
  /** `,"principal":{…}}`, which ends every state of this speaker. */
  readonly suffix: Buffer

  constructor(options: { key: string; principalKey: string; age: number; principal: PublicPrincipal }) {
    this.key = options.key
    this.principalKey = options.principalKey
    this.age = options.age
    this.principal = options.principal
    this.suffix = Buffer.from(`,"principal":${JSON.stringify(options.principal)}}`)
  }
}

interface Entry {
  clock: number
  speaker: Speaker
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

export class Awareness {
  readonly #entries = new Map<number, Entry>()
  readonly #farewells = new Map<number, Farewell>()
  readonly #dirty = new Set<number>()
  readonly #onIgnored: () => void

  /** @param onIgnored an entry was not taken: its sender had no right to it, or it is too large. */
  constructor(onIgnored: () => void = () => undefined) {
    this.#onIgnored = onIgnored
  }

  get hasNews(): boolean {
    return this.#dirty.size > 0
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * Takes what one connection says. What it has no right to is ignored without a word, because stock clients
   * re-send the states of others.
   * @param update body of an awareness message; copied where it is kept.
   * @returns false where the bytes are no awareness update.
   */
  receive(speaker: Speaker, update: Uint8Array): boolean {
    const reader = new Reader(update)
    const count = reader.varUint()
    if (count < 0 || count * 3 > update.length) return false
    for (let i = 0; i < count; i++) {
      const clientId = reader.varUint()
      const clock = reader.varUint()
      const state = reader.varBytes()
      if (clientId < 0 || clock < 0 || state === null) return false
      const isSound = clock <= mostClock && state.length <= mostStateBytes
      if (!isSound || !this.#hear(speaker, clientId, clock, state)) this.#onIgnored()
    }
    return reader.isAtEnd
  }

  /** The connection ended: exactly the ids that it still speaks for go. */
  leave(speaker: Speaker): void {
    for (const clientId of speaker.ids) {
      const entry = this.#entries.get(clientId)
      if (entry !== undefined) this.#remove(clientId, entry, entry.raw?.clock ?? entry.clock)
    }
    speaker.ids.clear()
  }

  /** The principal that speaks for a client id. */
  speakerOf(clientId: number): string | null {
    return this.#entries.get(clientId)?.speaker.principalKey ?? null
  }

  /** The newest state of everyone who moved since the last call, encoded; empty where nobody did. */
  takeNews(): Uint8Array[] {
    const news: Uint8Array[] = []
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

  /** Everyone who is here, for a joiner. What waits for the window is left to the window. */
  everyone(): Uint8Array[] {
    const entries: Uint8Array[] = []
    for (const { encoded } of this.#entries.values()) if (encoded !== null) entries.push(encoded)
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
      const farewell = this.#farewells.get(clientId)
      const isTaken = farewell !== undefined && (farewell.key !== speaker.key || clock < farewell.clock)
      if (isNull || isTaken || speaker.ids.size >= mostIdsOfASpeaker) return false
      this.#farewells.delete(clientId)
      speaker.ids.add(clientId)
      this.#entries.set(clientId, {
        clock,
        speaker,
        raw: { clock, state: Buffer.from(state) },
        encoded: null,
      })
      this.#dirty.add(clientId)
      return true
    }
    if (entry.speaker !== speaker && !this.#takeOver(clientId, entry, speaker)) return false
    const newest = entry.raw?.clock ?? entry.clock
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

  #takeOver(clientId: number, entry: Entry, speaker: Speaker): boolean {
    const isSuccessor = entry.speaker.key === speaker.key && entry.speaker.age < speaker.age
    if (!isSuccessor || speaker.ids.size >= mostIdsOfASpeaker) return false
    entry.speaker.ids.delete(clientId)
    entry.speaker = speaker
    speaker.ids.add(clientId)
    return true
  }

  #remove(clientId: number, entry: Entry, clock: number): void {
    this.#entries.delete(clientId)
    // The clock of the last state that others saw, as y-protocols removes: a state after it is news again.
    const encoded = encodeEntry(clientId, clock, nullState)
    this.#farewells.set(clientId, { clock, key: entry.speaker.key, encoded })
    if (this.#farewells.size > mostFarewells) {
      const [oldest] = this.#farewells.keys()
      if (oldest !== undefined) this.#farewells.delete(oldest)
    }
    if (entry.encoded === null) this.#dirty.delete(clientId)
    else this.#dirty.add(clientId)
  }

  /** @returns whether the entry has a new encoding; a state that is no JSON object leaves the old one standing. */
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
