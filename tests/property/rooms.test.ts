// Seeded random lives of a room: clients edit, leave, come back with what they drew offline, lose and regain their
// level, while commits arrive late. At rest everybody and the log agree, and saved never ran ahead of the log.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { draw, drawn, settle, TestRooms } from '../helpers/rooms.ts'
import type { PairedClient } from '../helpers/socket-pair.ts'

const runs = 12
const stepsOfARun = 120

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

interface Person {
  user: number
  doc: Y.Doc
  client: PairedClient | null
  mayWrite: boolean
  drawn: number
}

async function live(seed: number): Promise<void> {
  const random = randomOf(seed)
  const steps: string[] = []
  const test = new TestRooms({ updatesPerSecond: 1e5, updatesBurst: 1e5 })
  test.log.isHandMade = true
  const people: Person[] = Array.from({ length: 4 }, (_, i) => {
    const doc = new Y.Doc()
    doc.clientID = seed * 100 + i
    return { user: i + 1, doc, client: null, mayWrite: true, drawn: 0 }
  })
  for (const person of people) test.access.set(`user:${person.user}`, 'edit')

  const join = async (person: Person): Promise<void> => {
    test.log.commit()
    await settle()
    const { client } = await test.join({ user: person.user, own: true, doc: person.doc })
    person.client = client
  }
  /** What `saved` reports about a client's edits must be in the log. */
  const check = (person: Person): void => {
    const { client } = person
    if (client === null || !client.hasSentAll || client.saved < client.syncFramesSent || !person.mayWrite)
      return
    const committed = test.log.committed('board')
    const known = Y.getState(committed.store, person.doc.clientID)
    assert.ok(
      known >= Y.getState(person.doc.store, person.doc.clientID),
      `saved ran ahead; seed ${seed}\n${steps.join('\n')}`,
    )
  }

  for (let step = 0; step < stepsOfARun; step++) {
    const person = people[random(people.length)] as Person // below the length
    const { client } = person
    const action = random(12)
    steps.push(`${step} user:${person.user} ${action}`)
    if (client === null) {
      if (person.mayWrite && action < 4) draw(person, `${person.user}.${random(5)}`, `${seed}.${step}`)
      else await join(person)
    } else if (action < 5) {
      if (person.mayWrite) draw(person, `${random(3)}`, `${seed}.${step}`)
    } else if (action < 7) client.pump()
    else if (action === 7) await test.clock.advance(random(20))
    else if (action === 8) test.log.commit(random(3))
    else if (action === 9) {
      client.leave()
      person.client = null
    } else if (action === 10) {
      // Lowered while nothing is in transit, like a client that offers its edits as a copy.
      await test.pump(client)
      person.mayWrite = !person.mayWrite
      test.access.set(`user:${person.user}`, person.mayWrite ? 'edit' : 'view')
      test.rooms.rights.notified([`u:${person.user}`])
      await test.pump(client)
    } else client.receive()
    await settle()
    for (const each of people) check(each)
  }

  for (const person of people) {
    person.mayWrite = true
    test.access.set(`user:${person.user}`, 'edit')
  }
  test.rooms.rights.notified(['*'])
  await settle()
  for (const person of people) if (person.client === null) await join(person)
  const clients = people.map((person) => person.client as PairedClient) // all have joined
  for (let round = 0; round < 4; round++) {
    await test.pump(...clients)
    test.log.commit()
    await settle()
  }
  const expected = test.log.committed('board').getMap('elements').toJSON()
  for (const client of clients) {
    assert.is(client.closeCode, null, `seed ${seed}`)
    assert.equal(drawn(client), expected, `seed ${seed}\n${steps.join('\n')}`)
    assert.is(client.saved, client.syncFramesSent, `everything is saved in the end; seed ${seed}`)
  }
  for (const client of clients) client.leave()
  await settle()
  assert.is(test.rooms.stats().rooms, 0)
  assert.is(test.clock.timers, 0)
}

const lives = suite('random lives of a room')
const firstSeed = Number(process.env.SEED ?? 1)
for (let run = 0; run < runs; run++) {
  const seed = firstSeed + run
  lives(`converge, and saved never runs ahead (seed ${seed})`, () => live(seed))
}
lives.run()
