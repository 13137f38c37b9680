// The cookies of users and guests. They have `__Host-` and Secure if the public URL is https, but not on http, because
// browsers accept such cookies on http://localhost but not on http://<LAN address>.

export interface CookieNames {
  session: string
  guest: string
  /** Set between entering a password and the second-factor code. The name is Better Auth's. */
  twoFactor: string
  /** The page to return to after signing in at the single sign-on provider. */
  next: string
  /** Both are set with `Secure`, `Path=/` and no Domain, which `__Host-` requires. */
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

/** The value of one cookie in a `Cookie` header, still percent-encoded; null if missing. */
export function cookieValue(header: string | undefined, name: string): string | null {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return null
}

/** A `Set-Cookie` value. @param value percent-encoded; an empty value deletes the cookie */
export const cookieOf = (
  { secure }: Pick<CookieNames, 'secure'>,
  name: string,
  value: string,
  maxAgeS: number,
): string => `${name}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
