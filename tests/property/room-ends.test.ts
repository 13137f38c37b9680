// Seeded random joins and leaves in small rooms, where everything that may fail sometimes does: sockets that throw,
// commits that are refused, levels that change, changes by the server that throw. Every connection ends once, seats
// are never exceeded, the log is complete, and nothing is left behind.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Level } from '../../shared/levels.ts'
import { draw, settle, TestRooms } from '../helpers/rooms.ts'
import type { PairedClient } from '../helpers/socket-pair.ts'

const runs = 15
const stepsOfARun = 150
const maxWritersPerRoom = 3
const boards = ['one', 'other']

/** mulberry32 */
const randomOf = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

interface Member {
  id: string
  board: string
  user: number
  client: PairedClient
}

async function live(seed: number): Promise<void> {
  const random = randomOf(seed)
  const steps: string[] = []
  const test = new TestRooms({ maxWritersPerRoom })
  test.log.isHandMade = true
  const levels: (Level | null)[] = ['edit', 'edit', 'edit', 'comment', 'view', null]
  const joined = new Set<string>()
  let members: Member[] = []

  const join = async (): Promise<void> => {
    const [board = 'one', user] = [boards[random(2)], 1 + random(8)]
    if (!test.access.decisions.has(`user:${user}`)) test.access.set(`user:${user}`, 'edit')
    test.log.commit()
    await settle()
    try {
      const { client, connection } = await test.join({ board, user, own: random(2) === 0 })
      joined.add(connection.id)
      members.push({ id: connection.id, board, user, client })
    } catch (error) {
      // Without permission to join.
      assert.match(String(error), /no access|access/, `seed ${seed}\n${steps.join('\n')}`)
    }
  }

  const act = async (action: number): Promise<void> => {
    const member = members[random(members.length)]
    if (member === undefined || action < 4) return join()
    const { client, user, board } = member
    if (action < 8) draw(client, `${random(5)}`, random(1000))
    else if (action < 10) client.pump()
    else if (action === 10) client.presence(client.doc.clientID, random(50), { x: random(9) })
    else if (action === 11) client.leave()
    else if (action === 12) {
      test.access.set(`user:${user}`, levels[random(levels.length)] ?? null)
      test.rooms.rights.notified([`u:${user}`])
    } else if (action === 13) {
      client.socket.write = () => {
        throw new Error('a socket that throws')
      }
    } else if (action === 14) test.rooms.disconnect(member.id)
    else if (action === 15) test.log.queue.shift()?.reject(new Error('refused for good'))
    else if (action === 16) await test.clock.advance(random(12_000))
    else if (action === 17) {
      const change = test.rooms.applyAsServer(
        board,
        (doc) => {
          doc.getMap('elements').set('by the server', random(1000))
          if (random(2) === 0) throw new Error('half way')
        },
        'system',
      )
      change.catch(() => undefined) // it may throw, be refused, or meet the end of the room
    } else test.log.commit(random(4))
  }

  const check = async (): Promise<void> => {
    const told = test.left.map(({ connection }) => connection.connectionId)
    const story = `seed ${seed}\n${steps.join('\n')}`
    assert.is(new Set(told).size, told.length, `each ends once; ${story}`)
    for (const board of boards) {
      const writers = test.rooms.connectionsOf(board).filter(({ level }) => level === 'edit')
      assert.ok(writers.length <= maxWritersPerRoom, `seats; ${story}`)
    }
    for (const { id, client } of members)
      if (client.closeCode !== null) assert.ok(told.includes(id), `whoever is closed has left; ${story}`)
    members = members.filter(({ client }) => client.closeCode === null)
  }

  for (let step = 0; step < stepsOfARun; step++) {
    const action = random(20)
    steps.push(`${step} ${action}`)
    await act(action)
    await settle()
    await check()
    if (random(8) > 0) continue
    for (const board of new Set(members.map((member) => member.board))) await test.assertLogComplete(board)
    await settle()
  }

  test.log.isHandMade = false
  test.log.commit()
  await settle()
  const closed = test.rooms.close({ spreadMs: 0 })
  await test.clock.advance(30_000)
  await closed
  await check()
  assert.equal(members, [])
  assert.is(test.left.length, joined.size, `everybody who came has left; seed ${seed}`)
  assert.is(test.rooms.stats().rooms, 0)
  assert.is(test.clock.timers, 0, `no timer is left; seed ${seed}`)
}

const lives = suite('random ends')
const firstSeed = Number(process.env.SEED ?? 1)
for (let run = 0; run < runs; run++) {
  const seed = firstSeed + run
  lives(`cost nobody else anything (seed ${seed})`, () => live(seed))
}
lives.run()
