// Messages between nodes that do not concern a board. JSON, because there are few; unknown ones are ignored.

export type NodeMessage =
  /** A heartbeat every second: whether the sender hears itself and reaches the database. */
  | { kind: 'beat'; reachesDatabase?: boolean }
  /** The sender was unreachable or deaf, and sends its state of each board next; all of its earlier state is obsolete. */
  | { kind: 'back' }
  | { kind: 'goodbye' }
  /** The sender's connection counts by address and person, all or only changed ones; 0 is none. */
  | { kind: 'counts'; isAll: boolean; counts: [key: string, count: number][] }
  /** A try was counted, or given back, for a limit shared by all nodes. */
  | { kind: 'tried'; limit: string; key: string; isBack: boolean }
  /** A question to all nodes, and one node's answer, in several parts if it is long. */
  | { kind: 'ask'; id: string; question: Question }
  | { kind: 'answer'; id: string; to: string; answers: unknown[]; isLast: boolean }

export type Question = { about: 'here'; boardId: string } | { about: 'disconnect'; connectionId: string }

const utf8 = new TextEncoder()

export const encodeNodeMessage = (message: NodeMessage): Uint8Array => utf8.encode(JSON.stringify(message))

/** @throws if it is not JSON */
export const decodeNodeMessage = (body: Uint8Array): NodeMessage =>
  JSON.parse(Buffer.from(body).toString()) as NodeMessage // signed by one of us
