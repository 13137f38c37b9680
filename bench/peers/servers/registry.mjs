// The servers that are compared. `command` runs in its folder, with PORT and DATA_DIR in its environment.
//   protocol   what the generator speaks to it, see ../protocols
//   persists   keeps boards in DATA_DIR over a restart
//   stateless  a floor: no documents, so no joins
//   readyPath  answers 2xx once the server is ready, where listening does not say so
//   setup      makes the rooms that a scenario names, and answers with their URLs
//   ackType    number of the message that says that edits are stored (y-websocket protocol only)
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

export const servers = {
  'floor-forward': { command: 'node floor/forward.mjs', cwd: here('.'), protocol: 'floor', stateless: true },
  'floor-coalesce': {
    command: 'node floor/coalesce.mjs',
    cwd: here('.'),
    protocol: 'floor',
    stateless: true,
  },
  'yws-0.1.5': { command: 'node yws/server.mjs', cwd: here('.'), protocol: 'yws', persists: true },
  'hocuspocus-4.7.0': {
    command: 'node hocuspocus/server.mjs',
    cwd: here('.'),
    protocol: 'hocuspocus',
    persists: true,
  },
  boardroom: {
    command: `sh '${here('../../serve.sh')}'`,
    cwd: here('../../..'),
    protocol: 'yws',
    persists: true,
    setup: `node '${here('../../make-boards.mjs')}'`,
    readyPath: '/readyz',
    ackType: 65,
    subprotocol: 'boardroom.v1',
  },
}
