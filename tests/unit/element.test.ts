// What may appear on a canvas, read from plain values.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readElement } from '../../shared/element.ts'

const elements = suite('an element')
const box = { id: 'a', type: 'rectangle', x: 0, y: 0, width: 100, height: 100 }

elements('is invalid beyond the edge of the canvas', () => {
  assert.is(readElement({ ...box, x: 1e6 })?.x, 1e6)
  assert.is(readElement({ ...box, x: 1e6 + 1 }), null)
  assert.is(readElement({ ...box, x: Number.NaN }), null)
})

elements('is filled solid if its hatching would have more lines than allowed', () => {
  const hatched = { ...box, fillStyle: 'hachure', strokeWidth: 1 }
  assert.is(readElement(hatched)?.fillStyle, 'hachure')
  assert.is(readElement(hatched, 50)?.fillStyle, 'hachure')
  assert.is(readElement(hatched, 49)?.fillStyle, 'solid')
  assert.is(readElement({ ...hatched, strokeWidth: 0 }, 2000)?.fillStyle, 'hachure')
  assert.is(readElement({ ...hatched, strokeWidth: 0 }, 1999)?.fillStyle, 'solid')
  const line = {
    ...hatched,
    type: 'line',
    points: [
      [0, 0],
      [300, 100],
    ],
  }
  assert.is(readElement(line, 100)?.fillStyle, 'hachure')
  assert.is(readElement(line, 99)?.fillStyle, 'solid')
})

elements.run()
