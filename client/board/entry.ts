// Opening a board with what the address contains: only the board, or also the secret of a share link.
import { useCallback, useEffect, useRef, useState } from 'react'
import * as api from '../api.ts'
import { entryTexts as texts } from '../texts/board.ts'
import { showToast } from '../ui/toast.tsx'
import { forgetSecret, nameInAddress, secretInAddress } from './link-secret.ts'

export type Entry =
  | { name: 'looking' }
  /** A guest gives a name, once; and a password if the link has one. */
  | { name: 'asking'; needsName: boolean; needsPassword: boolean; problem: string | null; isBusy: boolean }
  | { name: 'failed'; title: string; text: string; canRetry: boolean }
  | { name: 'open' }

const linkProblem = { title: texts.linkOverTitle, text: texts.linkOver, canRetry: false } as const

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

  /** What went wrong, worded so that people know what to do; with a retry where that helps. */
  const fail = useCallback(
    async (error: unknown, hadName: boolean) => {
      const code = error instanceof api.ApiError ? error.code : 'internal'
      const message = error instanceof Error ? error.message : ''
      if (code === 'link_password_needed') {
        const isSecondTry = needs.current.password
        needs.current.password = true
        ask(isSecondTry ? texts.wrongPassword : null)
      } else if (code === 'link_not_valid') {
        // People who may open the board anyway do not need the link.
        const mayAnyway = await api.getBoard(boardId).then(
          () => true,
          () => false,
        )
        forgetSecret()
        if (mayAnyway) {
          showToast(texts.haveAccess)
          setEntry({ name: 'open' })
        } else setEntry({ name: 'failed', ...linkProblem })
      } else if (code === 'origin_not_allowed')
        setEntry({ name: 'failed', title: texts.wrongAddressTitle, text: message, canRetry: false })
      else if (code === 'unreachable')
        setEntry({ name: 'failed', title: texts.unreachableTitle, text: message, canRetry: true })
      else if (code === 'invalid_request' && hadName) ask(texts.otherName)
      else if (needs.current.name || needs.current.password) ask(message)
      else setEntry({ name: 'failed', title: texts.cannotOpenTitle, text: message, canRetry: true })
    },
    [boardId, ask],
  )

  const exchange = useCallback(
    async (given: { name?: string; password?: string }) => {
      if (secret.current === null) return
      try {
        await api.exchangeLink({ token: secret.current, ...given })
        forgetSecret()
        setEntry({ name: 'open' })
      } catch (error) {
        await fail(error, given.name !== undefined)
      }
    },
    [fail],
  )

  useEffect(() => {
    // Another link was pasted into the same page: start over with it.
    const reload = () => secretInAddress() !== null && window.location.reload()
    window.addEventListener('hashchange', reload)
    secret.current = secretInAddress()
    if (secret.current !== null) {
      // Before anybody is asked for a name: a link that is no longer valid says so at once.
      api.previewLink(secret.current).then(
        ({ needs_name, needs_password }) => {
          const name = nameInAddress()
          needs.current = { name: needs_name && name === null, password: needs_password }
          if (needs.current.name || needs_password) ask(null)
          else void exchange(needs_name && name !== null ? { name } : {})
        },
        (error: unknown) => void fail(error, false),
      )
    }
    return () => window.removeEventListener('hashchange', reload)
  }, [ask, exchange, fail])

  const submit = (given: { name?: string; password?: string }) => {
    ask(null, true)
    const name = given.name ?? nameInAddress()
    void exchange(name === null ? given : { ...given, name })
  }
  return { entry, submit }
}
