// Folding alone: the result can be edited, or there is no result.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { fold, pack, probe, unpack } from '../../server/documents/folding.ts'
import { imageTypeOf } from '../../shared/image-type.ts'

const folding = suite('a fold')

folding('refuses a state on which edits would be lost', () => {
  const doc = new Y.Doc()
  doc.getMap('m').set('a', 1)
  const state = Y.encodeStateAsUpdate(doc)
  probe(state)
  // Instead of a broken document: no document reports its edits any more.
  const { emit } = Y.Doc.prototype
  Y.Doc.prototype.emit = () => undefined
  try {
    assert.throws(() => probe(state), /produced no update/)
    assert.throws(() => fold(state, []), /produced no update/)
  } finally {
    Y.Doc.prototype.emit = emit
  }
})

folding('refuses a snapshot that lacks what it depends on', () => {
  const doc = new Y.Doc()
  const text = doc.getText('t')
  text.insert(0, 'a')
  const before = Y.encodeStateVector(doc)
  text.insert(1, 'b')
  const dangling = Y.encodeStateAsUpdate(doc, before)
  assert.throws(() => fold(dangling, []), /does not contain/)
  assert.throws(() => probe(dangling), /does not contain/)
})

folding('of nothing is an empty document, and packing is reversible', () => {
  const { state } = fold(null, [])
  assert.equal(state, Uint8Array.of(0, 0))
  assert.equal(unpack(pack(state)), state)
})

const images = suite('the type of an image')

images('is detected from its content, and markup that contains an image is not an image', () => {
  assert.is(
    imageTypeOf(Buffer.from('\uFEFF<?xml version="1.0"?>\n<!-- a -->\n<svg width="1"/>')),
    'image/svg+xml',
  )
  for (const text of [
    '',
    '<',
    '<html><svg/></html>',
    '<!-- <svg> -->',
    '<svgx>',
    'GIF87',
    '<!DOCTYPE html><svg>',
  ]) {
    assert.is(imageTypeOf(Buffer.from(text)), null, text)
  }
})

folding.run()
images.run()
