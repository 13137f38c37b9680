// Nodes of two versions on one bus: the older one ignores what it does not know.
import { randomUUID } from 'node:crypto'
import * as encoding from 'lib0/encoding'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Cluster } from '../../server/cluster/cluster.ts'
import { busVersion, keyOf, seal, unseal } from '../../server/cluster/envelope.ts'
import { encodeNodeMessage, type NodeMessage } from '../../server/cluster/node-messages.ts'
import { decodeBoardMessage, encodeBoardMessage } from '../../server/rooms/nodes/messages.ts'
import { LocalBus } from '../helpers/local-bus.ts'

const versions = suite('two versions on one bus')

const secret = 'a secret that all nodes of a test have'
const deployment = 'test'
const key = keyOf(secret, deployment)
const nodesSubject = `boardroom.${deployment}.nodes`
const boardId = '0b0a0000-0000-4000-8000-000000000001'
const boardSubject = `boardroom.${deployment}.board.${boardId}`

/** A node of this version, its log output, and another node that sends whatever it is told to. */
async function withNode(
  work: (node: {
    cluster: Cluster
    logged: string[]
    say: (subject: string, body: Uint8Array, version?: number) => void
  }) => Promise<void> | void,
): Promise<void> {
  const bus = new LocalBus()
  const logged: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void logged.push(JSON.parse(line).msg) })
  const cluster = new Cluster({
    ...{ bus: bus.end(), log, deployment, secret, nodeId: randomUUID() },
    silentNodes: async () => [],
    askDatabase: async () => undefined,
    onClose: () => undefined,
  })
  const nodeId = randomUUID()
  let number = 0
  await cluster.start()
  try {
    await work({
      cluster,
      logged,
      say(subject, body, version = busVersion) {
        const message = seal(key, subject, { nodeId, number: ++number, body })
        message[0] = version
        bus.say(subject, message)
      },
    })
  } finally {
    await cluster.close()
  }
}

versions('a message of a newer version is ignored and counted, and logged once', () =>
  withNode(({ cluster, logged, say }) => {
    const heard: string[] = []
    cluster.onMessage((_nodeId, { kind }) => heard.push(kind))
    const counts = encodeNodeMessage({ kind: 'counts', isAll: true, counts: [] })
    say(nodesSubject, counts, busVersion + 1)
    say(nodesSubject, counts, busVersion + 1)
    assert.equal(heard, [])
    assert.is(cluster.stats.newer, 2)
    assert.is(cluster.stats.strangers, 0)
    assert.equal(logged, ['a node with a newer version sent a message that this one does not understand'])
    say(nodesSubject, counts)
    assert.equal(heard, ['counts'], 'what it understands, it still hears')
  }),
)

versions('kinds and fields that a node does not know change nothing', () =>
  withNode(({ cluster, logged, say }) => {
    const unknown = { kind: 'weather', of: 'tomorrow' } as unknown as NodeMessage // of a newer version
    say(nodesSubject, encodeNodeMessage(unknown))
    const more = { kind: 'beat', reachesDatabase: true, mood: 'good' } as NodeMessage
    say(nodesSubject, encodeNodeMessage(more))
    // As a node sends it that knows less.
    say(nodesSubject, encodeNodeMessage({ kind: 'beat' }))
    assert.is(cluster.stats.nodes, 2)
    assert.equal(logged, [])
  }),
)

versions('an unknown request gets an empty answer, and others need not wait', () =>
  withNode(async ({ cluster, say }) => {
    const asked: unknown[] = []
    cluster.answerWith((question) => {
      asked.push(question)
      return []
    })
    const question = { about: 'weather' } as never // of a newer version
    say(nodesSubject, encodeNodeMessage({ kind: 'ask', id: randomUUID(), question }))
    assert.is(asked.length, 1)
  }),
)

versions('messages about a board: an unknown kind is null, additional fields are ignored', () => {
  const unknown = encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 99)
    encoding.writeVarString(encoder, 'of a newer version')
  })
  assert.is(decodeBoardMessage(unknown), null)
  for (const message of [
    { kind: 'opened', link: 7 },
    { kind: 'closed', seq: 3, link: 7 },
    { kind: 'state', seq: 3, committed: 2, quietMs: 5, writers: 1, link: 7 },
    {
      kind: 'update',
      seq: 3,
      committed: 2,
      update: Uint8Array.of(0, 0),
      authors: [],
      link: 7,
      sideRows: null,
    },
    { kind: 'committed', seq: 3, committed: 3, link: 7 },
    { kind: 'presence', isNews: true, entries: [], link: 7 },
  ] as const) {
    const longer = Buffer.concat([encodeBoardMessage(message), Buffer.from('more')])
    assert.equal(decodeBoardMessage(new Uint8Array(longer)), message)
  }
})

versions('an unknown kind about a board reaches its listener, which also receives later messages', () =>
  withNode(({ cluster, logged, say }) => {
    const kinds: (string | undefined)[] = []
    const channel = cluster.open(boardId, {
      message: (_nodeId, body) => kinds.push(decodeBoardMessage(body)?.kind),
      gone: () => undefined,
      backAgain: () => undefined,
      otherBackAgain: () => undefined,
      tick: () => undefined,
    })
    say(boardSubject, Uint8Array.of(99, 1, 2, 3))
    say(boardSubject, encodeBoardMessage({ kind: 'opened', link: 7 }))
    assert.equal(kinds, [undefined, 'opened'])
    assert.equal(logged, [])
    channel.close()
  }),
)

versions('a version older than the first one is treated as a stranger', () => {
  const message = seal(key, nodesSubject, { nodeId: randomUUID(), number: 1, body: Uint8Array.of(1) })
  assert.ok(typeof unseal(key, nodesSubject, message) === 'object')
  message[0] = 0
  assert.is(unseal(key, nodesSubject, message), 'stranger')
})

versions.run()
