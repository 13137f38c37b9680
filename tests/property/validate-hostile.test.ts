// Small updates from a seed: honest ones with bytes changed, and parts combined at random. All go to our validation,
// with its limits lowered so that nothing large can pass. Only accepted updates are applied, as a room does: then
// nothing throws, nothing stays pending, and the board still emits updates. A failure names seed and number, but no bytes.
// `VALIDATE_HOSTILE=100000 VALIDATE_SEED=7 node dist/tests/property/…` for more.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { validateUpdate } from '../../server/documents/validate/validate.ts'
import {
  defaultValidationLimits,
  type ValidationLimits,
  type Verdict,
} from '../../server/documents/validate/verdict.ts'
import { YjsEditor } from '../helpers/editors.ts'
import { spentMs } from '../helpers/effort.ts'
import { countFromEnvironment, Random } from '../helpers/random.ts'
import { contentOf, type Id, type Part, type Struct, writeUpdate } from '../helpers/update-writer.ts'

const updatesToTry = countFromEnvironment('VALIDATE_HOSTILE', 6_000)
const firstSeed = countFromEnvironment('VALIDATE_SEED', 1)
const probeClient = 77
/** Inputs are cut here, so that none is large whatever was changed in it. */
const mostBytes = 4 * 1024
const limits: ValidationLimits = {
  ...defaultValidationLimits,
  maxClock: 5_000,
  maxDeletedClocksPerUpdate: 1_000,
  maxTypeNesting: 10,
  maxValueNesting: 8,
  maxKeyBytes: 64,
  forbiddenKey: 'forbidden',
  maxStructsPerUpdate: 200,
  maxConflictStepsPerUpdate: 10_000,
  maxCopiedValuesPerUpdate: 10_000,
  maxMovedStructsPerUpdate: 10_000,
}
/** Far above what an update of these sizes takes, and far below a freeze; test machines are busy. */
const maxMs = 1_000

interface Tally {
  ok: number
  resync: number
  reject: number
  slowestMs: number
}

/** A board that receives attacks, one after the other. */
class Target {
  readonly doc = new Y.Doc()
  readonly clients: number[] = []
  readonly honest: Uint8Array[] = []
  #emitted = 0

  constructor(random: Random) {
    const editor = new YjsEditor(1 + random.below(5))
    this.clients.push(editor.clientId, 900 + random.below(4))
    this.doc.on('update', () => this.#emitted++)
    for (let i = 0; i < 12; i++) editor.edit(random)
    this.honest.push(...editor.take())
    for (const update of this.honest) Y.applyUpdate(this.doc, update)
    this.honest.push(editor.diff())
    const other = new YjsEditor(this.clients[1]!)
    other.apply(editor.diff())
    for (let i = 0; i < 6; i++) other.edit(random)
    this.honest.push(...other.take(), other.diff())
  }

  attack(made: Uint8Array, what: string, tally: Tally): void {
    const update = made.subarray(0, mostBytes)
    const roots = this.doc.share.size
    const started = spentMs()
    const verdict: Verdict = validateUpdate(update, this.doc, () => 'ok', limits)
    assert.is(this.doc.share.size, roots, `${what}: the inspection made a root`)
    tally[verdict.outcome]++
    if (verdict.outcome === 'ok') this.#apply(update, verdict, what)
    const tookMs = spentMs() - started
    tally.slowestMs = Math.max(tally.slowestMs, tookMs)
    assert.ok(tookMs < maxMs, `${what}: took ${tookMs} ms`)
  }

  #apply(update: Uint8Array, verdict: Extract<Verdict, { outcome: 'ok' }>, what: string): void {
    const before = verdict.empty ? Y.snapshot(this.doc) : null
    try {
      Y.applyUpdate(this.doc, update)
    } catch (error) {
      assert.unreachable(`${what} made Yjs throw ${(error as Error).stack}`)
    }
    assert.is(this.doc.store.pendingStructs, null, `${what} left structs pending`)
    assert.is(this.doc.store.pendingDs, null, `${what} left deletes pending`)
    if (before !== null) assert.ok(Y.equalSnapshots(before, Y.snapshot(this.doc)), `${what} was not empty`)
    for (const { clientId, toClock } of verdict.writes)
      assert.is(Y.getState(this.doc.store, clientId), toClock, `${what} wrote other clocks than told`)
    this.probe(what)
  }

  /** Somebody else's next edit is applied and sent. */
  probe(what: string): void {
    const emitted = this.#emitted
    const clock = Y.getState(this.doc.store, probeClient)
    const struct: Struct = { ref: 4, parent: 'probe', content: contentOf.string('p') }
    Y.applyUpdate(this.doc, writeUpdate([{ client: probeClient, clock, structs: [struct] }]))
    assert.ok(this.#emitted > emitted, `${what}: no update is emitted any more`)
    assert.is(Y.getState(this.doc.store, probeClient), clock + 1, what)
  }

  /** What newcomers receive can be loaded, and is the same. */
  reload(what: string): void {
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(this.doc))
    assert.is(copy.store.pendingStructs, null, what)
    assert.equal(Y.encodeStateVector(copy), Y.encodeStateVector(this.doc), what)
    Y.encodeStateAsUpdate(copy)
  }
}

/** Changes a few bytes of an honest update, cuts it, doubles it, or replaces a number with another. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let changed = Uint8Array.from(bytes)
  for (let i = random.below(3); i >= 0; i--) {
    const at = random.below(changed.length)
    switch (random.below(6)) {
      case 0:
        changed[at]! ^= 1 << random.below(8)
        break
      case 1:
        changed[at] = random.below(256)
        break
      case 2:
        changed = changed.subarray(0, at + 1)
        break
      case 3:
        changed[at] = changed[at]! + random.of([1, -1])
        break
      case 4:
        changed = Uint8Array.from([...changed.subarray(0, at), random.below(256), ...changed.subarray(at)])
        break
      default:
        changed = Uint8Array.from([...changed.subarray(0, at), ...changed.subarray(at + 1)])
    }
    if (changed.length === 0) return changed
  }
  return changed
}

/** Mostly possible parts with a refused one here and there, so that many pass the first checks. */
function build(target: Target, random: Random): Uint8Array {
  const clients = [...target.clients, 5000 + random.below(3), ...(random.chance(20) ? [probeClient] : [])]
  const parts: Part[] = []
  const planned = new Map<number, number>()
  const idAround = (client: number, clock: number): Id => {
    const other = random.of(clients)
    if (random.chance(40)) return { client, clock: Math.max(0, clock - 1 - random.below(3)) }
    if (random.chance(4)) return { client, clock: clock + random.below(3) }
    const reach = Math.max(Y.getState(target.doc.store, other), planned.get(other) ?? 0)
    return {
      client: other,
      clock: random.chance(95) ? random.below(Math.max(1, reach)) : reach + random.below(3),
    }
  }
  for (let i = random.below(4); i > 0; i--) {
    const client = random.of(clients)
    const state = Y.getState(target.doc.store, client)
    const start = random.chance(75) ? state : Math.max(0, state - random.below(6) + random.below(2))
    let clock = start
    const structs: Struct[] = []
    for (let j = random.below(7); j >= 0; j--) {
      const [struct, length] = anyStruct(random)
      if (struct.ref !== 0 && struct.ref !== 10) {
        if (random.chance(45)) struct.origin = idAround(client, clock)
        if (random.chance(25)) struct.rightOrigin = idAround(client, clock)
        struct.parent = random.chance(45)
          ? random.of(['map', 'list', 'text', 'xml', 'new'])
          : random.chance(50)
            ? anyType(target.doc, random)
            : idAround(client, clock)
        if (random.chance(30)) struct.key = random.of(['a', 'b', 'geo', '', limits.forbiddenKey])
      }
      structs.push(struct)
      clock += length
      planned.set(client, clock)
    }
    parts.push({ client, clock: start, structs })
  }
  const deletes = Array.from({ length: random.below(3) }, () => {
    const client = random.of(clients)
    const reach = Math.max(Y.getState(target.doc.store, client), planned.get(client) ?? 0)
    return {
      client,
      ranges: Array.from({ length: random.below(4) }, () => {
        const clock = random.below(reach + 1)
        const length = random.chance(90) ? random.below(Math.max(1, reach - clock)) + 1 : random.below(5)
        return [clock, length] as const
      }),
    }
  })
  return writeUpdate(parts, deletes)
}

/** A shared type on the board, so that many parents are real. */
function anyType(doc: Y.Doc, random: Random): Id | string {
  const types: Id[] = []
  for (const [client, structs] of doc.store.clients)
    for (const struct of structs)
      if (struct instanceof Y.Item && struct.content instanceof Y.ContentType)
        types.push({ client, clock: struct.id.clock })
  return types.length === 0 ? 'map' : random.of(types)
}

function anyStruct(random: Random): [Struct, number] {
  const length = random.chance(97) ? 1 + random.below(4) : limits.maxClock + random.below(3)
  switch (random.below(12)) {
    case 0:
      return [{ ref: 0, content: length, ...(random.chance(3) ? { info: 0x80 } : {}) }, length]
    case 1:
      return [{ ref: random.chance(30) ? 10 : 1, content: length }, length]
    case 2:
      return [{ ref: 2, content: contentOf.json('1', 'undefined', '{"a":[]}') }, 3]
    case 3:
      return [{ ref: 3, content: contentOf.bytes(new Uint8Array(3)) }, 1]
    case 4:
      return [{ ref: 5, content: contentOf.string(random.chance(95) ? '{"src":1}' : '{"forbidden":1}') }, 1]
    case 5:
      return [{ ref: 6, content: contentOf.format('bold', random.of(['true', 'null', '{"a":1}'])) }, 1]
    case 6:
    case 7:
      return [{ ref: 7, content: contentOf.type(random.below(random.chance(98) ? 7 : 9)) }, 1]
    case 8:
      return [{ ref: 8, content: contentOf.any(1, 'x', { y: [null] }) }, 3]
    default: {
      const text = random.of(['abcd', 'ü', '😀x', 'x'.repeat(120)])
      return [{ ref: 4, content: contentOf.string(text) }, text.length]
    }
  }
}

const hostile = suite('updates made at random')

hostile('are refused, or applied completely, and the board continues to work', () => {
  const tally: Tally = { ok: 0, resync: 0, reject: 0, slowestMs: 0 }
  let seed = firstSeed
  for (; tally.ok + tally.resync + tally.reject < updatesToTry; seed++) {
    const random = new Random(seed)
    const target = new Target(random)
    for (let i = 0; i < 40; i++) {
      const update = random.chance(40) ? mutate(random.of(target.honest), random) : build(target, random)
      target.attack(update, `seed ${seed} attack ${i}`, tally)
    }
    target.reload(`seed ${seed}`)
  }
  console.log(`seeds ${firstSeed} to ${seed - 1}: ${JSON.stringify(tally)}`)
  assert.ok(tally.ok > updatesToTry / 10, 'too few get through the first checks to mean anything')
})

hostile.run()
