// How long a client has been silent, counted in keep-alive visits, so that messages need not read the clock.

const mostMissedPongs = 2
/**
 * Visits, nine seconds apart, without a message: 27 to 36 s. A client that is shown renews its state every 15 s, and other
 * clients remove it after 30 (y-protocols). Pongs do not count: a page in the browser's back/forward cache sends them too.
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

  /** @param isShown it is shown to others, so it should renew its state. @returns whether it has been silent too long. */
  visit(isShown: boolean): boolean {
    if (!isShown) return false
    return ++this.#silentVisits >= mostSilentVisits
  }

  /** Counts a ping. @returns false if too many went unanswered. */
  ping(): boolean {
    return this.#missedPongs++ < mostMissedPongs
  }
}
