// Parses Mermaid flowcharts without Mermaid itself, which needs a browser to measure text. Reads nodes, arrows and their
// labels; ignores groups, styles and clicks.
import { BoardroomError } from '../../errors.ts'
import type { NewElement } from './description.ts'
import type { Direction } from './layout.ts'

export interface Flowchart {
  direction: Direction
  elements: NewElement[]
  /** The ignored parts of the text. */
  left: string[]
}

const mostNodes = 500
const mostEdges = 1000
/** The most characters in a flowchart, and in one line. */
export const mostText = 50_000
const mostInALine = 2000

/** Longer brackets first. */
const shapes: [open: string, close: string, type: 'rectangle' | 'ellipse' | 'diamond'][] = [
  ['(((', ')))', 'ellipse'],
  ['((', '))', 'ellipse'],
  ['([', '])', 'ellipse'],
  ['[[', ']]', 'rectangle'],
  ['[(', ')]', 'ellipse'],
  ['[/', '/]', 'rectangle'],
  ['[\\', '\\]', 'rectangle'],
  ['{{', '}}', 'diamond'],
  ['[', ']', 'rectangle'],
  ['(', ')', 'rectangle'],
  ['{', '}', 'diamond'],
  ['>', ']', 'rectangle'],
]
const passedOver = /^(style|classDef|class|click|linkStyle|direction|accTitle|accDescr|title)\b/

/**
 * @param prefix added to the names of nodes, so that their ids are unique on the board.
 * @throws BoardroomError invalid_request, naming the line
 */
export function readFlowchart(text: string, prefix: string): Flowchart {
  if (text.length > mostText)
    throw new BoardroomError(
      'invalid_request',
      `mermaid: got ${text.length} characters; at most ${mostText} are allowed`,
    )
  const lines = text
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .split(/\n|;/)
    .map((line) => line.split('%%', 1)[0]?.trim() ?? '')
    .filter((line) => line !== '')
  const head = /^(?:graph|flowchart)(?:\s+(TB|TD|BT|LR|RL))?$/i.exec(lines[0] ?? '')
  if (head === null) {
    const kind = (lines[0] ?? '').split(/\s/, 1)[0]?.slice(0, 30) ?? ''
    throw new BoardroomError(
      'invalid_request',
      `mermaid: only flowcharts are supported (graph or flowchart, then TB, TD, BT, LR or RL); this begins with ${JSON.stringify(kind)}. Express states, classes and entities as a flowchart, and anything else with add_elements`,
    )
  }
  const found = head[1]?.toUpperCase() ?? 'TB'
  const direction = (found === 'TD' ? 'TB' : found) as Direction // the expression takes no others
  const chart = new Chart(prefix)
  const left: string[] = []
  lines.slice(1).forEach((line) => {
    if (line === 'end') return
    if (line.length > mostInALine)
      throw new BoardroomError(
        'invalid_request',
        `mermaid: a line has ${line.length} characters; at most ${mostInALine} are allowed, so split it`,
      )
    if (passedOver.test(line) || /^subgraph\b/.test(line)) left.push(line.split(/\s/, 1)[0] ?? '')
    else chart.statement(line)
  })
  return { direction, elements: chart.elements(), left: [...new Set(left)] }
}

interface Arrow {
  label: string
  isDotted: boolean
  isOpen: boolean
}

class Chart {
  readonly #nodes = new Map<string, { type: 'rectangle' | 'ellipse' | 'diamond'; text: string }>()
  readonly #edges: NewElement[] = []
  readonly #prefix: string
  #line = ''
  #at = 0

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  elements(): NewElement[] {
    const nodes = [...this.#nodes].map(
      ([name, { type, text }]): NewElement => ({ id: this.#id(name), type, text }),
    )
    return [...nodes, ...this.#edges]
  }

  /** Nodes, and arrows between them: `a & b --> c -- yes --> d`. */
  statement(line: string): void {
    this.#line = line
    this.#at = 0
    let from = this.#group()
    this.#skip()
    while (this.#at < line.length) {
      const arrow = this.#arrow()
      const to = this.#group()
      for (const start of from) for (const end of to) this.#edge(start, end, arrow)
      from = to
      this.#skip()
    }
  }

  #edge(from: string, to: string, { label, isDotted, isOpen }: Arrow): void {
    if (this.#edges.length >= mostEdges) throw this.#refuse(`more than ${mostEdges} arrows`)
    this.#edges.push({
      id: `${this.#prefix}e${this.#edges.length + 1}`,
      type: isOpen ? 'line' : 'arrow',
      from: this.#id(from),
      to: this.#id(to),
      ...(label === '' ? {} : { text: label }),
      ...(isDotted ? { stroke_style: 'dashed' as const } : {}),
    })
  }

  #group(): string[] {
    const names = [this.#node()]
    for (;;) {
      this.#skip()
      if (this.#line[this.#at] !== '&') return names
      this.#at++
      names.push(this.#node())
    }
  }

  #node(): string {
    this.#skip()
    const name = /^[\p{L}\p{N}_]+(?:[-.][\p{L}\p{N}_]+)*/u.exec(this.#rest())?.[0]
    if (name === undefined) throw this.#refuse('expected the name of a node')
    this.#at += name.length
    const shape = shapes.find(([open]) => this.#rest().startsWith(open))
    const known = this.#nodes.get(name)
    if (known === undefined && this.#nodes.size >= mostNodes)
      throw this.#refuse(`more than ${mostNodes} nodes`)
    if (shape === undefined) {
      if (known === undefined) this.#nodes.set(name, { type: 'rectangle', text: name })
    } else {
      const [open, close, type] = shape
      this.#at += open.length
      this.#nodes.set(name, { type, text: this.#until(close) })
    }
    const tag = /^:::[\w-]+/.exec(this.#rest())?.[0]
    this.#at += tag?.length ?? 0
    return name
  }

  /** The text up to a bracket; text in quotation marks may contain brackets. */
  #until(close: string): string {
    const quoted = /^\s*"([^"]*)"\s*/.exec(this.#rest())
    if (quoted !== null) this.#at += quoted[0].length
    const end = this.#line.indexOf(close, this.#at)
    if (end < 0) throw this.#refuse(`expected ${close}`)
    const text = quoted?.[1] ?? this.#line.slice(this.#at, end)
    this.#at = end + close.length
    return plain(text)
  }

  #arrow(): Arrow {
    this.#skip()
    const rest = this.#rest()
    const whole = /^<?(?:-{2,}|={2,}|-\.+-)[>xo]?(?=[\s|\p{L}\p{N}]|$)/u.exec(rest)?.[0]
    if (whole !== undefined && !/^(?:--|==)$/.test(whole)) {
      this.#at += whole.length
      this.#skip()
      const label = /^\|([^|]*)\|/.exec(this.#rest())
      this.#at += label?.[0].length ?? 0
      return { label: plain(label?.[1] ?? ''), isDotted: whole.includes('.'), isOpen: !/[>xo]$/.test(whole) }
    }
    const worded = wordedArrow(rest)
    if (worded === null) throw this.#refuse('expected an arrow, like --> or -- text -->')
    this.#at += worded.length
    return { label: plain(worded.label), isDotted: rest.startsWith('-.'), isOpen: worded.isOpen }
  }

  #skip(): void {
    while (this.#line[this.#at] === ' ' || this.#line[this.#at] === '\t') this.#at++
  }

  #rest = (): string => this.#line.slice(this.#at)
  #id = (name: string): string => `${this.#prefix}${Buffer.from(name).toString('base64url')}`.slice(0, 90)
  #refuse = (why: string): BoardroomError =>
    new BoardroomError(
      'invalid_request',
      `mermaid: ${why}, in the line ${JSON.stringify(this.#line.slice(0, 80))}, at character ${this.#at + 1}`,
    )
}

/**
 * `-- text -->`, `== text ==>` or `-. text .->` at the start. It reads every character once: a regular expression for
 * the whole would backtrack at every possible end of the text.
 */
function wordedArrow(rest: string): { length: number; label: string; isOpen: boolean } | null {
  if (!/^(?:--|==|-\.)[^-=.|>]/.test(rest)) return null
  const runs = /-+|=+|\.+(?:-(?!-))?|[|>]/g
  const head = /[>xo]?(?=\s|$|[\p{L}\p{N}])/uy
  runs.lastIndex = 3
  for (let run = runs.exec(rest); run !== null; run = runs.exec(rest)) {
    const [signs] = run
    if (signs === '|' || signs === '>') return null
    if (signs.length === 1 || signs.endsWith('.')) continue
    head.lastIndex = runs.lastIndex
    const tip = head.exec(rest)?.[0]
    if (tip !== undefined)
      return { length: head.lastIndex, label: rest.slice(2, run.index), isOpen: tip === '' }
  }
  return null
}

const plain = (text: string): string =>
  text
    .trim()
    .replace(/^"(.*)"$/s, '$1')
    .replace(/<br\s*\/?>/gi, '\n')
    .replaceAll('#quot;', '"')
    .slice(0, 1000)
