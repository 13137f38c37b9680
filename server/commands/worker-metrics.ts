// `/metrics` of several workers behind one port: whichever is asked answers for all, with a `worker` label on each line.
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'

/** A worker that does not answer within this time is left out. */
const answerMs = 2000

/** Messages between a worker and its parent. */
export type MetricsMessage =
  /** A worker was asked; the parent asks all the others. */
  | { metrics: 'wanted'; id: number }
  | { metrics: 'ask'; id: number }
  | { metrics: 'answer'; id: number; text: string }
  | { metrics: 'all'; id: number; texts: string[] }

const isMetrics = (message: unknown): message is MetricsMessage =>
  typeof message === 'object' && message !== null && 'metrics' in message

/** In a worker. @returns what the library responds with. */
export function metricsOfWorkers(own: () => Promise<string>): () => Promise<string> {
  const waiting = new Map<number, (texts: string[]) => void>()
  let last = 0
  const say = (message: MetricsMessage) => process.send?.(message)
  process.on('message', (message) => {
    if (!isMetrics(message)) return
    const { id } = message
    if (message.metrics === 'all') waiting.get(id)?.(message.texts)
    else if (message.metrics === 'ask')
      own().then(
        (text) => say({ metrics: 'answer', id, text }),
        () => undefined, // it is left out
      )
  })
  return async () => {
    const id = ++last
    const others = new Promise<string[]>((resolve) => waiting.set(id, resolve))
    say({ metrics: 'wanted', id })
    const texts = await Promise.race([others, delay(2 * answerMs, [], { ref: false })])
    waiting.delete(id)
    return together([await own(), ...texts])
  }
}

/** In the parent: asks the others on behalf of a worker. */
export class WorkerMetrics {
  readonly #asked = new Map<number, (text: string) => void>()
  #last = 0

  /** Any message from a worker. */
  heard(worker: Worker, message: unknown): void {
    if (!isMetrics(message)) return
    if (message.metrics === 'answer') this.#asked.get(message.id)?.(message.text)
    else if (message.metrics === 'wanted') void this.#gather(worker, message.id)
  }

  async #gather(asker: Worker, id: number): Promise<void> {
    const others = Object.values(cluster.workers ?? {}).filter((each) => each !== undefined && each !== asker)
    const texts = await Promise.all(others.map((other) => this.#ask(other as Worker)))
    const all: MetricsMessage = { metrics: 'all', id, texts: texts.filter((text) => text !== null) }
    if (asker.isConnected()) asker.send(all)
  }

  async #ask(worker: Worker): Promise<string | null> {
    if (!worker.isConnected()) return null
    const id = ++this.#last
    const answer = new Promise<string>((resolve) => this.#asked.set(id, resolve))
    worker.send({ metrics: 'ask', id } satisfies MetricsMessage)
    const text = await Promise.race([answer, delay(answerMs, null, { ref: false })])
    this.#asked.delete(id)
    return text
  }
}

/** Merges several Prometheus texts into one, in which every metric occurs once, with the lines of all workers. */
export function together(texts: readonly string[]): string {
  const blocks = new Map<string, { head: string[]; lines: string[] }>()
  for (const text of texts) {
    let block: { head: string[]; lines: string[] } | undefined
    let isNew = false
    for (const line of text.split('\n')) {
      const [, name] = /^# HELP (\S+)/.exec(line) ?? []
      if (name !== undefined) {
        isNew = !blocks.has(name)
        block = blocks.get(name) ?? { head: [], lines: [] }
        blocks.set(name, block)
      }
      if (line === '' || block === undefined) continue
      if (!line.startsWith('#')) block.lines.push(line)
      else if (isNew) block.head.push(line)
    }
  }
  return `${[...blocks.values()].map(({ head, lines }) => [...head, ...lines].join('\n')).join('\n\n')}\n`
}
