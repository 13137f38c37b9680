// Remembers the page that somebody wanted to open while they sign in or set up a second factor.
import type { MeResponse } from '../shared/api.ts'
import { navigate } from './router.tsx'

/** Only a page of ours, whatever the address says; otherwise the home page. */
export function pageOfOurs(path: string): string {
  try {
    const { origin, pathname, search, hash } = new URL(path, window.location.origin)
    return origin === window.location.origin && !pathname.startsWith('//') ? pathname + search + hash : '/'
  } catch {
    return '/'
  }
}

/** Where the current page leads afterwards. */
export const nextPage = (): string =>
  pageOfOurs(new URLSearchParams(window.location.search).get('next') ?? '/')

/** A page that leads to `next` afterwards, or back to the current page. */
export const leadingTo = (
  page: string,
  next: string = window.location.pathname + window.location.search,
): string => (next === '/' ? page : `${page}?${new URLSearchParams({ next })}`)

/**
 * Redirects people who are not signed in, or lack a required second factor, to do that first. @returns false for them
 */
export function isLetIn(me: MeResponse): boolean {
  if (me.kind !== 'user') navigate(leadingTo('/sign-in'), { replace: true })
  else if (me.two_factor === 'required') navigate(leadingTo('/account'), { replace: true })
  else return true
  return false
}
