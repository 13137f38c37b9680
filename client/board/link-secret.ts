// A share link's secret stands in the fragment (`#k=…`), which no server log sees; it is exchanged for a cookie and
// taken out of the address.

export const secretInAddress = (): string | null =>
  new URLSearchParams(window.location.hash.slice(1)).get('k')

export const forgetSecret = (): void =>
  window.history.replaceState(null, '', window.location.pathname + window.location.search)
