// Which web pages are ours. A cookie counts, and a change is accepted, only from a page whose Origin is one of
// these; everybody else has to say explicitly who they are. See docs/security.md.
import { isIP } from 'node:net'

/** What decides; `Config` is one. `port` is read at every question, because port 0 is known only after listening. */
export interface OriginRules {
  readonly publicUrl?: string | undefined
  readonly allowedOrigins: readonly string[]
  readonly host: string
  readonly port: number
}

/**
 * Whether `origin` (the header's value) is a page of ours: the public URL, an allowed origin, `localhost`,
 * `127.0.0.1`, `[::1]` or `HOST` with our port, or the very address that the request was sent to, where that is
 * an IP literal or localhost; with an https public URL none of these local ones. A host *name* equal to `Host` proves nothing: DNS rebinding makes any name ours.
 * @param host the request's `Host` header.
 */
export function isOurOrigin(
  rules: OriginRules,
  origin: string | null | undefined,
  host?: string | null,
): boolean {
  if (origin === null || origin === undefined || origin === 'null') return false
  const asked = normalOrigin(origin)
  if (asked === null) return false
  if (fixedOrigins(rules).includes(asked)) return true
  // People come by https, so a page that came by http is somebody else's, also one on their own machine.
  if (isHttps(rules)) return false
  if (host === null || host === undefined || !isAddress(asked)) return false
  return asked === normalOrigin(`${new URL(asked).protocol}//${host}`)
}

/**
 * What people type to get here: the configured public URL; else the address they came by, where it is an IP
 * literal or localhost (a tablet on the LAN must not be sent to its own localhost); else localhost and our port.
 * @returns without a trailing slash, with the public URL's path where it has one.
 */
export function publicUrlOf(rules: OriginRules, host?: string | null): string {
  if (rules.publicUrl !== undefined) return rules.publicUrl.replace(/\/+$/, '')
  const asked = host === null || host === undefined ? null : normalOrigin(`http://${host}`)
  return asked !== null && isAddress(asked) ? asked : `http://localhost:${rules.port}`
}

/** Whether cookies can be `Secure`: browsers keep such cookies on https only (and on http://localhost). */
export const isHttps = (rules: OriginRules): boolean => rules.publicUrl?.startsWith('https:') ?? false

function fixedOrigins(rules: OriginRules): (string | null)[] {
  const local = ['localhost', '127.0.0.1', '[::1]', isIP(rules.host) === 6 ? `[${rules.host}]` : rules.host]
  return [
    rules.publicUrl === undefined ? null : normalOrigin(rules.publicUrl),
    ...rules.allowedOrigins.map(normalOrigin),
    ...(isHttps(rules) ? [] : local.map((name) => normalOrigin(`http://${name}:${rules.port}`))),
  ]
}

/** `HTTP://Example.org:80/x` -> `http://example.org`; null for what is no web origin. */
function normalOrigin(value: string): string | null {
  if (!URL.canParse(value)) return null
  const { origin, protocol, username, password } = new URL(value)
  if ((protocol !== 'http:' && protocol !== 'https:') || username !== '' || password !== '') return null
  return origin
}

function isAddress(origin: string): boolean {
  const { hostname } = new URL(origin)
  return hostname === 'localhost' || isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0
}
