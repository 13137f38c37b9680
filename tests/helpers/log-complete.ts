// The one invariant of a board: the live document contains nothing that the log lacks.
import * as assert from 'uvu/assert'
import * as Y from 'yjs'

/** The state that storage would build from its rows. */
export function documentOf(
  stored: { snapshot: Uint8Array | null; updates: readonly Uint8Array[] } | undefined,
): Y.Doc {
  const doc = new Y.Doc()
  if (stored === undefined) return doc
  if (stored.snapshot !== null) Y.applyUpdate(doc, stored.snapshot)
  for (const update of stored.updates) Y.applyUpdate(doc, update)
  return doc
}

/**
 * @param live the whole state of the live document, v1.
 * @param logged a document of what is in the log, or on its way there; modified by this function.
 */
export function assertComplete(live: Uint8Array, logged: Y.Doc): void {
  let missing: Uint8Array | null = null
  // If the database refused one row of a board, later rows may depend on it: nobody was told that they are saved.
  const dangles = logged.store.pendingStructs !== null
  logged.on('update', (update: Uint8Array) => {
    missing = update
  })
  Y.applyUpdate(logged, live)
  if (!dangles)
    assert.is(logged.store.pendingStructs, null, 'the live document rests on what the log does not have')
  const { structs, ds } = missing === null ? { structs: [], ds: null } : Y.decodeUpdate(missing)
  assert.equal(
    structs.map(({ id }) => `${id.client}:${id.clock}`),
    [],
    'structs of the live document that the log does not have',
  )
  assert.equal([...(ds?.clients.keys() ?? [])], [], 'clients of which the log misses deletions')
}
