// All texts of the pages are in client/texts: a component that contains one of its own is found here, by its syntax
// tree.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseSync } from 'vite'

const texts = suite('texts of the pages')
const folder = join(process.cwd(), 'client')

type Node = Record<string, unknown> & { type: string }
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** Attributes that are read aloud or shown; all others are for the browser. */
const shown =
  /^(aria-(label|description|roledescription|placeholder|valuetext)|title|placeholder|alt|label|heading|text|summary)$/
const unseen = /^(className|style|d|points|viewBox|key|type|rel|target|accept|autoComplete|transform)$/

/** Words with letters: begun with a capital, or more than one of them. */
const isText = (value: string): boolean =>
  /\p{L}{2}/u.test(value) && (/^\s*\p{Lu}\p{Ll}/u.test(value) || /\p{L}[,.:;!?…]? \p{L}/u.test(value))

/** Words that people do not read, or that are names in every language. */
const exceptions: readonly RegExp[] = [
  /^(Enter|Escape|Tab|Arrow(Up|Down|Left|Right)|Key[A-Z])$/, // key names of the browser
  /^(Edge|Opera|Samsung Internet|Firefox|Chrome|Safari|Android|ChromeOS|Windows|Linux)$/, // brands
  /^(Files|Bytes|Bearer …)$/, // names of drag types, settings and headers
  /^(\.|input, |button:|quiet square|<(a|span) )/, // selectors, classes and markup
  /^(sent away|is missing)$/, // messages of the server, distinguished here and not shown
  /^index\.html has no element #root$/, // for the developers of the page
]

/** Texts in one file, in order. */
function textsIn(name: string, source: string): string[] {
  const { program, errors } = parseSync(name, source)
  assert.equal(errors, [], name)
  const found: string[] = []
  const add = (text: string) => {
    if (!exceptions.some((pattern) => pattern.test(text))) found.push(text.trim())
  }
  const look = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const one of node) look(one)
      return
    }
    if (!isNode(node) || /^(Import|ExportAll)|^TS(Type|Interface)/.test(node.type)) return
    if (node.type === 'JSXText') {
      if (/\p{L}/u.test(String(node.value))) add(String(node.value))
      return
    }
    if (node.type === 'JSXAttribute') {
      const attribute = String((node.name as Node).name)
      if (unseen.test(attribute)) return
      const value = isNode(node.value) ? node.value.value : null
      if (shown.test(attribute) && typeof value === 'string' && /\p{L}/u.test(value)) {
        add(value)
        return
      }
    }
    if (node.type === 'Literal' && typeof node.value === 'string' && isText(node.value)) {
      add(node.value)
      return
    }
    if (node.type === 'TemplateLiteral') {
      const text = (node.quasis as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('…')
      if (isText(text)) add(text)
    }
    for (const value of Object.values(node)) look(value)
  }
  look(program.body)
  return found
}

texts('are in client/texts and in no component', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !path.startsWith('texts') && path !== 'vite.config.ts')
    .sort()
  const found = files.flatMap((path) =>
    textsIn(path, readFileSync(join(folder, path), 'utf8')).map((text) => `${path}: ${text}`),
  )
  assert.equal(found, [])
})

texts('are found in elements, in attributes, in strings and in templates', () => {
  const source = `
    export const A = ({ name }: { name: string }) => (
      <p aria-label="close" className="Not a text" title={busy ? 'Please wait' : undefined}>
        Hello {name} {\`\${name} is here\`}
      </p>
    )`
  assert.equal(textsIn('a.tsx', source), ['close', 'Please wait', 'Hello', '… is here'])
})

texts('format counts, lists and dates with a single module', () => {
  const elsewhere = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) =>
      /\.tsx?$/.test(path) &&
      path !== join('texts', 'format.ts') &&
      /\bIntl\.(?!LDMLPluralRule)|\.toLocale(Date|Time)?String\(|=== 1 \? '/.test(
        readFileSync(join(folder, path), 'utf8'),
      ),
  )
  assert.equal(elsewhere, [])
})

texts.run()
