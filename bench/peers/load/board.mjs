// Fills a board through the protocol, joins it and compares it.
import * as Y from 'yjs'
import { Client, within } from './client.mjs'
import { sleep, waitUntil } from './pace.mjs'

const BATCH_BYTES = 64 * 1024

/**
 * Sends all updates to the room and returns the client once the server has them: if the server reports updates as
 * stored, the last one must be, and an observer who came before must have received everything that was sent. In
 * addition the server's CPU must be idle, because servers without acks store at a time of their choice.
 */
export async function fill(target, room, updates) {
  const { adapter, port, cpu } = target
  const observer = new Client({ adapter, port, room })
  await within(observer.synced, 20_000, 'join')
  const expected = clocksOf(updates)
  observer.update = (buf, start, end) => {
    for (const [clientId, to] of Y.parseUpdateMeta(buf.subarray(start, end)).to)
      if (to >= (expected.get(clientId) ?? Number.POSITIVE_INFINITY)) expected.delete(clientId)
  }
  const client = new Client({ adapter, port, room })
  await within(client.synced, 20_000, 'join')
  let ackedAt = Number.NEGATIVE_INFINITY
  client.acked = () => {
    ackedAt = performance.now()
  }
  const socket = client.socket.socket
  let bytes = 0
  for (const update of updates) {
    client.sendUpdate(update)
    bytes += update.length
    if (bytes < BATCH_BYTES) continue
    bytes = 0
    await waitUntil(() => socket.writableLength === 0, { limitMs: 60_000, everyMs: 1 })
  }
  const hasAll = await waitUntil(() => expected.size === 0, { limitMs: 120_000, everyMs: 20 })
  if (!hasAll) throw new Error(`an observer misses edits of ${expected.size} authors`)
  await untilQuiet(cpu)
  if (adapter.ackType !== undefined && ackedAt === Number.NEGATIVE_INFINITY)
    throw new Error('nothing was called stored')
  observer.close()
  return client
}

/** Resolves once a server has been idle for half a second. */
export async function untilQuiet(cpu) {
  for (let before = cpu(), quiet = 0; quiet < 5; ) {
    await sleep(100)
    const now = cpu()
    quiet = now - before < 0.01 ? quiet + 1 : 0
    before = now
  }
}

/** The clock that every author of these updates reaches. */
function clocksOf(updates) {
  const clocks = new Map()
  for (const update of updates)
    for (const [clientId, to] of Y.parseUpdateMeta(update).to)
      clocks.set(clientId, Math.max(to, clocks.get(clientId) ?? 0))
  return clocks
}

/** Joins a room and returns the time until the state arrived, and its bytes. */
export async function timedJoin({ adapter, port }, room) {
  const startedAt = performance.now()
  const client = new Client({ adapter, port, room })
  let body = null
  client.onSynced = (buf, start, end) => {
    body = Uint8Array.prototype.slice.call(buf, start, end)
  }
  await within(client.synced, 120_000, 'join')
  const ms = performance.now() - startedAt
  client.onSynced = () => {} // releases the body
  return { client, ms, body }
}

export function elementsOf(update) {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc.getMap('elements')
}

export function sameBoard(update, expected) {
  const [a, b] = [update, expected].map((bytes) => elementsOf(bytes).toJSON())
  const keys = Object.keys(b)
  return (
    Object.keys(a).length === keys.length &&
    keys.every((key) => {
      const fields = Object.keys(b[key])
      return a[key] !== undefined && fields.every((field) => a[key][field] === b[key][field])
    })
  )
}
