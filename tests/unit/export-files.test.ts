// Exports in progress: written at once, read slowly, a few at a time.
import { rejects } from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import os from 'node:os'
import { text } from 'node:stream/consumers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ExportFiles } from '../../server/privacy/export-files.ts'
import { eventually } from '../helpers/eventually.ts'

const exports = suite('exports')
const refused = { code: 'too_many_requests' }
const { signal } = new AbortController()

async function* pieces(count: number, onEnd: () => void = () => {}) {
  try {
    for (let i = 0; i < count; i++) yield `${i};`
  } finally {
    onEnd()
  }
}
/** Pieces, the last of which arrives when it is released. */
function held() {
  let letGo = () => {}
  const until = new Promise<void>((resolve) => {
    letGo = resolve
  })
  async function* slow() {
    yield 'a'
    await until
    yield 'b'
  }
  return { pieces: slow(), letGo }
}

exports(
  'are complete before the first byte is read, so that slow readers do not block the source',
  async () => {
    const files = new ExportFiles()
    let isDone = false
    const content = await files.of(
      'user:1',
      pieces(5_000, () => (isDone = true)),
      signal,
    )
    assert.ok(isDone)
    const read = await text(content)
    assert.is(read.split(';').length, 5_001)
    assert.not(readdirSync(os.tmpdir()).some((name) => name.startsWith('boardroom-export-')))
  },
)

exports('are limited to one at a time per reader, until it is read or abandoned', async () => {
  const files = new ExportFiles()
  const first = await files.of('user:1', pieces(3), signal)
  await rejects(files.of('user:1', pieces(3), signal), refused)
  const other = await files.of('user:2', pieces(3), signal)
  first.destroy()
  await text(other)
  await eventually(async () => (await text(await files.of('user:1', pieces(3), signal))) === '0;1;2;')
})

exports('are written a few at a time; an abandoned or failed one makes room', async () => {
  const files = new ExportFiles(1)
  const slow = held()
  const leaving = new AbortController()
  const first = files.of('user:1', slow.pieces, leaving.signal)
  await rejects(files.of('user:2', pieces(3), signal), refused)
  leaving.abort()
  slow.letGo()
  await rejects(first, { name: 'AbortError' })
  const broken = async function* () {
    yield 'a'
    throw new Error('no more')
  }
  await rejects(files.of('user:1', broken(), signal), { message: 'no more' })
  assert.is(await text(await files.of('user:1', pieces(2), signal)), '0;1;')
})

exports.run()
