// One simulated user: a lightweight socket plus the protocol adapter of the server under test.
import { clientFrame, LightSocket } from './light-socket.mjs'

const EMPTY_UPDATE = Uint8Array.of(0, 0)
const ignore = () => {}

export class Client {
  /**
   * @param {object} options
   * @param {object} options.adapter
   * @param {number} options.port
   * @param {string} options.room
   * @param {Uint8Array} [options.stateVector] sent in step 1; default: empty
   */
  constructor({ adapter, port, room, stateVector }) {
    this.adapter = adapter
    this.room = room
    this.update = ignore // (buf, start, end)
    this.cursor = ignore // (clientId, clock)
    this.onSynced = ignore // (buf, start, end) of the step 2 body
    this.acked = ignore // the server says that an update is stored (Hocuspocus: applied)
    this.synced = new Promise((resolve, reject) => {
      this.resolveSynced = resolve
      this.rejectSynced = reject
    })
    this.synced.catch(() => {})
    this.socket = new LightSocket({
      port,
      path: adapter.path(room),
      subprotocol: adapter.subprotocol,
      onMessage: (buf, start, end) => adapter.parse(buf, start, end, this),
      onClose: () => this.rejectSynced(new Error('connection closed')),
    })
    this.socket.opened.then(() => {
      for (const payload of adapter.hello(room, stateVector)) this.sendPayload(payload)
      if (!adapter.crdt) this.resolveSynced()
    }, this.rejectSynced)
  }

  step1() {
    if (this.adapter.step2) this.sendPayload(this.adapter.step2(this.room, EMPTY_UPDATE))
  }

  step2(buf, start, end) {
    this.onSynced(buf, start, end)
    this.resolveSynced()
  }

  sendPayload(payload) {
    this.socket.send(clientFrame(payload, this.adapter.opcode))
  }

  sendUpdate(update) {
    this.sendPayload(this.adapter.update(this.room, update))
  }

  close() {
    this.socket.close()
  }
}

/** Opens clients in small groups, so that the accept queue never overflows. */
export async function openClients(count, make, group = 50) {
  const clients = []
  for (let i = 0; i < count; i += group) {
    const opened = []
    for (let j = i; j < Math.min(count, i + group); j++) opened.push(make(j))
    await Promise.all(opened.map((client) => within(client.synced, 20_000, 'join')))
    clients.push(...opened)
  }
  return clients
}

export function within(promise, ms, what) {
  let timer
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took over ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
