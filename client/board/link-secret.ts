// A share link's secret is in the fragment (`#k=…`), which never appears in a server log; it is exchanged for a
// cookie and removed from the address.

export const secretInAddress = (): string | null =>
  new URLSearchParams(window.location.hash.slice(1)).get('k')

/** The name that the sender of the link chose for its guest (`?as=…`), who is then not asked for one. */
export const nameInAddress = (): string | null => {
  const name = new URLSearchParams(window.location.search).get('as')?.trim().slice(0, 100) ?? ''
  return name === '' ? null : name
}

export const forgetSecret = (): void => window.history.replaceState(null, '', window.location.pathname)
