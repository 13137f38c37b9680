// What nodes say to each other apart from boards. JSON, because it is little; what is not known is passed over.

export type NodeMessage =
  /** Every second: the sender is there, hears itself, and reaches the database or not. */
  | { kind: 'beat'; reachesDatabase?: boolean }
  /** The sender was away, or heard nobody, and says next what it has of each board; anything else of it is over. */
  | { kind: 'back' }
  | { kind: 'goodbye' }
  /** Connections of the sender by address and person, all of them or those that changed; 0 is none. */
  | { kind: 'counts'; isAll: boolean; counts: [key: string, count: number][] }
  /** Somebody has tried once, or it counts no more, under a limit of all nodes together. */
  | { kind: 'tried'; limit: string; key: string; isBack: boolean }
  /** A question to every node, and one node's answer, in parts where it is long. */
  | { kind: 'ask'; id: string; question: Question }
  | { kind: 'answer'; id: string; to: string; answers: unknown[]; isLast: boolean }

export type Question = { about: 'here'; boardId: string } | { about: 'disconnect'; connectionId: string }

const utf8 = new TextEncoder()

export const encodeNodeMessage = (message: NodeMessage): Uint8Array => utf8.encode(JSON.stringify(message))

/** @throws where it is no JSON */
export const decodeNodeMessage = (body: Uint8Array): NodeMessage =>
  JSON.parse(Buffer.from(body).toString()) as NodeMessage // signed by one of us
