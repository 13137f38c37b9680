// Which web pages are ours. Cookies count, and changes are accepted, only from pages with one of these origins;
// everybody else has to send explicit credentials. See docs/security.md.
import { isIP } from 'node:net'

/** The settings that decide; `Config` is one. `port` is read on every call, because port 0 is resolved only after listening. */
export interface OriginRules {
  readonly publicUrl?: string | undefined
  readonly allowedOrigins: readonly string[]
  readonly host: string
  readonly port: number
}

/**
 * Whether `origin` (the header's value) is a page of ours: the public URL, an allowed origin, `localhost`,
 * `127.0.0.1`, `[::1]` or `HOST` with our port, or the address that the request was sent to, if that is
 * an IP literal or localhost; with an https public URL, none of these local ones. A host *name* equal to `Host` proves nothing: DNS rebinding makes any name ours.
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
  // People use https, so a page served over http is somebody else's, even on their own machine.
  if (isHttps(rules)) return false
  if (host === null || host === undefined || !isAddress(asked)) return false
  return asked === normalOrigin(`${new URL(asked).protocol}//${host}`)
}

/**
 * The address that people type: the configured public URL; otherwise the address of the request, if it is an IP
 * literal or localhost (a tablet on the LAN must not be sent to its own localhost); otherwise localhost and our port.
 * @returns without a trailing slash, but with the path of the public URL, if it has one.
 */
export function publicUrlOf(rules: OriginRules, host?: string | null): string {
  if (rules.publicUrl !== undefined) return rules.publicUrl.replace(/\/+$/, '')
  const asked = host === null || host === undefined ? null : normalOrigin(`http://${host}`)
  return asked !== null && isAddress(asked) ? asked : `http://localhost:${rules.port}`
}

/** Whether cookies can be `Secure`: browsers store such cookies only over https (and http://localhost). */
export const isHttps = (rules: OriginRules): boolean => rules.publicUrl?.startsWith('https:') ?? false

function fixedOrigins(rules: OriginRules): (string | null)[] {
  const local = ['localhost', '127.0.0.1', '[::1]', isIP(rules.host) === 6 ? `[${rules.host}]` : rules.host]
  return [
    rules.publicUrl === undefined ? null : normalOrigin(rules.publicUrl),
    ...rules.allowedOrigins.map(normalOrigin),
    ...(isHttps(rules) ? [] : local.map((name) => normalOrigin(`http://${name}:${rules.port}`))),
  ]
}

/** `HTTP://Example.org:80/x` -> `http://example.org`; null for anything that is not a web origin. */
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
