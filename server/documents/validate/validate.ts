// Validates the bytes of an update from outside before Yjs reads it. Yjs integrates a valid update completely, without
// throwing and without leaving anything pending. The rules and what each protects: docs/security.md#updates.
import * as Y from 'yjs'
import { type Block, type Blocks, Dependencies } from './blocks.ts'
import { Conflicts } from './conflicts.ts'
import { ContentRef, readContent } from './content.ts'
import { continuesInPlace } from './continuation.ts'
import { Crowds, placeNumber } from './crowds.ts'
import { readDeleteSet } from './delete-set.ts'
import { type MapEntry, refuseLiveEntries } from './map-entries.ts'
import { NewRoots } from './new-roots.ts'
import { Anchor, checkPlace, type Place, Placements, Role } from './placement.ts'
import { Contradicted, Showings } from './relays.ts'
import { Splits } from './splits.ts'
import { clockTooLarge, endOf, Refused, UpdateReader } from './update-reader.ts'
import type { ClientIdRule, RelayedClocks, ResyncRule, ValidationLimits, Verdict, Write } from './verdict.ts'

const originBit = 0x80
const rightOriginBit = 0x40
const parentSubBit = 0x20
const contentBits = 0x1f

/** The least size of a client's part (three numbers and a GC), and of a struct. */
const minClientBytes = 5
const minStructBytes = 2

const nothingRelayed: RelayedClocks = () => null

/**
 * Validates a Yjs v1 update against the document to which it would be applied. If the outcome is `ok`, it is safe to apply
 * it, until anything else changes the document.
 * @param update read only, not retained.
 * @param doc never changed, root types included.
 * @param clientIds called before a verdict of `ok`, once for each client that the update extends.
 * @param relayed called once per client: clocks that somebody else sent under the sender's ids must be shown.
 * @returns never throws because of the bytes. `reject` takes precedence over `resync`: malformed bytes are no reason to sync.
 */
export function validateUpdate(
  update: Uint8Array,
  doc: Y.Doc,
  clientIds: ClientIdRule,
  limits: ValidationLimits,
  relayed = nothingRelayed,
): Verdict {
  try {
    return new Inspection({ update, doc, clientIds, limits, relayed }).run()
  } catch (error) {
    if (error instanceof Contradicted) {
      const { rule, message, clientId } = error
      return { outcome: 'reject', rule, message, clientId }
    }
    if (error instanceof Refused) return { outcome: 'reject', rule: error.rule, message: error.message }
    throw error
  }
}

class Inspection implements Blocks {
  readonly #reader: UpdateReader
  readonly #doc: Y.Doc
  readonly #clientIds: ClientIdRule
  readonly #limits: ValidationLimits

  readonly #writes: Write[] = []
  readonly #newClients: number[] = []
  readonly #roots: NewRoots
  #deletedClocks = 0
  /** What the board lacks for this update. Reading continues, because malformed bytes take precedence. */
  #resync: ResyncRule | null = null

  /** Only for updates with several structs; a single one can only refer to the document. */
  #placements: Placements | null = null
  /** Only for updates with several clients. */
  #dependencies: Dependencies | null = null
  #onlyBlock: Block | null = null
  /** The only struct, if it is a map entry of several clocks. */
  #onlyEntry: MapEntry | null = null
  readonly #conflicts: Conflicts
  readonly #crowds: Crowds
  readonly #splits: Splits
  readonly #showings: Showings
  #structs = 0
  /** Of the struct being read; reused for all of them. */
  readonly #place: Place = {
    role: Role.leaf,
    anchor: Anchor.none,
    anchorClient: 0,
    anchorClock: 0,
    isKeyed: false,
    isSplittable: false,
  }

  constructor({
    update,
    doc,
    clientIds,
    limits,
    relayed,
  }: {
    update: Uint8Array
    doc: Y.Doc
    clientIds: ClientIdRule
    limits: ValidationLimits
    relayed: RelayedClocks
  }) {
    this.#reader = new UpdateReader(update)
    this.#doc = doc
    this.#clientIds = clientIds
    this.#limits = limits
    this.#roots = new NewRoots(doc, limits)
    this.#conflicts = new Conflicts(doc, limits.maxConflictStepsPerUpdate)
    this.#crowds = new Crowds(update.length, limits.minCrowdBytes)
    this.#splits = new Splits(doc, limits)
    this.#showings = new Showings(doc, relayed)
  }

  run(): Verdict {
    const clients = this.#reader.readCount(minClientBytes)
    if (clients > 1) this.#dependencies = new Dependencies()
    for (let i = 0; i < clients; i++) this.#readClient()
    this.#splits.cutNew()
    const deleteSet = this.#reader.position
    const bringsNothing = this.#writes.length === 0
    const deletes = readDeleteSet(
      this.#reader,
      this.#doc,
      (clientId) => this.#reachedBy(clientId),
      bringsNothing,
      this.#splits,
      this.#limits,
    )
    this.#splits.cutNew()
    if (deletes.isAhead) this.#resync ??= 'unknown_delete'
    if (this.#reader.bytesLeft > 0) throw new Refused('trailing_bytes', 'bytes follow the end of the update')
    if (this.#newClients.length > this.#limits.maxNewClientsPerUpdate)
      throw new Refused(
        'new_clients',
        `${this.#newClients.length} new client ids; ${this.#limits.maxNewClientsPerUpdate} are allowed in one update`,
      )
    if (this.#resync === null) this.#checkStructure(deleteSet)
    if (this.#resync === null) this.#askForClientIds()
    const shown = this.#showings.result(this.#writes)
    if (shown === null) this.#resync ??= 'client_id'
    if (this.#resync !== null || shown === null)
      return { outcome: 'resync', rule: this.#resync ?? 'client_id' }
    return {
      outcome: 'ok',
      newClients: this.#newClients,
      writes: this.#writes,
      empty: deletes.isEmpty && this.#roots.names.length === 0,
      newRoots: this.#roots.names,
      shown,
      suspects: this.#suspects(),
    }
  }

  #readClient(): void {
    const reader = this.#reader
    const structs = reader.readCount(minStructBytes)
    if (structs === 0) throw new Refused('no_structs', 'a client is listed without structs')
    this.#structs += structs
    if (this.#structs > this.#limits.maxStructsPerUpdate)
      throw new Refused(
        'structs',
        `an update may have at most ${this.#limits.maxStructsPerUpdate} structs; import larger documents over HTTP`,
      )
    const clientId = reader.readVarUint()
    let clock = reader.readVarUint()
    const known = Y.getState(this.#doc.store, clientId)
    const block: Block = { clientId, known, reached: known }
    if (this.#dependencies === null) this.#onlyBlock = block
    else if (!this.#dependencies.add(block)) throw new Refused('client_twice', 'a client is listed twice')
    if (structs > 1 || this.#dependencies !== null) {
      this.#placements ??= new Placements()
      this.#placements.open(clientId)
    }
    this.#showings.open(clientId)
    for (let i = 0; i < structs; i++) clock = this.#readStruct(block, clock)
    this.#placements?.close(clientId)
    if (block.reached > known) {
      this.#writes.push({ clientId, fromClock: known, toClock: block.reached })
      if (known === 0) this.#newClients.push(clientId)
    }
  }

  /** @returns the clock after the struct. */
  #readStruct(block: Block, clock: number): number {
    const reader = this.#reader
    const from = reader.position
    const info = reader.readByte()
    const ref = info & contentBits
    const place = this.#place
    place.anchor = Anchor.none
    place.isKeyed = false
    if (ref === ContentRef.gc || ref === ContentRef.skip) {
      if (info !== ref) throw new Refused('info', 'a struct without content has bits set')
      const end = endOf(clock, reader.readVarUint(), this.#limits)
      place.role = Role.gone
      place.isSplittable = false
      // A skip means clocks that the sender left out; whether they are missing only shows with the next struct.
      if (ref === ContentRef.skip) return end
      if (this.#showings.concerns(clock, end))
        this.#showings.show({ clientId: block.clientId, clock, end, bytes: null })
      this.#extend(block, clock, end)
      return end
    }

    const { neighbours } = this.#conflicts
    neighbours.originClient = -1
    neighbours.rightClient = -1
    if ((info & originBit) !== 0) {
      this.#readAnchor(block, clock, Anchor.neighbour)
      neighbours.originClient = place.anchorClient
      neighbours.originClock = place.anchorClock
    }
    if ((info & rightOriginBit) !== 0) {
      neighbours.rightClient = reader.readVarUint()
      neighbours.rightClock = this.#readDependencyClock(block, clock, neighbours.rightClient)
      if (place.anchor === Anchor.none) {
        place.anchor = Anchor.neighbour
        place.anchorClient = neighbours.rightClient
        place.anchorClock = neighbours.rightClock
      }
    }
    let root: string | null = null
    let keyFrom = 0
    let keyTo = 0
    if (place.anchor === Anchor.none) {
      const kind = reader.readVarUint()
      if (kind === 0) this.#readAnchor(block, clock, Anchor.parent)
      else if (kind === 1) {
        place.anchor = Anchor.root
        root = this.#readRootName()
      } else throw new Refused('info', 'a parent is neither a name nor an id')
      if ((info & parentSubBit) !== 0) {
        place.isKeyed = true
        keyFrom = reader.skipKey(this.#limits.maxKeyBytes, this.#limits.forbiddenKey)
        keyTo = reader.position
      }
    }
    const length = readContent(reader, ref, this.#limits)
    const end = endOf(clock, length, this.#limits)
    place.role = ref === ContentRef.type ? Role.type : ref === ContentRef.deleted ? Role.gone : Role.leaf
    place.isSplittable = length > this.#limits.maxClocksOfMapEntry && ref !== ContentRef.deleted
    if (this.#showings.concerns(clock, end)) {
      const bytes = reader.bytes.subarray(from, reader.position)
      this.#showings.show({ clientId: block.clientId, clock, end, bytes })
    }
    if (clock < block.known && block.known < end && this.#resync === null) {
      const key = place.isKeyed ? reader.text(keyFrom, keyTo) : null
      if (!continuesInPlace(this.#doc, block.clientId, place, root, key)) this.#resync = 'missing_dependency'
    }
    if (end > block.known && this.#resync === null)
      this.#crowds.add(
        placeNumber(neighbours, place, root, reader.bytes.subarray(keyFrom, keyTo)),
        this.#conflicts.count(place, root, () => reader.text(keyFrom, keyTo)) > 0,
      )
    this.#splits.add(block.clientId, clock, end, ref === ContentRef.any || ref === ContentRef.json)
    if (neighbours.originClient >= 0) this.#splits.cut(neighbours.originClient, neighbours.originClock + 1)
    if (neighbours.rightClient >= 0) this.#splits.cut(neighbours.rightClient, neighbours.rightClock)
    this.#extend(block, clock, end)
    return end
  }

  #readAnchor(block: Block, clock: number, anchor: number): void {
    const place = this.#place
    place.anchor = anchor
    place.anchorClient = this.#reader.readVarUint()
    place.anchorClock = this.#readDependencyClock(block, clock, place.anchorClient)
  }

  /** Counts the clocks from `clock` to `end` of the struct that was just read. */
  #extend(block: Block, clock: number, end: number): void {
    if (end <= block.known) return
    if (clock > block.reached) {
      this.#resync ??= 'gap'
      return
    }
    const place = this.#place
    if (place.role === Role.gone) {
      this.#deletedClocks += end - Math.max(clock, block.known)
      if (this.#deletedClocks > this.#limits.maxDeletedClocksPerUpdate)
        throw new Refused('deleted_clocks', 'too many deleted clocks in one update')
    }
    block.reached = end
    if (this.#placements !== null) this.#placements.add(clock, place)
    else if (this.#resync === null && checkPlace(place, this.#doc, this.#limits.maxTypeNesting))
      this.#onlyEntry = { clientId: block.clientId, fromClock: Math.max(clock, block.known), toClock: end }
  }

  /** Reads the clock of an id on which the struct at `clock` depends: an origin or a parent. */
  #readDependencyClock(block: Block, clock: number, clientId: number): number {
    const dependency = this.#reader.readVarUint()
    const { maxClock } = this.#limits
    if (dependency > maxClock) throw clockTooLarge(maxClock)
    if (clientId === block.clientId) {
      if (dependency >= clock)
        throw new Refused('dependency_order', 'a struct refers to itself or to a later one of its client')
    } else if (dependency >= Y.getState(this.#doc.store, clientId)) {
      // Yjs also waits for the dependencies of known structs, although it does not need them.
      if (this.#dependencies === null || clock < block.known) this.#resync ??= 'missing_dependency'
      else this.#dependencies.wait(block, clock, clientId, dependency)
    }
    return dependency
  }

  /** Reads the name of the root type that contains a struct. */
  #readRootName(): string {
    const from = this.#reader.skipKey(this.#limits.maxRootNameBytes, this.#limits.forbiddenKey, 'root_name')
    const name = this.#reader.text(from, this.#reader.position)
    this.#roots.add(name)
    return name
  }

  #reachedBy(clientId: number): number {
    const block =
      this.#onlyBlock?.clientId === clientId ? this.#onlyBlock : this.#dependencies?.blockOf(clientId)
    return block === undefined || block === null ? Y.getState(this.#doc.store, clientId) : block.reached
  }

  #checkStructure(deleteSet: number): void {
    if (this.#dependencies !== null) {
      const order = this.#dependencies.resolve()
      if (order === 'missing') this.#resync = 'missing_dependency'
      if (order === 'cycle')
        throw new Refused('dependency_cycle', 'structs of several clients depend on each other')
      if (order !== 'complete') return
    }
    const entries = this.#placements?.check(this, this.#doc, this.#limits.maxTypeNesting) ?? []
    if (this.#onlyEntry !== null) entries.push(this.#onlyEntry)
    if (entries.length === 0) return
    this.#reader.position = deleteSet
    refuseLiveEntries(entries, this.#reader)
  }

  /** The client's part of the update, if any; for placements. */
  blockOf(clientId: number): Block | undefined {
    if (this.#dependencies !== null) return this.#dependencies.blockOf(clientId)
    return this.#onlyBlock?.clientId === clientId ? this.#onlyBlock : undefined
  }

  #suspects(): number {
    const { mostSteps, structs } = this.#crowds
    return mostSteps > this.#limits.maxConflictStepsPerUpdate ? structs : 0
  }

  #askForClientIds(): void {
    for (const { clientId, fromClock } of this.#writes) {
      const answer = this.#clientIds(clientId, fromClock > 0, fromClock)
      if (answer === 'reject')
        throw new Refused('client_id', `client id ${clientId} belongs to somebody else`)
      if (answer === 'resync') this.#resync = 'client_id'
      if (typeof answer === 'object') throw new Refused(answer.rule, answer.message)
    }
  }
}
