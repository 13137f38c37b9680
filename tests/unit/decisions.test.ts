// The index of docs/decisions.md is complete, and its entries have one form.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const decisions = suite('the decisions')
const text = readFileSync('docs/decisions.md', 'utf8')
const titles = [...text.matchAll(/^## (?!Index$)(.+)$/gm)].map(([, title]) => title ?? '')

/** As GitHub and similar sites generate the anchor of a heading. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-')

decisions('each have a date and a title', () => {
  assert.equal(
    titles.filter((title) => !/^\d{4}-\d\d-\d\d · \S/.test(title)),
    [],
  )
})

decisions('are all in the index at the head, in their order', () => {
  const listed = [...text.matchAll(/^- \[\d{4}-.*$/gm)].map(([line]) => line)
  const expected = titles.map((title) => `- [${title}](#${anchorOf(title)})`)
  const missing = expected.filter((line) => !listed.includes(line))
  assert.equal(missing, [], 'add these lines to the index of docs/decisions.md')
  assert.equal(listed, expected)
})

decisions.run()
