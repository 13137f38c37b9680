// Cheaper merging for Yjs. After every transaction, Yjs joins values that one client added one after the other. Here they
// are chained and copied only once, when they are read. The content of a document is not affected.
import * as Y from 'yjs'

/**
 * A struct with this many values is not joined further, because every later addition would copy it. It should not be
 * smaller, because browsers join whatever is left separate.
 */
const mostJoinedValues = 65_536

interface Values {
  arr: unknown[]
}

/** Values that belong together but are not one array yet. */
interface Chain {
  values: unknown[]
  length: number
  next: Chain | null
}

const chains = new WeakMap<Values, Chain>()
const patched = new WeakSet<object>()

/** Patches Yjs in this thread. Must be called before documents are built; repeated calls are harmless. */
export function patchYjsMerging(): void {
  for (const Content of [Y.ContentAny, Y.ContentJSON]) {
    const { prototype } = Content
    if (patched.has(prototype)) continue
    patched.add(prototype)
    Object.assign(prototype, { mergeWith, getLength })
  }
}

function getLength(this: Values): number {
  return chains.get(this)?.length ?? this.arr.length
}

function mergeWith(this: Values, right: Values): boolean {
  const length = getLength.call(this) + getLength.call(right)
  if (length > mostJoinedValues) return false
  const tail = chains.get(right) ?? { values: right.arr, length: right.arr.length, next: null }
  const values = this.arr
  chains.set(this, { values, length, next: tail })
  Object.defineProperty(this, 'arr', {
    configurable: true,
    enumerable: true,
    get: () => joined(this),
    set: (arr: unknown[]) => settle(this, arr),
  })
  return true
}

function joined(content: Values): unknown[] {
  const arr: unknown[] = []
  for (let chain = chains.get(content) ?? null; chain !== null; chain = chain.next)
    for (const value of chain.values) arr.push(value)
  settle(content, arr)
  return arr
}

function settle(content: Values, arr: unknown[]): void {
  chains.delete(content)
  Object.defineProperty(content, 'arr', { configurable: true, enumerable: true, writable: true, value: arr })
}
