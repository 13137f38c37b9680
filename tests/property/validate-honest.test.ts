// Random honest editors: none of their updates is rejected, every gap is resolved by one full sync, and
// in the end all have the same board. `VALIDATE_HONEST=200000 VALIDATE_SEED=7 node dist/tests/property/…` for more.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { validateUpdate } from '../../server/documents/validate/validate.ts'
import { defaultValidationLimits, type Verdict } from '../../server/documents/validate/verdict.ts'
import { contentOf, type Editor, YjsEditor, YrsEditor } from '../helpers/editors.ts'
import { countFromEnvironment, Random } from '../helpers/random.ts'

const updatesToSend = countFromEnvironment('VALIDATE_HONEST', 4_000)
const firstSeed = countFromEnvironment('VALIDATE_SEED', 1)

interface Tally {
  ok: number
  resync: number
}

class Server {
  readonly doc = new Y.Doc()
  readonly #tally: Tally
  /** What was applied, for listeners. */
  readonly updates: Uint8Array[] = []

  constructor(tally: Tally) {
    this.#tally = tally
    this.doc.on('update', (update: Uint8Array) => this.updates.push(update))
  }

  receive(update: Uint8Array, what: string): Verdict['outcome'] {
    const verdict = validateUpdate(update, this.doc, () => 'ok', defaultValidationLimits)
    assert.is.not(verdict.outcome, 'reject', `${what}: ${JSON.stringify(verdict)}`)
    if (verdict.outcome === 'ok') {
      this.#tally.ok++
      const before = Y.snapshot(this.doc)
      Y.applyUpdate(this.doc, update)
      assert.is(this.doc.store.pendingStructs, null, `${what}: structs are pending`)
      assert.is(this.doc.store.pendingDs, null, `${what}: deletes are pending`)
      if (verdict.empty) assert.ok(Y.equalSnapshots(before, Y.snapshot(this.doc)), `${what}: was not empty`)
    } else this.#tally.resync++
    return verdict.outcome
  }
}

/** Three to four editors and a server for a while. @returns when all have the same. */
function world(seed: number, tally: Tally): void {
  const random = new Random(seed)
  const server = new Server(tally)
  const editors: Editor[] = []
  const withYrs = seed % 8 === 0
  for (let i = 2 + random.below(3); i > 0; i--) {
    const clientId = 1 + random.below(2 ** 31)
    editors.push(withYrs && i === 1 ? new YrsEditor(clientId) : new YjsEditor(clientId))
  }
  const heard = new Map(editors.map((editor) => [editor, 0]))
  const listen = (editor: Editor) => {
    for (const update of server.updates.slice(heard.get(editor))) editor.apply(update)
    heard.set(editor, server.updates.length)
  }
  const syncUp = (editor: Editor, what: string) => {
    // As after a resync: the server's state vector, answered with everything beyond it.
    const answer = editor.diff(Y.encodeStateVector(server.doc))
    assert.is(server.receive(answer, `${what}, full answer`), 'ok', `${what}: a full answer did not cure it`)
  }
  for (let step = 0; step < 30; step++) {
    const editor = random.of(editors)
    const what = `seed ${seed} step ${step}`
    for (let i = random.below(4); i >= 0; i--) editor.edit(random)
    let updates = editor.take()
    if (random.chance(15) && updates.length > 1) updates = [Y.mergeUpdates(updates)]
    if (random.chance(15)) updates.reverse()
    if (random.chance(10) && updates.length > 2) {
      // One is lost in transit and the rest is merged: a skip takes its place.
      updates.splice(1, 1)
      updates = [Y.mergeUpdates(updates)]
    }
    if (random.chance(10)) updates = [editor.diff()]
    if (random.chance(5)) updates = [...updates, ...updates]
    for (const update of updates) if (server.receive(update, what) === 'resync') syncUp(editor, what)
    // Two tabs exchange edits, bypassing the server.
    if (random.chance(10)) random.of(editors).apply(editor.diff())
    if (random.chance(60)) listen(random.of(editors))
  }
  for (let round = 0; round < 5; round++)
    for (const editor of editors) {
      syncUp(editor, `seed ${seed} end`)
      editor.take()
      listen(editor)
      editor.apply(Y.encodeStateAsUpdate(server.doc, editor.stateVector()))
    }
  const stored = new Y.Doc()
  Y.applyUpdate(stored, Y.encodeStateAsUpdate(server.doc))
  for (const editor of editors) assert.is(editor.content(), contentOf(stored), `seed ${seed}: boards differ`)
}

/**
 * Somebody goes away; a peer who has more of their edits than the server submits them, with its own edits on top;
 * then the owner comes back with everything. @returns what happened to the owner's answer.
 */
function comeBack(seed: number): Verdict {
  const random = new Random(seed)
  const what = `seed ${seed}`
  const server = new Y.Doc()
  const owner = new YjsEditor(1 + random.below(2 ** 31))
  const peerId = 1 + random.below(2 ** 31)
  const peer: Editor = seed % 4 === 0 ? new YrsEditor(peerId) : new YjsEditor(peerId)
  const edits = (editor: Editor, count: number) => {
    for (let i = random.below(count); i >= 0; i--) editor.edit(random)
  }
  edits(owner, 6)
  Y.applyUpdate(server, owner.diff())
  const fromClock = Y.getState(server.store, owner.clientId)
  edits(owner, 12)
  peer.apply(owner.diff())
  edits(peer, 6)
  Y.applyUpdate(server, peer.diff(Y.encodeStateVector(server)))
  assert.is(server.store.pendingStructs, null, what)
  const toClock = Y.getState(server.store, owner.clientId)
  if (random.chance(60)) edits(owner, 6)
  if (random.chance(30)) owner.apply(peer.diff())
  const clocks = Y.decodeStateVector(Y.encodeStateVector(server))
  clocks.set(owner.clientId, fromClock)
  const relayed = { clientId: owner.clientId, fromClock, toClock }
  return validateUpdate(
    owner.diff(Y.encodeStateVector(clocks)),
    server,
    () => 'ok',
    defaultValidationLimits,
    (clientId) => (clientId === owner.clientId && toClock > fromClock ? relayed : null),
  )
}

const honest = suite('updates of honest editors')

honest('that a peer submitted while they were away are recognised, however they are split', () => {
  let shown = 0
  const worlds = Math.max(200, Math.floor(updatesToSend / 40))
  for (let seed = firstSeed; seed < firstSeed + worlds; seed++) {
    const verdict = comeBack(seed)
    assert.is(verdict.outcome, 'ok', `seed ${seed}: ${JSON.stringify(verdict)}`)
    if (verdict.outcome === 'ok') shown += verdict.shown.length
  }
  assert.ok(shown > worlds / 3, `only ${shown} of ${worlds} showed anything`)
})

honest('are never refused, and all boards become the same', () => {
  const tally: Tally = { ok: 0, resync: 0 }
  let seed = firstSeed
  for (; tally.ok + tally.resync < updatesToSend; seed++) world(seed, tally)
  console.log(`seeds ${firstSeed} to ${seed - 1}: ${tally.ok} applied, ${tally.resync} resyncs, 0 rejected`)
  assert.ok(tally.resync > 0, 'reordered updates should have met gaps')
})

honest('keep deleted map entries that have merged (seed 18)', () => world(18, { ok: 0, resync: 0 }))

honest.run()
