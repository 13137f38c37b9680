// How long a client has said nothing, counted in the visits of the keep-alive instead of by the clock, which every
// message would have to look at.

const mostMissedPongs = 2
/**
 * Visits, nine seconds apart, without a message: 27 to 36 s. A client that is shown renews its state every 15 s
 * (y-protocols), and other clients take it for gone after 30; a page that is only kept for the way back answers pings.
 */
const mostSilentVisits = 4

export class Silence {
  #silentVisits = 0
  #missedPongs = 0

  message(): void {
    this.#silentVisits = 0
    this.#missedPongs = 0
  }

  pong(): void {
    this.#missedPongs = 0
  }

  /** @param mayBeHeard it is shown to others, so it renews itself. @returns whether it has been silent for too long. */
  visit(isShown: boolean): boolean {
    if (!isShown) return false
    return ++this.#silentVisits >= mostSilentVisits
  }

  /** One more ping. @returns false where too many went unanswered. */
  ping(): boolean {
    return this.#missedPongs++ < mostMissedPongs
  }
}
