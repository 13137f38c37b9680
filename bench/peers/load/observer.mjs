// Real Y.Doc observers. They keep the raw bytes during the measurement and apply them afterwards,
// so that observing does not slow the load generator down.
import * as Y from 'yjs'
import { Client, within } from './client.mjs'
import { elementId, positionAfter } from './fixtures.mjs'
import { sleep } from './pace.mjs'

/** Records every document update that `client` receives; `doc()` applies them in order. */
export function record(client, ownUpdates = []) {
  const received = []
  const { update } = client
  client.update = (buf, start, end) => {
    received.push(Uint8Array.prototype.slice.call(buf, start, end))
    update.call(client, buf, start, end)
  }
  return {
    doc() {
      const doc = new Y.Doc()
      doc.transact(() => {
        for (const bytes of ownUpdates) Y.applyUpdate(doc, bytes)
        for (const bytes of received) Y.applyUpdate(doc, bytes)
      })
      return doc
    },
  }
}

/** Joins the room again and returns the document that the server sends. */
export async function lateJoin({ adapter, port, room }) {
  const doc = new Y.Doc()
  const client = new Client({ adapter, port, room })
  client.onSynced = (buf, start, end) => Y.applyUpdate(doc, Uint8Array.prototype.slice.call(buf, start, end))
  client.update = (buf, start, end) => Y.applyUpdate(doc, Uint8Array.prototype.slice.call(buf, start, end))
  await within(client.synced, 20_000, 'late join')
  await sleep(300) // a server may send recent updates after the state
  client.close()
  return doc
}

/** Whether every writer's element is where its last update put it. */
export function hasFinalPositions(doc, lastUpdates) {
  const elements = doc.getMap('elements')
  return lastUpdates.every((n, writer) => {
    const element = elements.get(elementId(writer))
    const expected = positionAfter(writer, n)
    return element !== undefined && element.get('x') === expected.x && element.get('y') === expected.y
  })
}
