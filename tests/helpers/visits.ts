// Thousands of people who come and go over real sockets: the simplest client that a server accepts.
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import {
  encodeSync,
  MessageType,
  ownSubprotocol,
  SyncStep,
  stockSubprotocol,
  ticketSubprotocolPrefix,
} from '../../shared/protocol.ts'
import { awareness } from './raw-client.ts'

export interface Visit {
  /** `ws://…/ws/<board>` */
  url: string
  ticket?: string
  /** draws: edits, and waits until that is saved. looks: requests the board. */
  does: 'draws' | 'looks'
  /** resets: as when a cable is pulled. */
  leaves: 'politely' | 'resets'
}

let people = 0

/** Resolves with the close code when the socket is gone. @throws Error if it could not be opened */
export function visit({ url, ticket, does, leaves }: Visit): Promise<number> {
  const protocols = [
    does === 'draws' ? ownSubprotocol : stockSubprotocol,
    ...(ticket === undefined ? [] : [`${ticketSubprotocolPrefix}${ticket}`]),
  ]
  const socket = new WebSocket(url, protocols, { perMessageDeflate: false })
  const clientId = ++people
  const leave = () => (leaves === 'politely' ? socket.close() : socket.terminate())
  return new Promise((resolve, reject) => {
    let failure: Error | null = null
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('open', () => {
      socket.send(encodeSync(SyncStep.step1, Uint8Array.of(0)))
      socket.send(awareness([{ clientId, clock: 1, state: { name: 'Somebody' } }]))
      if (does === 'draws') socket.send(encodeSync(SyncStep.update, strokeOf(clientId)))
    })
    socket.on('message', (data: Buffer) => {
      const isAnswer = data[0] === MessageType.sync && data[1] === SyncStep.step2
      if (does === 'looks' ? isAnswer : data[0] === MessageType.saved) leave()
    })
    socket.on('close', (code) => {
      if (failure === null) resolve(code)
      else reject(failure)
    })
  })
}

/** The same element again and again, so that boards stay small. */
function strokeOf(clientId: number): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = clientId
  doc.getMap('elements').set('one', clientId)
  const update = Y.encodeStateAsUpdate(doc)
  doc.destroy()
  return update
}

/** `count` visits, `atOnce` of them at any moment. @returns how often each close code occurred */
export async function visits(
  count: number,
  atOnce: number,
  visitOf: (number: number) => Visit,
): Promise<Record<string, number>> {
  const ends: Record<string, number> = {}
  let next = 0
  const goOn = async () => {
    while (next < count) {
      const code = await visit(visitOf(next++))
      ends[code] = (ends[code] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, goOn))
  return ends
}
