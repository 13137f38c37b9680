// Questions to all other nodes, and their answers within a second.
import { randomUUID } from 'node:crypto'
import type { NodeMessage, Question } from './node-messages.ts'

const askMs = 1000
const answersAPart = 200

interface Asked {
  waiting: Set<string>
  answers: unknown[]
  done: () => void
}

export class Questions {
  readonly #say: (message: NodeMessage) => void
  readonly #asked = new Map<string, Asked>()

  constructor(say: (message: NodeMessage) => void) {
    this.#say = say
  }

  async ask(question: Question, nodes: Iterable<string>): Promise<unknown[]> {
    const id = randomUUID()
    const answers: unknown[] = []
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((done) => {
      this.#asked.set(id, { waiting: new Set(nodes), answers, done })
      timer = setTimeout(done, askMs)
      this.#say({ kind: 'ask', id, question })
    })
    clearTimeout(timer)
    this.#asked.delete(id)
    return answers
  }

  /** Sends our answers, in parts that fit into a message. */
  answer(to: string, id: string, answers: unknown[]): void {
    do {
      const part = answers.splice(0, answersAPart)
      this.#say({ kind: 'answer', id, to, answers: part, isLast: answers.length === 0 })
    } while (answers.length > 0)
  }

  answered(nodeId: string, answer: Extract<NodeMessage, { kind: 'answer' }>): void {
    const asked = this.#asked.get(answer.id)
    if (asked === undefined) return
    asked.answers.push(...answer.answers)
    if (answer.isLast) this.#isHeard(asked, nodeId)
  }

  /** The node no longer answers. */
  gone(nodeId: string): void {
    for (const asked of this.#asked.values()) this.#isHeard(asked, nodeId)
  }

  close(): void {
    for (const { done } of this.#asked.values()) done()
  }

  #isHeard(asked: Asked, nodeId: string): void {
    if (asked.waiting.delete(nodeId) && asked.waiting.size === 0) asked.done()
  }
}
