// Opening a board inside another page: with a share link's secret (`#k=…`) or the app's own ticket (`#ticket=…`),
// both in the fragment, which never appears in a server log. Browsers send no cookies from a frame, so everything
// here uses the ticket. The ticket of a link is stored for this page's frames, so that a reload does not create
// another guest.
import { useCallback, useEffect, useRef, useState } from 'react'
import * as api from '../api.ts'
import { sha256 } from '../sha256.ts'
import { embedTexts } from '../texts/embed.ts'
import type { Entry } from './entry.ts'
import { hearTickets, tellHost } from './host-page.ts'

/** A little less than the lifetime of a ticket. */
const keptForMs = 11 * 3_600_000
const keyPrefix = 'boardroom-embed:'

export type EmbedEntry = Exclude<Entry, { name: 'open' }> | { name: 'open'; ticket: string | null }

export const useEmbedEntry = (boardId: string) => {
  const [entry, setEntry] = useState<EmbedEntry>({ name: 'looking' })
  const needsPassword = useRef(false)

  const open = useCallback((ticket: string | null) => {
    api.actBy(ticket)
    setEntry({ name: 'open', ticket })
  }, [])

  const exchange = useCallback(
    async (password?: string) => {
      const { k, name } = given()
      if (k === null) return
      api.actBy(null)
      try {
        const { ticket } = await api.exchangeLink({
          token: k,
          ...(name === null ? {} : { name: name.slice(0, 100) }),
          ...(password === undefined ? {} : { password }),
        })
        await keep(boardId, k, ticket)
        open(ticket)
      } catch (error) {
        const code = error instanceof api.ApiError ? error.code : 'internal'
        const message = error instanceof Error ? error.message : ''
        if (code === 'link_password_needed') {
          const problem = needsPassword.current ? embedTexts.wrongPassword : null
          needsPassword.current = true
          setEntry({ name: 'asking', needsName: false, needsPassword: true, problem, isBusy: false })
          return
        }
        tellHost(boardId, { type: 'failed', code, message })
        const isLink = code === 'link_not_valid'
        setEntry({
          name: 'failed',
          title: isLink ? embedTexts.noLink : embedTexts.notOpened,
          text: isLink ? embedTexts.noLinkHelp : message,
          canRetry: !isLink,
        })
      }
    },
    [boardId, open],
  )

  const enter = useCallback(async () => {
    const { k, ticket } = given()
    if (ticket !== null || k === null) return open(ticket)
    const known = await kept(boardId, k)
    return known === null ? exchange() : open(known)
  }, [boardId, exchange, open])

  useEffect(() => {
    void enter()
    const again = () => void enter()
    window.addEventListener('hashchange', again)
    const stopHearing = hearTickets(open)
    return () => {
      window.removeEventListener('hashchange', again)
      stopHearing()
    }
  }, [enter, open])

  /** The ticket is no longer valid: enter again with the link, if there is one. @returns false if there is none */
  const renew = useCallback(async () => {
    const { k } = given()
    if (k === null) return
    await forget(boardId, k)
    await exchange()
  }, [boardId, exchange])

  const submit = ({ password }: { password?: string }) => {
    setEntry({ name: 'asking', needsName: false, needsPassword: true, problem: null, isBusy: true })
    void exchange(password)
  }
  return { entry, submit, renew }
}

const given = () => {
  const params = new URLSearchParams(window.location.hash.slice(1))
  return { k: params.get('k'), ticket: params.get('ticket'), name: params.get('name') }
}

const keyOf = async (boardId: string, k: string): Promise<string> =>
  keyPrefix + (await sha256(new TextEncoder().encode(`${boardId} ${k}`)))

async function kept(boardId: string, k: string): Promise<string | null> {
  try {
    const { ticket, until } = JSON.parse(localStorage.getItem(await keyOf(boardId, k)) ?? '{}') as {
      ticket?: string
      until?: number
    } // written below
    return ticket !== undefined && until !== undefined && until > Date.now() ? ticket : null
  } catch {
    return null // storage is forbidden here
  }
}

async function keep(boardId: string, k: string, ticket: string): Promise<void> {
  try {
    const key = await keyOf(boardId, k)
    localStorage.setItem(key, JSON.stringify({ ticket, until: Date.now() + keptForMs }))
  } catch {
    // Storage is forbidden here: a reload creates another guest.
  }
}

async function forget(boardId: string, k: string): Promise<void> {
  try {
    localStorage.removeItem(await keyOf(boardId, k))
  } catch {
    // Nothing was kept.
  }
}
