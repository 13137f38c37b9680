// A connection as presence sees it: who it is, and which client ids it speaks for.
import type { PublicPrincipal } from '../../../shared/protocol.ts'

export class Speaker {
  /** The same for all connections of one person: the principal, or address and user agent if it is anonymous. */
  readonly key: string
  readonly principalKey: string
  /** Order of joining. */
  readonly age: number
  /** Shown to others in place of the client's own name. Without the label of its share link, which only the owner may see. */
  readonly principal: PublicPrincipal
  readonly ids = new Set<number>()
  /** `,"principal":{…}}`, the end of every state of this speaker. */
  readonly suffix: Buffer
  /**
   * The client id of its own document: the first that it sent. Stock clients send their own state first, and later repeat
   * the states of others.
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
