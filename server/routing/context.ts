// The context of every HTTP handler, set once by app.ts before any route runs.
import type { Actor, Identity } from '../principal.ts'

export interface HttpEnv {
  Variables: {
    /** Who is asking; `anonymous` if unknown. */
    identity: Identity
    /** The same, as the trail records it, with address and user agent. */
    actor: Actor
    requestId: string
  }
  /** The node request, from @hono/node-server. */
  Bindings: { incoming: import('node:http').IncomingMessage }
}
