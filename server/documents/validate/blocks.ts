// The parts of one update by client, and the dependencies between them.

/** One client's part of an update. */
export interface Block {
  readonly clientId: number
  /** The clock that the board has for this client; everything below is known. */
  readonly known: number
  /** The clock that it will have after this update. Grows while the part is read. */
  reached: number
}

/** The parts of an update by client. */
export interface Blocks {
  blockOf(clientId: number): Block | undefined
}

interface Waiting {
  readonly block: Block
  /** Where this part stops until `onClientId` has passed `onClock`. */
  readonly atClock: number
  readonly onClientId: number
  readonly onClock: number
}

/** Which new structs depend on new structs of other clients, to find what Yjs would leave pending or could not resolve. */
export class Dependencies implements Blocks {
  readonly #blocks = new Map<number, Block>()
  readonly #waiting = new Map<Block, Waiting[]>()

  /** @returns false if the client already has a part. */
  add(block: Block): boolean {
    if (this.#blocks.has(block.clientId)) return false
    this.#blocks.set(block.clientId, block)
    return true
  }

  blockOf(clientId: number): Block | undefined {
    return this.#blocks.get(clientId)
  }

  /** The struct of `block` at `atClock` depends on a clock of another client that the board lacks. In clock order. */
  wait(block: Block, atClock: number, onClientId: number, onClock: number): void {
    const waiting = this.#waiting.get(block)
    const entry = { block, atClock, onClientId, onClock }
    if (waiting === undefined) this.#waiting.set(block, [entry])
    else waiting.push(entry)
  }

  /**
   * Whether there is an order in which every struct follows its dependencies. The same walk as `integrateStructs` of Yjs,
   * with counters instead of structs: linear in the number of `wait` calls.
   */
  resolve(): 'complete' | 'missing' | 'cycle' {
    for (const waiting of this.#waiting.values())
      for (const { onClientId, onClock } of waiting) {
        const other = this.#blocks.get(onClientId)
        if (other === undefined || other.reached <= onClock) return 'missing'
      }
    const next = new Map<Block, number>()
    /** The first dependency that still blocks this part. */
    const heldBy = (block: Block): Waiting | undefined => this.#waiting.get(block)?.[next.get(block) ?? 0]
    for (const start of this.#waiting.keys()) {
      const stack = [start]
      const onStack = new Set(stack)
      while (stack.length > 0) {
        const block = stack[stack.length - 1]!
        const held = heldBy(block)
        const asking = stack.length > 1 ? heldBy(stack[stack.length - 2]!) : undefined
        if (held === undefined || (asking !== undefined && asking.onClock < held.atClock)) {
          stack.pop()
          onStack.delete(block)
          continue
        }
        // It exists, as checked above.
        const other = this.#blocks.get(held.onClientId)!
        if (held.onClock < (heldBy(other)?.atClock ?? other.reached)) {
          next.set(block, (next.get(block) ?? 0) + 1)
        } else if (onStack.has(other)) {
          return 'cycle'
        } else {
          stack.push(other)
          onStack.add(other)
        }
      }
    }
    return 'complete'
  }
}
