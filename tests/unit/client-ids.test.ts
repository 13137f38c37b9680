// Who owns a client id, and what happens with edits that were submitted under it while its owner was away.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { CloseCode, encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import { draw, drawn, type JoinOptions, TestRooms } from '../helpers/rooms.ts'
import type { PairedClient } from '../helpers/socket-pair.ts'
import { contentOf, writeUpdate } from '../helpers/update-writer.ts'

/** Ada has drawn `known`, and went offline with her document open. */
async function adaAway(options: JoinOptions = { user: 1 }) {
  const test = new TestRooms()
  const { client } = await test.join(options)
  draw(client, 'known', 1)
  await test.pump(client)
  client.leave()
  return { test, doc: client.doc, id: client.doc.clientID }
}

/** A copy of somebody's state, as a peer would hold it. */
const copyOf = (doc: Y.Doc): Y.Doc => {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  return copy
}

const send = async (test: TestRooms, client: PairedClient, update: Uint8Array) => {
  client.socket.say(encodeSync(SyncStep.update, update))
  await test.clock.advance(50)
}

/** Writes under `id` what its owner never wrote, as an exact continuation of the board's state. */
function forge(doc: Y.Doc, id: number, text: string): Uint8Array {
  const clock = Y.getState(doc.store, id)
  return writeUpdate([
    { client: id, clock, structs: [{ ref: 4, parent: 'text', content: contentOf.string(text) }] },
  ])
}

const relayedTo = (test: TestRooms) =>
  test.log.boards.get('board')?.authors.findLast(({ relays }) => relays !== undefined)?.relays ?? []
const noticeOf = (client: PairedClient) => client.of(MessageType.notice).at(-1)?.json?.code
const speak = (client: PairedClient) => client.presence(client.doc.clientID, 1, {})

const ids = suite('client ids')

ids(
  'while its owner is here, nobody else extends an id: dropped for a full sync, and never refused',
  async () => {
    const test = new TestRooms()
    const { client: ada } = await test.join({ user: 1 })
    const { client: eve } = await test.join({ user: 2, own: true })
    draw(ada, 'a', 1)
    await test.pump(ada, eve)
    for (let i = 0; i < 5; i++) {
      await send(test, eve, forge(test.log.committed('board'), ada.doc.clientID, 'evil'))
      eve.receive()
      await test.clock.advance(1000)
    }
    assert.is(eve.of(MessageType.notice).length, 0)
    assert.is(eve.closeCode, null)
    assert.ok(eve.of(MessageType.sync).filter(({ step }) => step === SyncStep.step1).length > 1)
    assert.is(test.log.committed('board').getText('text').toString(), '')
    assert.is(test.rooms.stats().counters.rules.client_id, 5)
  },
)

ids(
  'an exact continuation for an absent owner is accepted, and its author and clocks are recorded',
  async () => {
    const { test, doc, id } = await adaAway()
    const { client: bob } = await test.join({ user: 2 })
    const known = Y.getState(doc.store, id)
    draw({ doc }, 'offline', 2)
    Y.applyUpdate(bob.doc, Y.encodeStateAsUpdate(doc))
    await test.pump(bob)
    assert.equal(test.log.committed('board').getMap('elements').toJSON(), { known: 1, offline: 2 })
    assert.equal(relayedTo(test), [{ by: 'user:2', fromClock: known, toClock: Y.getState(doc.store, id) }])
    assert.equal(
      test.relayed.map(({ by, relayed }) => [by, relayed.map(({ clientId, owner }) => [clientId, owner])]),
      [['user:2', [[id, 'user:1']]]],
    )
  },
)

ids('a gap after the board’s state is no continuation: dropped for a full sync', async () => {
  const { test, doc, id } = await adaAway()
  const { client: bob } = await test.join({ user: 2 })
  draw({ doc }, 'lost', 2)
  const from = Y.encodeStateVector(doc)
  draw({ doc }, 'offline', 3)
  await send(test, bob, Y.encodeStateAsUpdate(doc, from))
  assert.is(test.rooms.stats().counters.rules.gap, 1)
  assert.equal(relayedTo(test), [])
  assert.is(Y.getState(test.log.committed('board').store, id), 1)
})

ids(
  'an owner who comes back is asked for relayed edits, even after a restart; equal ones clear the record',
  async () => {
    for (const withRestart of [false, true]) {
      const { test, doc, id } = await adaAway()
      const { client: bob } = await test.join({ user: 2 })
      draw({ doc }, 'offline', 2)
      Y.applyUpdate(bob.doc, Y.encodeStateAsUpdate(doc))
      await test.pump(bob)
      if (withRestart) {
        bob.leave()
        await test.clock.advance(100)
        assert.is(test.rooms.stats().rooms, 0)
      }
      const { client: ada } = await test.join({ user: 1, own: true, doc })
      speak(ada)
      await test.pump(ada)
      const [question] = ada.of(MessageType.sync).filter(({ step }) => step === SyncStep.step1)
      const asked = Y.decodeStateVector(question?.body as Uint8Array) // it was asked at its join
      assert.is(asked.get(id), 1, 'what was relayed was not asked for')
      draw(ada, 'more', 3)
      await test.pump(ada)
      assert.equal(ada.of(MessageType.notice), [])
      assert.is(ada.saved, ada.syncFramesSent)
      assert.equal(test.log.boards.get('board')?.authors.at(-1), { clientId: id, principal: 'user:1' })
      assert.equal(test.contested, [])
    }
  },
)

ids(
  'different edits are never reported as saved: the owner is told, and the trail names who wrote under the id',
  async () => {
    const { test, doc, id } = await adaAway()
    const { client: eve } = await test.join({ user: 2 })
    await send(test, eve, forge(test.log.committed('board'), id, 'evil'))
    draw({ doc }, 'offline', 2)
    const { client: ada } = await test.join({ user: 1, own: true, doc })
    await test.pump(ada, eve)
    assert.is(noticeOf(ada), 'update_relayed')
    assert.is(ada.of(MessageType.notice)[0]?.json?.refused_through, ada.syncFramesSent)
    assert.is(ada.closeCode, null)
    assert.equal(
      test.contested.map(({ clientId, owner, by, isDeleted }) => [clientId, owner, by, isDeleted]),
      [[id, 'user:1', ['user:2'], false]],
    )
    assert.equal(drawn({ doc: test.log.committed('board') }), { known: 1 })
    // A repetition makes no second row.
    ada.socket.say(encodeSync(SyncStep.step2, Y.encodeStateAsUpdate(ada.doc)))
    await test.clock.advance(50)
    assert.is(test.contested.length, 1)
    assert.is(test.rooms.stats().counters.contested, 1)
  },
)

ids('a stock client whose edits differ from the relayed ones is closed for good', async () => {
  const { test, doc, id } = await adaAway()
  const { client: eve } = await test.join({ user: 2 })
  await send(test, eve, forge(test.log.committed('board'), id, 'evil'))
  draw({ doc }, 'offline', 2)
  const { client: ada } = await test.join({ user: 1, doc })
  await test.pump(ada)
  assert.is(ada.closeCode, CloseCode.protocolViolation)
})

ids(
  'another document of the owner, with edits received from the board, does not clear the record',
  async () => {
    const { test, doc, id } = await adaAway()
    const { client: eve } = await test.join({ user: 2 })
    await send(test, eve, forge(test.log.committed('board'), id, 'evil'))
    const { client: tablet } = await test.join({ user: 1, own: true })
    speak(tablet)
    await test.pump(tablet)
    tablet.leave()
    const { client: again } = await test.join({ user: 1, own: true, doc: tablet.doc })
    speak(again)
    draw(again, 'tablet', 1)
    await test.pump(again)
    assert.equal(again.of(MessageType.notice), [])
    draw({ doc }, 'offline', 2)
    const { client: ada } = await test.join({ user: 1, own: true, doc })
    await test.pump(ada)
    assert.is(noticeOf(ada), 'update_relayed')
  },
)

ids(
  'a client that continues under the id without having shown the relayed edits is asked first',
  async () => {
    const { test, doc, id } = await adaAway()
    const { client: eve } = await test.join({ user: 2 })
    await send(test, eve, forge(test.log.committed('board'), id, 'e'))
    const { client: ada } = await test.join({ user: 1, own: true })
    draw({ doc }, 'offline', 2)
    const between = Y.encodeStateVector(doc)
    draw({ doc }, 'later', 3)
    await send(test, ada, Y.encodeStateAsUpdate(doc, between))
    assert.is(test.rooms.stats().counters.rules.client_id, 1)
    ada.socket.say(encodeSync(SyncStep.step2, Y.encodeStateAsUpdate(doc)))
    await test.pump(ada)
    assert.is(noticeOf(ada), 'update_relayed')
  },
)

ids(
  'relayed edits that others have deleted meanwhile: the owner is told, nobody is disconnected',
  async () => {
    const { test, doc } = await adaAway()
    const { client: bob } = await test.join({ user: 2 })
    draw({ doc }, 'offline', 2)
    Y.applyUpdate(bob.doc, Y.encodeStateAsUpdate(doc))
    await test.pump(bob)
    bob.doc.getMap('elements').delete('offline')
    await test.pump(bob)
    const { client: ada } = await test.join({ user: 1, own: true, doc })
    speak(ada)
    draw(ada, 'more', 3)
    await test.pump(ada, bob)
    assert.is(noticeOf(ada), 'update_relayed_deleted')
    assert.equal(drawn(ada), { known: 1, more: 3 })
    assert.equal(drawn(bob), { known: 1, more: 3 })
    assert.equal(
      test.contested.map(({ by, isDeleted }) => [by, isDeleted]),
      [[['user:2'], true]],
    )
  },
)

ids('several people may relay, one after the other; memory stays bounded', async () => {
  const { test, doc, id } = await adaAway()
  const peers: PairedClient[] = []
  for (const user of [2, 3]) peers.push((await test.join({ user })).client)
  for (let i = 0; i < 60; i++) {
    const before = Y.encodeStateVector(doc)
    draw({ doc }, `offline ${i}`, i)
    await send(test, peers[i % 2] as PairedClient, Y.encodeStateAsUpdate(doc, before))
  }
  const relays = relayedTo(test)
  assert.is(relays.length, 16)
  assert.is(relays[0]?.by, 'user:2')
  assert.is(relays.at(-1)?.by, 'several')
  assert.is(relays.at(-1)?.toClock, Y.getState(doc.store, id))
  assert.ok(test.relayed.length <= 17, `${test.relayed.length} rows of the trail`)
  const { client: ada } = await test.join({ user: 1, own: true, doc })
  await test.pump(ada)
  assert.equal(ada.of(MessageType.notice), [])
})

ids('edits are equal however they are split: split, merged, with deletions and surrogate pairs', async () => {
  const { test, doc } = await adaAway()
  const text = doc.getText('text')
  for (const letter of 'offline 😀 text') text.insert(text.length, letter)
  text.insertEmbed(3, { image: 'x', deep: [1, { y: null }] })
  text.format(0, 4, { bold: true })
  doc.getArray('list').insert(0, [1, 'two', { three: [3] }, new Uint8Array([4])])
  const inner = new Y.Map([['a', 1]])
  doc.getMap('elements').set('inner', inner)
  doc.getXmlFragment('xml').insert(0, [new Y.XmlElement('p')])
  const peer = copyOf(doc)
  peer.getText('text').insert(9, 'cuts the pair')
  peer.getText('text').delete(2, 3)
  peer.getArray('list').delete(1, 1)
  text.delete(0, 1)
  const { client: bob } = await test.join({ user: 2, doc: peer })
  await test.pump(bob)
  const { client: ada } = await test.join({ user: 1, own: true, doc })
  speak(ada)
  await test.pump(ada, bob)
  assert.ok(relayedTo(test).length > 0)
  assert.ok(test.contested.every(({ isDeleted }) => isDeleted))
  assert.ok(ada.of(MessageType.notice).every(({ json }) => json?.code === 'update_relayed_deleted'))
  assert.equal(ada.doc.getText('text').toDelta(), bob.doc.getText('text').toDelta())
})

ids('clocks that the board already has are otherwise never checked', async () => {
  const { test, doc, id } = await adaAway()
  const { client: eve } = await test.join({ user: 2, own: true })
  const other = new Y.Doc()
  other.clientID = id
  other.getMap('elements').set('other', 'things')
  await send(test, eve, Y.encodeStateAsUpdate(other))
  eve.receive()
  assert.is(eve.saved, eve.syncFramesSent + 1)
  assert.equal(eve.of(MessageType.notice), [])
  assert.equal(drawn({ doc: test.log.committed('board') }), drawn({ doc }))
})

for (const next of [{}, { guest: 'g' }]) {
  const who = 'guest' in next ? 'as a guest' : 'without an account'
  ids(`an anonymous id belongs to whoever continues it ${who}, while nobody with it is here`, async () => {
    const { test, doc, id } = await adaAway({})
    const { client: again } = await test.join({ ...next, doc, own: true })
    draw(again, 'more', 2)
    await test.pump(again)
    assert.equal(test.relayed, [])
    assert.equal(relayedTo(test), [])
    const { client: eve } = await test.join({ user: 9 })
    await send(test, eve, forge(test.log.committed('board'), id, 'evil'))
    assert.is(test.rooms.stats().counters.rules.client_id, 1, 'it is theirs now')
    if ('guest' in next)
      assert.equal(test.log.boards.get('board')?.authors.at(-1), { clientId: id, principal: 'guest:g' })
  })
}

ids('an anonymous id belongs to nobody else while its owner is here', async () => {
  const test = new TestRooms()
  const { client: one } = await test.join({ level: 'edit' })
  draw(one, 'a', 1)
  await test.pump(one)
  const { client: other } = await test.join({})
  await send(test, other, forge(test.log.committed('board'), one.doc.clientID, 'evil'))
  assert.is(test.rooms.stats().counters.rules.client_id, 1)
})

ids(
  'when a guest signs in, the guest’s ids become the user’s, before anything is written under them',
  async () => {
    const { test, doc, id } = await adaAway({ guest: 'g' })
    const { client: user } = await test.join({ user: 7, guest: 'g', doc, own: true })
    const { client: eve } = await test.join({ user: 9 })
    await send(test, eve, forge(test.log.committed('board'), id, 'evil'))
    assert.is(test.rooms.stats().counters.rules.client_id, 1, 'others have no part in it')
    draw(user, 'more', 2)
    await test.pump(user)
    assert.is(user.saved, user.syncFramesSent)
    assert.equal(test.relayed, [])
    assert.equal(test.log.boards.get('board')?.authors.at(-1), { clientId: id, principal: 'user:7' })
  },
)

ids('a tab that is still signed in as the guest continues to work', async () => {
  const test = new TestRooms()
  const { client: tab } = await test.join({ guest: 'g', own: true })
  draw(tab, 'a', 1)
  await test.pump(tab)
  const { client: user } = await test.join({ user: 7, guest: 'g', own: true })
  await test.pump(user, tab)
  draw(tab, 'b', 2)
  draw(user, 'c', 3)
  await test.pump(user, tab)
  assert.is(test.rooms.stats().counters.rules.client_id, undefined)
  assert.equal(drawn({ doc: test.log.committed('board') }), { a: 1, b: 2, c: 3 })
  tab.leave()
  user.leave()
  await test.clock.advance(100)
  assert.is(test.rooms.stats().rooms, 0)
})

ids('a guest belongs to the first who signs in with it', async () => {
  const { test, id } = await adaAway({ guest: 'g' })
  await test.join({ user: 7, guest: 'g' })
  const { client: second } = await test.join({ user: 8, guest: 'g' })
  await send(test, second, forge(test.log.committed('board'), id, 'evil'))
  assert.is(test.rooms.stats().counters.rules.client_id, 1)
})

ids.run()
