// Where somebody wanted to go, kept while they sign in or set up a second factor.
import type { MeResponse } from '../shared/api.ts'
import { navigate } from './router.tsx'

/** Only a page of ours, whatever the address says; otherwise the first one. */
export function pageOfOurs(path: string): string {
  try {
    const { origin, pathname, search, hash } = new URL(path, window.location.origin)
    return origin === window.location.origin && !pathname.startsWith('//') ? pathname + search + hash : '/'
  } catch {
    return '/'
  }
}

/** Where the page that is shown leads to afterwards. */
export const nextPage = (): string =>
  pageOfOurs(new URLSearchParams(window.location.search).get('next') ?? '/')

/** A page that leads on to `next` afterwards, or back to where one is. */
export const leadingTo = (
  page: string,
  next: string = window.location.pathname + window.location.search,
): string => (next === '/' ? page : `${page}?${new URLSearchParams({ next })}`)

/** Sends whoever is not signed in, or lacks a second factor that is asked for, to do that first. @returns false for them */
export function isLetIn(me: MeResponse): boolean {
  if (me.kind !== 'user') navigate(leadingTo('/sign-in'), { replace: true })
  else if (me.two_factor === 'required') navigate(leadingTo('/account'), { replace: true })
  else return true
  return false
}
