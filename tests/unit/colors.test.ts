// The colours of people on a canvas.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { colorKeysOf } from '../../client/presence.ts'

/** Excalidraw 0.18.1, getClientColor. */
const hueOf = (key: string): number => {
  let hash = 0
  for (const char of key) hash = (hash << 5) - hash + char.charCodeAt(0)
  return Math.abs(hash) % 37
}

const colors = suite('colours of people')

colors('differ, for as many people as there are colours, and are the same in every window', () => {
  const ids = Array.from({ length: 37 }, (_, at) => `user:${at * 7}`)
  const keys = colorKeysOf(ids)
  assert.is(new Set([...keys.values()].map(hueOf)).size, 37)
  assert.equal([...colorKeysOf([...ids].reverse())].sort(), [...keys].sort())
})

colors('are shared if there are more people, who remain distinct', () => {
  const ids = Array.from({ length: 100 }, (_, at) => `guest:${at}`)
  assert.is(new Set(colorKeysOf([...ids, ...ids]).values()).size, 100)
})

colors.run()
