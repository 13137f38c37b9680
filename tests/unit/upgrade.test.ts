// What a join leaves in the trail if something fails on the way.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import type { AuditEvent } from '../../server/audit/event.ts'
import type { AuditTrail } from '../../server/audit/trail.ts'
import { configWith } from '../../server/config.ts'
import { BoardroomError } from '../../server/errors.ts'
import { Admission } from '../../server/http/admission.ts'
import { Upgrades } from '../../server/http/upgrade.ts'
import { rateLimits } from '../../server/routing/rate-limits.ts'
import { CloseCode } from '../../shared/protocol.ts'
import { TestRooms } from '../helpers/rooms.ts'

const joins = suite('joins that fail midway')

const board = '00000000-0000-4000-8000-000000000001'

/** One join of an anonymous client, with a trail that does what `record` does. */
async function join(record: (event: AuditEvent) => Promise<void>, test = new TestRooms()) {
  test.access.set('anonymous', 'edit')
  const owed: string[] = []
  const config = configWith({})
  const upgrades = new Upgrades({
    identify: async () => ({
      principal: { kind: 'anonymous', id: 'one' },
      via: 'anonymous',
      sessionId: null,
      boardId: null,
      maxLevel: null,
    }),
    isForeignPage: () => false,
    addressOf: () => ({ ip: '127.0.0.1', key: '127.0.0.1' }),
    admission: new Admission(config, rateLimits(config)),
    rooms: test.rooms,
    trail: { record } as unknown as AuditTrail, // a join uses nothing else of it
    oweLeave: (connectionId) => owed.push(connectionId),
    isDatabaseWell: () => true,
    logger: pino({ level: 'silent' }),
    onRefused: () => undefined,
  })
  const server = createServer()
  server.on('upgrade', (request, socket, head) => upgrades.handle(request, socket, head))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new WebSocket(
    `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/${board}`,
    'boardroom.yjs',
  )
  const [code] = await once(client, 'close')
  await upgrades.close()
  server.close()
  server.closeAllConnections()
  return { code, owed, test }
}

const isOf = (action: string) => (event: AuditEvent) => event.action === action

joins('an access row whose answer was lost still gets its leave', async () => {
  const recorded: AuditEvent[] = []
  const { code, owed, test } = await join(async (event) => {
    recorded.push(event)
    throw new BoardroomError('database_unreachable', 'the answer is lost')
  })
  assert.is(code, CloseCode.busy)
  assert.equal(owed, [recorded.find(isOf('access'))?.details?.connection_id])
  assert.is(test.rooms.stats().connections, 0)
})

joins('one that is recorded but does not reach its room gets its leave row, at once or later', async () => {
  for (const isLost of [false, true]) {
    const test = new TestRooms()
    test.log.load = () => Promise.reject(new BoardroomError('board_unreadable', 'not today'))
    const recorded: AuditEvent[] = []
    const { owed } = await join(async (event) => {
      recorded.push(event)
      if (isLost && event.action === 'leave') throw new BoardroomError('database_unreachable', 'away')
    }, test)
    const id = recorded.find(isOf('access'))?.details?.connection_id
    assert.is(recorded.find(isOf('leave'))?.details?.connection_id, id)
    assert.equal(owed, isLost ? [id] : [])
  }
})

joins.run()
