// The two cookies: of a signed-in user and of a guest. `__Host-` and Secure where the public URL is https; plain on
// http, because browsers keep such cookies on http://localhost but not on http://<LAN address>.

export interface CookieNames {
  session: string
  guest: string
  /** Between a password and the code that is asked for after it. Better Auth names it so. */
  twoFactor: string
  /** Where somebody wanted to go, while they are at the provider of single sign-on. */
  next: string
  /** Both are set with `Secure`, `Path=/` and no Domain, which is what `__Host-` asks for. */
  secure: boolean
}

export const cookieNames = (isHttps: boolean): CookieNames => {
  const prefix = isHttps ? '__Host-' : ''
  return {
    session: `${prefix}boardroom.session`,
    guest: `${prefix}boardroom.guest`,
    twoFactor: `${prefix}boardroom.two_factor`,
    next: `${prefix}boardroom.next`,
    secure: isHttps,
  }
}

/** The value of one cookie in a `Cookie` header, still percent-encoded; null where it is not there. */
export function cookieValue(header: string | undefined, name: string): string | null {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return null
}

/** A `Set-Cookie` for this browser's requests alone. @param value percent-encoded; empty takes it away */
export const cookieOf = (
  { secure }: Pick<CookieNames, 'secure'>,
  name: string,
  value: string,
  maxAgeS: number,
): string => `${name}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
