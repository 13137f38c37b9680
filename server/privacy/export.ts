// Exports everything about one person as JSON or as a readable page, row by row, so that memory use stays constant.
import type { Db } from '../database/database.ts'
import {
  beReadOnly,
  countOf,
  rowsOf,
  type Section,
  type Subject,
  type SubjectRow,
  sectionsOf,
} from './queries.ts'

export type PersonFormat = 'json' | 'html'

export interface PersonExport {
  subject: Subject
  who: SubjectRow
  format: PersonFormat
  /** Reports progress: rows written, of the total. */
  onProgress?: (done: number, total: number, section: string) => void
}

/** The file, in pieces of text. All sections come from one snapshot. */
export async function* exportPerson(db: Db, asked: PersonExport): AsyncGenerator<string> {
  const write = asked.format === 'json' ? jsonWriter(asked.who) : htmlWriter(asked.who)
  // Kysely's transactions take a function, which cannot yield, so a queue of one piece sits in between.
  const pieces = handOver<string>()
  const work = db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => {
      await beReadOnly(trx)
      const sections = sectionsOf(asked.subject)
      let total = 0
      for (const section of sections) total += await countOf(trx, section)
      let done = 0
      await pieces.give(write.begin(total))
      for (const section of sections) {
        await pieces.give(write.section(section))
        for await (const rows of rowsOf(trx, section)) {
          await pieces.give(write.rows(rows))
          done += rows.length
          asked.onProgress?.(done, total, section.title)
        }
        await pieces.give(write.endSection())
      }
      await pieces.give(write.end())
    })
    .then(pieces.end, pieces.fail)
  try {
    yield* pieces.taken()
  } finally {
    pieces.cancel()
    await work
  }
}

interface Writer {
  begin(total: number): string
  section(section: Section): string
  rows(rows: readonly Record<string, unknown>[]): string
  endSection(): string
  end(): string
}

function jsonWriter({ user_id, guest_id, name, email }: SubjectRow): Writer {
  let isFirst = true
  return {
    begin: (total) =>
      `{"person": ${JSON.stringify({ user_id, guest_id, name, email })},\n"exported_at": ${JSON.stringify(new Date().toISOString())},\n"rows": ${total}`,
    section({ name: section }) {
      isFirst = true
      return `,\n${JSON.stringify(section)}: [`
    },
    rows(rows) {
      const lines = rows.map((row) => `\n  ${JSON.stringify(row)}`).join(',')
      const text = isFirst ? lines : `,${lines}`
      isFirst = false
      return text
    },
    endSection: () => ']',
    end: () => '\n}\n',
  }
}

function htmlWriter({ name, email }: SubjectRow): Writer {
  let isFirst = true
  return {
    begin: (total) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What is kept about ${escaped(name)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1b1f; background: #fff }
section { overflow-x: auto } table { border-collapse: collapse; font-size: 14px; width: 100% }
th, td { border: 1px solid #c8c8d0; padding: 4px 8px; text-align: left; vertical-align: top }
td { max-width: 24rem; overflow-wrap: break-word } th { white-space: nowrap }
th { background: #f1f1f6 } .none { color: #5b5b66 }
</style></head><body><main>
<h1>What is kept about ${escaped(name)}</h1>
<p>${email === null ? '' : `${escaped(email)}. `}${total} rows, as of ${new Date().toISOString()}.</p>
`,
    section({ title }) {
      isFirst = true
      // Wide tables can be scrolled, also with the keyboard.
      return `<section tabindex="0" aria-label="${escaped(title)}"><h2>${escaped(title)}</h2>\n`
    },
    rows(rows) {
      const names = Object.keys(rows[0] ?? {})
      const head = isFirst
        ? `<table><thead><tr>${names.map((column) => `<th scope="col">${escaped(column.replaceAll('_', ' '))}</th>`).join('')}</tr></thead><tbody>\n`
        : ''
      isFirst = false
      return `${head}${rows.map((row) => `<tr>${names.map((column) => `<td>${escaped(shown(row[column]))}</td>`).join('')}</tr>`).join('\n')}\n`
    },
    endSection: () => `${isFirst ? '<p class="none">Nothing.</p>' : '</tbody></table>'}</section>\n`,
    end: () => '</main></body></html>\n',
  }
}

const shown = (value: unknown): string =>
  value === null || value === undefined
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** Passes one piece at a time from a writer to a reader; the writer waits until it is taken. */
function handOver<Piece>() {
  let waiting: { piece: Piece; taken: () => void; dropped: (error: Error) => void } | null = null
  let wake: (() => void) | null = null
  let isOver = false
  let failure: unknown = null
  let isCancelled = false
  const changed = () => {
    wake?.()
    wake = null
  }
  return {
    give: (piece: Piece) =>
      new Promise<void>((taken, dropped) => {
        if (isCancelled) return dropped(new Error('the reader is gone'))
        waiting = { piece, taken, dropped }
        changed()
      }),
    end: () => {
      isOver = true
      changed()
    },
    fail: (error: unknown) => {
      isOver = true
      failure = error
      changed()
    },
    cancel: () => {
      isCancelled = true
      waiting?.dropped(new Error('the reader is gone'))
      waiting = null
    },
    async *taken(): AsyncGenerator<Piece> {
      for (;;) {
        const next = waiting as { piece: Piece; taken: () => void } | null // set by `give`, which the type checker cannot see
        if (next !== null) {
          waiting = null
          next.taken()
          yield next.piece
        } else if (isOver) {
          if (failure !== null) throw failure
          return
        } else await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}
