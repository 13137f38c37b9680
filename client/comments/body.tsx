// The text of a comment with a little formatting: bold, italic, code, lists, quotations, links. HTML is shown as it
// was typed. The result is sanitised before it is put into the page.
import DOMPurify from 'dompurify'
import { Marked, type RendererObject } from 'marked'
import { memo, useMemo } from 'react'

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

const allowed = {
  ALLOWED_TAGS: [
    'p',
    'br',
    'strong',
    'em',
    'del',
    'code',
    'pre',
    'ul',
    'ol',
    'li',
    'blockquote',
    'a',
    'span',
  ],
  ALLOWED_ATTR: ['href', 'class', 'target', 'rel'],
  // Without these, the rule for URLs would remove both: it is applied to every value.
  ADD_URI_SAFE_ATTR: ['target', 'rel'],
  ALLOWED_URI_REGEXP: /^(https?|mailto):/i,
}

const renderer: RendererObject = {
  html: ({ raw }) => escaped(raw),
  heading: ({ raw }) => `<p>${escaped(raw.trim())}</p>`,
  table: ({ raw }) => `<pre>${escaped(raw)}</pre>`,
  hr: () => '<p>---</p>',
  checkbox: ({ checked }) => (checked ? '[x] ' : '[ ] '),
  // A picture would cause a request to another host.
  image: ({ raw }) => escaped(raw),
  link({ href, tokens, raw }) {
    if (!/^(https?|mailto):/i.test(href)) return escaped(raw)
    return `<a href="${escaped(href)}" target="_blank" rel="noopener noreferrer nofollow">${this.parser.parseInline(tokens)}</a>`
  },
}

/** @param names of the people mentioned, which appear in the text as @Name */
function htmlOf(body: string, names: readonly string[]): string {
  const longestFirst = [...names].sort((a, b) => b.length - a.length)
  const marked = new Marked({ gfm: true, breaks: true, renderer })
  marked.use({
    extensions: [
      {
        name: 'mention',
        level: 'inline',
        start: (source) => {
          const at = source.indexOf('@')
          return at === -1 ? undefined : at
        },
        tokenizer(source) {
          const name = longestFirst.find((one) => source.startsWith(`@${one}`))
          return name === undefined ? undefined : { type: 'mention', raw: `@${name}` }
        },
        renderer: ({ raw }) => `<span class="mention">${escaped(raw)}</span>`,
      },
    ],
  })
  return DOMPurify.sanitize(marked.parse(body, { async: false }), allowed)
}

export const Body = memo(({ body, names }: { body: string; names: readonly string[] }) => {
  const html = useMemo(() => htmlOf(body, names), [body, names])
  // biome-ignore lint/security/noDangerouslySetInnerHtml: cleaned by DOMPurify a line above
  return <div className="comment-body" dangerouslySetInnerHTML={{ __html: html }} />
})
