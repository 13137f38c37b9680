// Root types that an update would create. Yjs creates a root when it reads its name, and never removes one.
import type * as Y from 'yjs'
import { Refused } from './update-reader.ts'
import type { ValidationLimits } from './verdict.ts'

export class NewRoots {
  readonly names: string[] = []
  readonly #doc: Y.Doc
  readonly #limits: ValidationLimits

  constructor(doc: Y.Doc, limits: ValidationLimits) {
    this.#doc = doc
    this.#limits = limits
  }

  /** @throws Refused roots */
  add(name: string): void {
    if (this.#doc.share.has(name) || this.names.includes(name)) return
    this.names.push(name)
    const { maxNewRootsPerUpdate, maxRootsPerBoard } = this.#limits
    if (this.names.length > maxNewRootsPerUpdate)
      throw new Refused('roots', `more than ${maxNewRootsPerUpdate} new root names in one update`)
    if (this.#doc.share.size + this.names.length > maxRootsPerBoard)
      throw new Refused('roots', `more than ${maxRootsPerBoard} root names on one board`)
  }
}
