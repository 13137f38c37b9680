// The servers that are compared. `command` runs in its folder, with PORT and DATA_DIR in its environment.
//   protocol   the protocol of the load generator, see ../protocols
//   persists   keeps boards in DATA_DIR over a restart
//   stateless  a floor: no documents, so no joins
//   only       the scenarios for which it is a floor
//   readyPath  answers 2xx once the server is ready, if listening is not enough
//   setup      creates the rooms that a scenario names, and prints their URLs
//   nodes      this many nodes form one server: PORT_2 is the port of the second, and DATA_DIR/nodes.json has their process ids
//   ackType    number of the message that reports edits as stored (y-websocket protocol only)
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = (relative) => fileURLToPath(new URL(relative, import.meta.url))

const boardroomIn = (folder) => ({
  command: `sh '${folder}/bench/serve.sh'`,
  cwd: folder,
  protocol: 'yws',
  persists: true,
  setup: `node '${folder}/bench/make-boards.mjs'`,
  readyPath: '/readyz',
  ackType: 65,
  subprotocol: 'boardroom.v1',
})

export const servers = {
  'floor-forward': { command: 'node floor/forward.mjs', cwd: here('.'), protocol: 'floor', stateless: true },
  'floor-coalesce': {
    command: 'node floor/coalesce.mjs',
    cwd: here('.'),
    protocol: 'floor',
    stateless: true,
  },
  'floor-committed': {
    command: 'node floor/committed.mjs',
    cwd: here('.'),
    protocol: 'yws',
    only: ['fanout', 'rooms', 'idle'],
    setup: `node '${here('floor/make-boards.mjs')}'`,
    ackType: 65,
  },
  'yws-0.1.5': { command: 'node yws/server.mjs', cwd: here('.'), protocol: 'yws', persists: true },
  'hocuspocus-4.7.0': {
    command: 'node hocuspocus/server.mjs',
    cwd: here('.'),
    protocol: 'hocuspocus',
    persists: true,
  },
  boardroom: boardroomIn(here('../../..')),
  'hocuspocus-redis': {
    command: 'node nodes.mjs hocuspocus',
    cwd: here('.'),
    protocol: 'hocuspocus',
    persists: true,
    nodes: 2,
  },
  'boardroom-nats': {
    ...boardroomIn(here('../../..')),
    command: 'node nodes.mjs boardroom',
    cwd: here('.'),
    setup: `node --env-file="$DATA_DIR/nodes.env" '${here('../../make-boards.mjs')}'`,
    nodes: 2,
  },
  'floor-nats': {
    command: 'node nodes.mjs floor',
    cwd: here('.'),
    protocol: 'yws',
    only: ['nodes'],
    setup: `node '${here('floor/make-boards.mjs')}'`,
    ackType: 65,
    nodes: 2,
  },
  // Another checkout of Boardroom, installed and built: shows the cost of a change, in the same run.
  ...(process.env.BOARDROOM_BESIDE
    ? { beside: boardroomIn(path.resolve(process.env.BOARDROOM_BESIDE)) }
    : {}),
}
