// Coming in, with what the address carries: nothing but the board, or also the secret of a share link.
import { useCallback, useEffect, useRef, useState } from 'react'
import * as api from '../api.ts'
import { showToast } from '../ui/toast.tsx'
import { forgetSecret, secretInAddress } from './link-secret.ts'

export type Entry =
  | { name: 'looking' }
  /** A guest says who they are, once; a password where the link has one. */
  | { name: 'asking'; needsName: boolean; needsPassword: boolean; problem: string | null; isBusy: boolean }
  | { name: 'failed'; title: string; text: string; canRetry: boolean }
  | { name: 'open' }

const linkProblem = {
  title: 'This link does not open the board',
  text: 'It may have been revoked, have expired, or be used up; or the address is incomplete. Ask the person who sent it for a new one.',
  canRetry: false,
} as const

export const useEntry = (boardId: string) => {
  const [entry, setEntry] = useState<Entry>(() => ({ name: secretInAddress() === null ? 'open' : 'looking' }))
  const secret = useRef<string | null>(null)
  const needs = useRef({ name: false, password: false })

  const ask = useCallback((problem: string | null, isBusy = false) => {
    setEntry({
      name: 'asking',
      needsName: needs.current.name,
      needsPassword: needs.current.password,
      problem,
      isBusy,
    })
  }, [])

  const exchange = useCallback(
    async (given: { name?: string; password?: string }) => {
      if (secret.current === null) return
      try {
        await api.exchangeLink({ token: secret.current, ...given })
        forgetSecret()
        setEntry({ name: 'open' })
      } catch (error) {
        const code = error instanceof api.ApiError ? error.code : 'internal'
        const message = error instanceof Error ? error.message : ''
        if (code === 'link_password_needed') {
          const isSecondTry = needs.current.password
          needs.current.password = true
          ask(isSecondTry ? 'That is not the password of this link.' : null)
        } else if (code === 'link_not_valid') {
          // Somebody who may open the board anyway does not need the link.
          const mayAnyway = await api.getBoard(boardId).then(
            () => true,
            () => false,
          )
          forgetSecret()
          if (mayAnyway) {
            showToast('The link does not work any more, but you have access of your own.')
            setEntry({ name: 'open' })
          } else setEntry({ name: 'failed', ...linkProblem })
        } else if (code === 'unreachable') {
          setEntry({ name: 'failed', title: 'The server cannot be reached', text: message, canRetry: true })
        } else if (code === 'invalid_request' && given.name !== undefined)
          ask('Use another name, of at most 100 characters.')
        else if (needs.current.name || needs.current.password) ask(message)
        else setEntry({ name: 'failed', title: 'The board cannot be opened', text: message, canRetry: true })
      }
    },
    [boardId, ask],
  )

  useEffect(() => {
    // Another link pasted into the same page: start over with it.
    const reload = () => secretInAddress() !== null && window.location.reload()
    window.addEventListener('hashchange', reload)
    secret.current = secretInAddress()
    if (secret.current !== null) {
      api.me().then(
        ({ kind }) => {
          if (kind !== 'anonymous') return exchange({})
          needs.current.name = true
          ask(null)
          return
        },
        (error: Error) =>
          setEntry({
            name: 'failed',
            title: 'The server cannot be reached',
            text: error.message,
            canRetry: true,
          }),
      )
    }
    return () => window.removeEventListener('hashchange', reload)
  }, [ask, exchange])

  const submit = (given: { name?: string; password?: string }) => {
    ask(null, true)
    void exchange(given)
  }
  return { entry, submit }
}
