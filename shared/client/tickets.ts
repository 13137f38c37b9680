// Self-renewing tickets: one per board, kept until shortly before it expires or is refused.

/** The source of tickets: usually your own server. */
export type TicketSource = (boardId: string) => Promise<string> | string

export interface Tickets {
  /** @param isRefused the last one is no longer valid, whatever its expiry says. */
  of(boardId: string, isRefused?: boolean): Promise<string>
}

const earlyMs = 60_000

export function renewing(source: TicketSource): Tickets {
  const kept = new Map<string, Promise<string>>()
  const renew = (boardId: string): Promise<string> => {
    const asked = Promise.resolve(source(boardId))
    kept.set(boardId, asked)
    asked.catch(() => kept.get(boardId) === asked && kept.delete(boardId))
    return asked
  }
  return {
    async of(boardId, isRefused = false) {
      const known = kept.get(boardId)
      if (known === undefined || isRefused) return renew(boardId)
      const ticket = await known
      return endOf(ticket) - earlyMs < Date.now() ? renew(boardId) : ticket
    },
  }
}

/** The expiry of a ticket (ms epoch) according to its content; never, if it contains nothing readable. */
function endOf(ticket: string): number {
  try {
    const payload = ticket.split('.')[1] ?? ''
    const { exp } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
