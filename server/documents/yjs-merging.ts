// A cheaper tidying for Yjs. After every transaction it joins values that one client added one after the other. Here they
// are chained, and copied once, when somebody reads them. What a document says does not depend on it.
import * as Y from 'yjs'

/**
 * A struct of this many values is joined with no more, because what is added to it later copies it. Not smaller:
 * browsers join what is left apart.
 */
const mostJoinedValues = 65_536

interface Values {
  arr: unknown[]
}

/** Values that belong together and are not yet one array. */
interface Chain {
  values: unknown[]
  length: number
  next: Chain | null
}

const chains = new WeakMap<Values, Chain>()
const patched = new WeakSet<object>()

/** Changes how the Yjs of this thread joins. To be called before documents are built; again is harmless. */
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
