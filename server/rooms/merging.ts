// A bound for the tidying of Yjs. After every transaction it joins values that one client added one after the other,
// by copying all that follow, for each: 20,000 in one transaction take 6.5 s and 1.6 GB, a thousand of a thousand each
// 23 s, and every value that is added to a long list copies it. Joined only up to a bound, all of that is linear.
// Nothing that a document says depends on it: what is not joined is stored as it came.
import * as Y from 'yjs'

/** A struct of this many values is joined with no more. */
const mostJoinedValues = 1024

const bounded = new WeakSet<object>()

/** Puts the bound on the Yjs of this thread. To be called before documents are built; again is harmless. */
export function boundMerging(): void {
  for (const Content of [Y.ContentAny, Y.ContentJSON]) {
    const content: { mergeWith(right: { getLength(): number }): boolean; getLength(): number } =
      Content.prototype
    if (bounded.has(content)) continue
    bounded.add(content)
    const merge = content.mergeWith
    content.mergeWith = function (right) {
      return this.getLength() + right.getLength() <= mostJoinedValues && merge.call(this, right)
    }
  }
}
