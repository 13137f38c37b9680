import * as decoding from 'lib0/decoding'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ThreadResponse } from '../../shared/api/comments.ts'
import { MessageType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { readMetrics, roomEvent } from '../helpers/metrics.ts'
import { awareness, type RawClient } from '../helpers/raw-client.ts'
import { type StockClient, withServer } from '../helpers/server.ts'

const presence = suite('presence on a running server')

interface State {
  user?: { name?: string; color?: string }
  cursor?: { x: number }
  principal?: { kind: string; name: string }
}

const stateOf = (watcher: StockClient, clientId: number) =>
  watcher.provider.awareness.getStates().get(clientId) as State | undefined

const cursor = (client: StockClient, x: number, name = 'whoever') => {
  client.provider.awareness.setLocalState({ user: { name, color: '#f00' }, cursor: { x } })
}

/** Every entry that a raw client received, by client id. */
function heard(client: RawClient): Map<number, unknown[]> {
  const all = new Map<number, unknown[]>()
  for (const body of client.bodies(MessageType.awareness) as Uint8Array[]) {
    const decoder = decoding.createDecoder(body)
    for (let left = decoding.readVarUint(decoder); left > 0; left--) {
      const clientId = decoding.readVarUint(decoder)
      decoding.readVarUint(decoder)
      all.set(clientId, [...(all.get(clientId) ?? []), JSON.parse(decoding.readVarString(decoder))])
    }
  }
  return all
}

presence('two stock providers see each other’s cursors, under the names that the server knows', () =>
  withServer(async ({ user, open }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'view')
    const asAda = await open(board, { ticket: await ada.ticket(board) })
    const asBob = await open(board, { ticket: await bob.ticket(board) })
    cursor(asAda, 1, 'Bob')
    cursor(asBob, 2, 'Ada')
    await eventually(() => stateOf(asBob, asAda.doc.clientID)?.cursor?.x === 1)
    await eventually(() => stateOf(asAda, asBob.doc.clientID)?.cursor?.x === 2)
    assert.equal(stateOf(asBob, asAda.doc.clientID)?.user, { name: 'Ada', color: '#f00' })
    assert.equal(stateOf(asAda, asBob.doc.clientID)?.user, { name: 'Bob', color: '#f00' })
    assert.is(stateOf(asAda, asBob.doc.clientID)?.principal?.name, 'Bob')
    asBob.provider.disconnect()
    await eventually(() => stateOf(asAda, asBob.doc.clientID) === undefined)
  }),
)

presence('forged ids, names, clocks, removals and floods change nothing for others', () =>
  withServer(async ({ user, open, raw, origin }) => {
    const [ada, bob, eve] = [await user('Ada'), await user('Bob'), await user('Eve')]
    const board = await ada.board()
    for (const person of [bob, eve]) await ada.grant(board, person, 'edit')
    const asAda = await open(board, { ticket: await ada.ticket(board) })
    const asBob = await open(board, { ticket: await bob.ticket(board) })
    cursor(asAda, 1)
    await eventually(() => stateOf(asBob, asAda.doc.clientID)?.cursor?.x === 1)
    const evil = await raw(board, { ticket: await eve.ticket(board) })
    await evil.message(MessageType.hello)
    const target = asAda.doc.clientID
    const before = asBob.provider.awareness.getStates().size
    evil.send(awareness([{ clientId: target, clock: 50, state: null }]))
    evil.send(awareness([{ clientId: target, clock: 2 ** 31, state: { cursor: { x: 666 } } }]))
    evil.send(awareness([{ clientId: 70, clock: Number.MAX_SAFE_INTEGER, state: { cursor: { x: 666 } } }]))
    evil.send(awareness([{ clientId: 71, clock: 1, state: 'no json' }]))
    evil.send(awareness([{ clientId: 72, clock: 1, state: [1, 2] }]))
    evil.send(
      awareness([
        {
          clientId: 73,
          clock: 1,
          state: { user: { name: 'Ada' }, principal: { kind: 'user', name: 'Ada' }, at: 1 },
        },
      ]),
    )
    for (let i = 0; i < 3000; i++)
      evil.send(awareness([{ clientId: 100_000 + i, clock: 1, state: { cursor: { x: i } } }]))
    await eventually(() => stateOf(asBob, 73) !== undefined)
    cursor(asAda, 2)
    await eventually(() => stateOf(asBob, target)?.cursor?.x === 2)
    await eventually(async () => ((await readMetrics(origin)).get(roomEvent('presence_ignored')) ?? 0) > 2900)
    assert.is(stateOf(asBob, 73)?.user?.name, 'Eve')
    assert.is(stateOf(asBob, 73)?.principal?.name, 'Eve')
    assert.is(stateOf(asBob, 71), undefined)
    assert.is(stateOf(asBob, 72), undefined)
    assert.ok(asBob.provider.awareness.getStates().size <= before + 4, 'a connection speaks for four ids')
    assert.equal([asAda.closes, asBob.closes], [[], []])
  }),
)

presence('a half-open old socket neither mutes the one that replaced it nor takes its cursor along', () =>
  withServer(async ({ user, open, raw }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'view')
    const watcher = await open(board, { ticket: await bob.ticket(board) })
    const ticket = await ada.ticket(board)
    const old = await raw(board, { ticket })
    await old.message(MessageType.hello)
    const fresh = await raw(board, { ticket })
    await fresh.message(MessageType.hello)
    old.send(awareness([{ clientId: 42, clock: 5, state: { cursor: { x: 1 } } }]))
    await eventually(() => stateOf(watcher, 42)?.cursor?.x === 1)
    fresh.send(awareness([{ clientId: 42, clock: 6, state: { cursor: { x: 2 } } }]))
    await eventually(() => stateOf(watcher, 42)?.cursor?.x === 2)
    old.send(awareness([{ clientId: 42, clock: 7, state: null }]))
    old.terminate()
    fresh.send(awareness([{ clientId: 42, clock: 8, state: { cursor: { x: 3 } } }]))
    await eventually(() => stateOf(watcher, 42)?.cursor?.x === 3)
    fresh.close()
    await eventually(() => stateOf(watcher, 42) === undefined)
  }),
)

presence('frequent states are coalesced: the newest one arrives, not all of them', () =>
  withServer(
    async ({ user, raw }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const ticket = await ada.ticket(board)
      const [mover, watcher] = [await raw(board, { ticket }), await raw(board, { ticket })]
      await Promise.all([mover, watcher].map((client) => client.message(MessageType.hello)))
      for (let clock = 1; clock <= 1000; clock++)
        mover.send(awareness([{ clientId: 42, clock, state: { cursor: { x: clock } } }]))
      const last = await eventually(() => {
        const states = heard(watcher).get(42) as State[] | undefined
        return states?.at(-1)?.cursor?.x === 1000 ? states : null
      })
      assert.ok(last.length <= 200, `${last.length} states were sent`)
    },
    { awarenessPerSecond: 10 },
  ),
)

/** Nobody renews or gives up a state by the clock: every change was sent explicitly. */
const stopClock = (...clients: StockClient[]) => {
  for (const { provider } of clients) clearInterval(provider.awareness._checkInterval)
}

for (const sharesChannel of [false, true])
  presence(
    `two windows of one person${sharesChannel ? ' that talk to each other' : ''} each have a cursor of their own, and take it along`,
    () =>
      withServer(async ({ user, open }) => {
        const [ada, bob] = [await user('Ada'), await user('Bob')]
        const board = await ada.board()
        await ada.grant(board, bob, 'view')
        const watcher = await open(board, { ticket: await bob.ticket(board) })
        const first = await open(board, { ticket: await ada.ticket(board), sharesChannel })
        stopClock(watcher, first)
        cursor(first, 1)
        await eventually(() => stateOf(watcher, first.doc.clientID)?.cursor?.x === 1)
        const second = await open(board, { ticket: await ada.ticket(board), sharesChannel })
        stopClock(second)
        cursor(second, 10)
        await eventually(() => stateOf(watcher, second.doc.clientID)?.cursor?.x === 10)
        // The second has heard the first by now, and has repeated what it heard.
        await eventually(() => stateOf(second, first.doc.clientID)?.cursor?.x === 1)
        for (const x of [2, 3, 4]) {
          cursor(first, x)
          await eventually(() => stateOf(watcher, first.doc.clientID)?.cursor?.x === x)
          cursor(second, 10 * x)
          await eventually(() => stateOf(watcher, second.doc.clientID)?.cursor?.x === 10 * x)
        }
        // Cut off, without a close.
        first.provider.ws?.close()
        first.provider.shouldConnect = false
        await eventually(() => stateOf(watcher, first.doc.clientID) === undefined)
        cursor(second, 50)
        await eventually(() => stateOf(watcher, second.doc.clientID)?.cursor?.x === 50)
      }),
  )

presence('a client that comes back is visible with the join, not only when its state is renewed', () =>
  withServer(async ({ user, open }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'view')
    const watcher = await open(board, { ticket: await bob.ticket(board) })
    const back = await open(board, { ticket: await ada.ticket(board) })
    stopClock(watcher, back)
    for (const x of [1, 2]) {
      cursor(back, x)
      await eventually(() => stateOf(watcher, back.doc.clientID)?.cursor?.x === x)
      back.provider.disconnect()
      await eventually(() => stateOf(watcher, back.doc.clientID) === undefined)
      back.provider.connect()
      await eventually(() => stateOf(watcher, back.doc.clientID)?.cursor?.x === x)
    }
  }),
)

presence('the label of a link is for people who manage the board, not for everybody on it', () =>
  withServer(async ({ user, open, raw, ask, origin }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const made = await ada.ask('POST', `/api/boards/${board}/share-links`, {
      level: 'edit',
      label: 'Class 7b',
    })
    const token = new URL(made.body.url).hash.slice('#k='.length)
    const guest = await ask('POST', '/api/share-links/exchange', { token, name: 'Gus' }, { origin })
    const watcher = await raw(board, { ticket: await ada.ticket(board) })
    await watcher.message(MessageType.hello)
    const visitor = await open(board, { ticket: guest.body.ticket })
    cursor(visitor, 1)
    const other = await open(board, { ticket: guest.body.ticket })
    const shown = await eventually(() => stateOf(other, visitor.doc.clientID)?.principal)
    const own = await raw(board, { ticket: guest.body.ticket })
    const hello = await own.message(MessageType.hello)
    const joined = await watcher.message(MessageType.event, ({ type }) => type === 'joined')
    for (const principal of [shown, hello.principal, joined.principal])
      assert.equal([Object.keys(principal).sort(), principal.name], [['id', 'kind', 'name'], 'Gus'])
    const { items } = (await ada.ask('GET', `/api/boards/${board}/connections`)).body
    const labels = items.map(({ principal }: { principal: { link_label?: string } }) => principal.link_label)
    assert.equal(labels.filter(Boolean), ['Class 7b', 'Class 7b', 'Class 7b'])
  }),
)

const isCommentNews = ({ type, body }: { type: number; body: unknown }): boolean =>
  type === MessageType.event && (body as { type?: unknown }).type === 'comment'

presence('the notification of a comment includes it, once for all, in order', () =>
  withServer(async ({ user, raw, ask, origin }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const made = await ada.ask('POST', `/api/boards/${board}/share-links`, { level: 'comment', label: '7b' })
    const token = new URL(made.body.url).hash.slice('#k='.length)
    const guest = await ask('POST', '/api/share-links/exchange', { token, name: 'Gus' }, { origin })
    const watcher = await raw(board, { ticket: guest.body.ticket })
    await watcher.message(MessageType.hello)
    const threads = `/api/boards/${board}/threads`
    const begun = await ada.ask('POST', threads, { anchor: { x: 1, y: 2 }, body: 'One', client_id: 'own' })
    const { id } = begun.body
    // A thread is as it is when it is read: on a busy server that may be after the next change.
    const told = (count: number) => eventually(() => watcher.received.filter(isCommentNews).length === count)
    await told(1)
    const answer = await ask(
      'POST',
      `${threads}/${id}/comments`,
      { body: 'Two' },
      { authorization: `Bearer ${guest.body.ticket}` },
    )
    assert.is(answer.status, 201, JSON.stringify(answer.body))
    await told(2)
    await ada.ask('PATCH', `${threads}/${id}`, { resolved: true })
    await told(3)
    const news = watcher.received
      .filter(isCommentNews)
      .map(({ body }) => body as { change: string; thread: ThreadResponse })
    assert.equal(
      news.map(({ change, thread }) => [change, thread.comments.map(({ body }) => body)]),
      [
        ['created', ['One']],
        ['created', ['Two']],
        ['resolved', []],
      ],
    )
    const threadsTold = news.map(({ thread }) => thread)
    assert.equal(
      threadsTold.map((thread) => [thread.comment_count, thread.resolved, thread.client_id]),
      [
        [1, false, null],
        [2, false, null],
        [2, true, null],
      ],
    )
    assert.is(threadsTold[1]?.comments[0]?.author_label, null)
    const shown = (await ada.ask('GET', `${threads}/${id}`)).body.comments
    assert.equal(
      shown.map(({ author_label }: { author_label: string | null }) => author_label),
      [null, '7b'],
      'who manages the board sees by which link a guest came',
    )
  }),
)

presence.run()
