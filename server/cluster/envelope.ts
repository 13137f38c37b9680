// The envelope of a message: sender, sequence number, and a signature with a key that only nodes of the deployment have.
//
//   version (1 byte) · signature (16) · node id (16) · number (varuint) · body
//
// The signature covers the subject and everything after it. A node's numbers only increase, so that replayed messages
// are detected. Messages with a higher version are ignored.
import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

export const busVersion = 1
const signatureBytes = 16
const idBytes = 16

export interface Sealed {
  nodeId: string
  number: number
  body: Uint8Array
}

export type Opened = Sealed | 'stranger' | 'newer'

/** The key of a deployment, derived from the secret and the database. */
export const keyOf = (secret: string, purpose: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `boardroom bus ${purpose}`, 32)))

/** A node id as it is written in a message. */
export const idBytesOf = (nodeId: string): Buffer => Buffer.from(nodeId.replaceAll('-', ''), 'hex')

/** Whether a message claims to come from the node with this id; its signature is not checked. */
export const saysItIsOf = (id: Buffer, message: Uint8Array): boolean =>
  id.equals(message.subarray(1 + signatureBytes, 1 + signatureBytes + idBytes))

export function seal(key: KeyObject, subject: string, { nodeId, number, body }: Sealed): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8Array(encoder, idBytesOf(nodeId))
  encoding.writeVarUint(encoder, number)
  encoding.writeUint8Array(encoder, body)
  const signed = encoding.toUint8Array(encoder)
  const message = Buffer.allocUnsafe(1 + signatureBytes + signed.length)
  message[0] = busVersion
  message.set(signatureOf(key, subject, signed), 1)
  message.set(signed, 1 + signatureBytes)
  return message
}

export function unseal(key: KeyObject, subject: string, message: Uint8Array): Opened {
  if (message.length <= 1 + signatureBytes + idBytes) return 'stranger'
  const [version = 0] = message
  if (version > busVersion) return 'newer'
  const signed = message.subarray(1 + signatureBytes)
  const signature = message.subarray(1, 1 + signatureBytes)
  if (version !== busVersion || !timingSafeEqual(signature, signatureOf(key, subject, signed)))
    return 'stranger'
  const decoder = decoding.createDecoder(signed)
  const id = Buffer.from(decoding.readUint8Array(decoder, idBytes)).toString('hex')
  const number = decoding.readVarUint(decoder)
  const nodeId = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return { nodeId, number, body: decoding.readTailAsUint8Array(decoder) }
}

const signatureOf = (key: KeyObject, subject: string, signed: Uint8Array): Buffer =>
  createHmac('sha256', key).update(subject).update('\0').update(signed).digest().subarray(0, signatureBytes)
