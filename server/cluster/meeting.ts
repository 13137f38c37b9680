// Nodes that share a secret and a bus but use different databases are a configuration error: each half of a team would
// believe that the other is absent. So every node asks around when it starts.
import { setTimeout as delay } from 'node:timers/promises'
import { BoardroomError } from '../errors.ts'
import type { Bus } from './bus.ts'
import { keyOf, seal, unseal } from './envelope.ts'

const subject = 'boardroom.meeting'
const askMs = 300

/**
 * Asks, and answers from then on.
 * @returns a function that stops answering.
 * @throws BoardroomError invalid_config: a node with our secret uses another database
 */
export async function refuseOtherDatabase(options: {
  bus: Bus
  secret: string
  deployment: string
  nodeId: string
}): Promise<() => void> {
  const { bus, secret, deployment, nodeId } = options
  const key = keyOf(secret, 'meeting')
  let number = 0
  let other: string | null = null
  const say = (kind: 'ask' | 'answer') => {
    const body = Buffer.from(JSON.stringify({ kind, deployment }))
    bus.publish(subject, seal(key, subject, { nodeId, number: ++number, body }))
  }
  const leave = bus.subscribe(subject, (data) => {
    const heard = unseal(key, subject, data)
    if (typeof heard === 'string' || heard.nodeId === nodeId) return
    const said = JSON.parse(Buffer.from(heard.body).toString()) as { kind?: string; deployment?: string } // signed
    if (said.kind === 'ask') say('answer')
    else if (said.deployment !== undefined && said.deployment !== deployment) other = said.deployment
  })
  await bus.settled()
  say('ask')
  const until = performance.now() + askMs
  while (other === null && performance.now() < until) await delay(20)
  if (other === null) return leave
  leave()
  throw new BoardroomError(
    'invalid_config',
    'NATS_URL: a server with the same BOARDROOM_SECRET uses another database on this bus; nodes must share a database and schema, and every deployment needs its own secret',
  )
}
