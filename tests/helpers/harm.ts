// Whether edits still work on a plain document after previous operations.
import * as Y from 'yjs'
import { contentOf, writeUpdate } from './update-writer.ts'

const stranger = 4_111_222_333

/**
 * @param writers clients whose next edit must arrive.
 * @returns why the document no longer works; null if it does. It is emptied.
 */
export function harmTo(doc: Y.Doc, writers: readonly number[]): string | null {
  let emitted = 0
  doc.on('update', () => emitted++)
  const works = (edit: () => void): boolean => {
    const before = emitted
    try {
      edit()
    } catch {
      return false
    }
    return emitted > before
  }
  // An edit made here, one from somebody new, and the next one of everybody who had written before.
  if (!works(() => doc.getMap('probe').set('own', 1))) return 'stops edits of the document itself'
  for (const client of [stranger, ...writers]) {
    const clock = Y.getState(doc.store, client)
    const struct = { ref: 4, parent: 'probe of others', content: contentOf.string('p') }
    if (!works(() => Y.applyUpdate(doc, writeUpdate([{ client, clock, structs: [struct] }]))))
      return 'stops edits of others'
    const last = doc.store.clients.get(client)?.at(-1)
    if (Y.getState(doc.store, client) !== clock + 1 || last === undefined || last.deleted)
      return 'swallows the next edit of others'
  }
  return harmInTheEnd(doc, works)
}

/** The content can be copied to another document, and be deleted. */
function harmInTheEnd(doc: Y.Doc, works: (edit: () => void) => boolean): string | null {
  try {
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
    if (!works(() => doc.getMap('probe').set('copied', 1))) return 'stops edits once it is copied'
    for (const type of doc.share.values()) {
      for (const item of [...type._map.values()]) doc.transact((transaction) => item.delete(transaction))
      for (let item = type._start; item !== null; item = item.right) {
        const one = item
        doc.transact((transaction) => one.delete(transaction))
      }
    }
    return works(() => doc.getMap('probe').set('emptied', 1)) ? null : 'stops edits once it is emptied'
  } catch (error) {
    return `leaves a document that cannot be copied or emptied (${(error as Error).message})`
  }
}
