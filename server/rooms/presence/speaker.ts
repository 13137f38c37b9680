// A connection as presence sees it: whose states its states are, and which client ids it speaks for.
import type { PublicPrincipal } from '../../../shared/protocol.ts'

export class Speaker {
  /** Who it is: the principal, for anonymous ones address and user agent. */
  readonly key: string
  readonly principalKey: string
  /** Order of joining. */
  readonly age: number
  /** Shown to others instead of whatever name the client gives itself; without the label of a link, which is its owner's. */
  readonly principal: PublicPrincipal
  readonly ids = new Set<number>()
  /** `,"principal":{…}}`, which ends every state of this speaker. */
  readonly suffix: Buffer
  /**
   * The client id of its own document: the first that it named. Stock clients begin with their own state, and repeat
   * everybody's that they hear afterwards.
   */
  ownId: number | null = null
  hasLeft = false

  constructor(options: { key: string; principalKey: string; age: number; principal: PublicPrincipal }) {
    this.key = options.key
    this.principalKey = options.principalKey
    this.age = options.age
    const { kind, id, name } = options.principal
    this.principal = { kind, id, name }
    this.suffix = Buffer.from(`,"principal":${JSON.stringify(this.principal)}}`)
  }
}
