// Three people edit one board at random, losing their connections from time to time. At rest, every canvas shows
// exactly what the document says, and all documents are the same.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { Binding } from '../../client/binding.ts'
import { sceneOf, storedProperties } from '../../shared/scene.ts'
import { FakeCanvas, HandClock } from '../helpers/canvas.ts'

const random = (seed: number) => {
  let state = seed >>> 0
  return (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

class Person {
  readonly doc = new Y.Doc()
  readonly canvas = new FakeCanvas()
  readonly binding: Binding
  readonly #server: Y.Doc
  #isConnected = false

  constructor(name: string, server: Y.Doc, clock: HandClock) {
    this.#server = server
    this.doc.clientID = name.charCodeAt(0)
    this.binding = new Binding({
      doc: this.doc,
      canvas: this.canvas,
      clock,
      mayWrite: true,
      onPending: () => {},
    })
    this.canvas.onChange = () => this.binding.canvasChanged()
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'server' && this.#isConnected) Y.applyUpdate(server, update, this)
    })
    server.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== this && this.#isConnected) Y.applyUpdate(this.doc, update, 'server')
    })
    this.binding.start()
  }

  connect(): void {
    if (this.#isConnected) return
    this.#isConnected = true
    Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(this.#server, Y.encodeStateVector(this.doc)), 'server')
    Y.applyUpdate(this.#server, Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(this.#server)), this)
  }

  disconnect(): void {
    this.#isConnected = false
  }
}

const play = (seed: number, steps: number): void => {
  const pick = random(seed)
  const clock = new HandClock()
  const server = new Y.Doc()
  const people = ['a', 'b', 'c'].map((name) => new Person(name, server, clock))
  for (const person of people) person.connect()
  let drawn = 0
  const log: string[] = []

  for (let step = 0; step < steps; step++) {
    const who = pick(people.length)
    const person = people[who]!
    const { canvas } = person
    const all = canvas.elements()
    const some = all.length === 0 ? undefined : all[pick(all.length)]
    const action = pick(12)
    log.push(`${who}:${action}:${some?.id ?? '-'}`)
    if (action <= 2 || some === undefined) {
      const type = pick(3) === 0 ? 'arrow' : 'rectangle'
      const target = all.find((element) => element.type === 'rectangle' && element.isDeleted !== true)
      const id = `e${drawn++}`
      canvas.draw(
        {
          id,
          type,
          x: pick(1000),
          y: pick(1000),
          width: 1 + pick(100),
          height: 1 + pick(100),
          angle: 0,
          strokeColor: 'black',
          boundElements: [],
          ...(type === 'arrow'
            ? {
                points: [
                  [0, 0],
                  [pick(50), 9],
                ],
                startBinding: target ? { elementId: target.id, focus: 0, gap: 1 } : null,
                endBinding: null,
              }
            : {}),
        },
        pick(all.length + 1),
      )
      if (type === 'arrow' && target !== undefined) {
        const bound = Array.isArray(target.boundElements) ? target.boundElements : []
        canvas.change(target.id, { boundElements: [...bound, { id, type: 'arrow' }] })
      }
    } else if (action <= 5) canvas.change(some.id, { x: pick(1000), y: pick(1000) })
    else if (action === 6) canvas.change(some.id, { strokeColor: `#${pick(1000)}` })
    else if (action === 7) canvas.change(some.id, { isDeleted: some.isDeleted !== true })
    else if (action === 8) canvas.reorder(some.id, pick(all.length))
    else if (action === 9) {
      if (canvas.inHand.size > 0) canvas.inHand.clear()
      else canvas.inHand.add(some.id)
    } else if (action === 10) person.disconnect()
    else person.connect()
    clock.advance(pick(80))
  }

  for (const { canvas } of people) canvas.inHand.clear()
  for (const person of people) person.connect()
  clock.advance(10_000)
  const story = `seed ${seed}: ${log.join(' ')}`
  assert.is(clock.waiting, 0, `still moving after 10 s; ${story}`)
  const truth = sceneOf(server)
  for (const { doc, canvas } of people) {
    assert.equal(sceneOf(doc), truth, `documents differ; ${story}`)
    const seen = canvas.elements().filter((element) => element.isDeleted !== true)
    assert.equal(
      seen.map(({ id }) => id),
      truth.elements.map(({ id }) => id),
      `order differs; ${story}`,
    )
    for (const [at, element] of seen.entries())
      assert.equal(
        storedProperties(element),
        storedProperties(truth.elements[at]!),
        `${element.id} differs; ${story}`,
      )
  }
}

const rest = suite('three people at rest')

rest('see the same, which is the document, whatever they did', () => {
  for (let seed = 1; seed <= 150; seed++) play(seed, 60)
})

rest('see the same after a long session', () => {
  for (let seed = 1000; seed < 1005; seed++) play(seed, 600)
})

rest.run()
