// The parts that face clients: the app with all its routes, upgrades, and connections that are not upgraded.
import { getRequestListener } from '@hono/node-server'
import { authRoutes } from '../accounts/auth-routes.ts'
import { identifyRequest, identifySocket } from '../accounts/identify.ts'
import { peopleRoutes } from '../accounts/people/routes.ts'
import { accountRoutes, ticketRoutes } from '../accounts/routes.ts'
import { serviceKeyRoutes } from '../accounts/service-keys/routes.ts'
import { ssoRoutes } from '../accounts/sso/routes.ts'
import { mcpRoutes } from '../agents/mcp-routes.ts'
import { agentRoutes } from '../agents/routes.ts'
import { auditRoutes } from '../audit/routes.ts'
import { instanceRoutes } from '../boards/instance-routes.ts'
import { admitBody } from '../boards/require-level.ts'
import { boardsRoutes } from '../boards/routes.ts'
import { commentRoutes } from '../comments/routes.ts'
import { BoardroomError } from '../errors.ts'
import { Admission } from '../http/admission.ts'
import { createApp, pathOwner } from '../http/app.ts'
import { PlainConnections } from '../http/plain-connections.ts'
import { refusalCounter } from '../http/room-metrics.ts'
import { Upgrades } from '../http/upgrade.ts'
import { privacyRoutes } from '../privacy/routes.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { addressKey, loopback, networkTest } from '../routing/addresses.ts'
import { unreadableRequest } from '../routing/errors.ts'
import { storageRoutes } from '../storage/routes.ts'
import { readVersion } from '../version.ts'
import type { Given } from './given.ts'
import type { Live } from './live.ts'
import type { Nouns } from './nouns.ts'
import type { People } from './people.ts'
import type { Records } from './records.ts'

interface Parts {
  given: Given
  records: Records
  live: Live
  people: People
  nouns: Nouns
}

export function openEdge(parts: Parts) {
  const { config, log, clientFolder, registry } = parts.given
  const { identify, isOurs, addressOf } = parts.people
  const app = makeApp(parts)
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    errorHandler: unreadableRequest,
  })
  const plain = new PlainConnections({
    limits: config,
    isProxy: networkTest([...loopback, ...config.trustedProxies]),
    registry,
    log,
  })
  const { cluster, counts, rooms } = parts.live
  const { trail, presence, notifications, updateLog } = parts.records
  const upgrades = new Upgrades({
    identify: (request, boardId) => identifySocket(identify, request, boardId),
    addressOf(request) {
      const ip = addressOf(request)
      return { ip, key: addressKey(ip) }
    },
    isForeignPage: ({ headers }) =>
      headers.origin !== undefined && !isOurs(headers.origin, headers.host ?? null),
    admission: new Admission(config, parts.given.rates, counts),
    rooms,
    trail,
    oweLeave: (connectionId) => presence.oweLeave(connectionId),
    isDatabaseWell: () => notifications.isListening && updateLog.isSaving && cluster?.isStranded !== true,
    logger: log,
    onRefused: refusalCounter(registry),
  })
  return { isOurPath: pathOwner(app, clientFolder !== null), listener, plain, upgrades }
}

function makeApp({ given, records, live, people, nouns }: Parts) {
  const { database, config, log, rates, registry, clientFolder, metricsOf, closing } = given
  const { db, schema } = database
  const { trail, notifications } = records
  const { access, rooms } = live
  const { isOurs, urlFor, cookies, guests, auth, sso, ticketKey, identify, addressOf } = people
  const signIn = { db, auth, trail, failedGuesses: rates.failedSignIns }
  const checks = checksOf(given, records, rooms)
  const version = readVersion()
  return createApp({
    ...{ log, registry, checks, clientFolder, version, limits: config, isOurOrigin: isOurs },
    async identify(_request, incoming) {
      if (incoming === undefined) throw new BoardroomError('internal', 'the request has no Node request')
      return { identity: await identifyRequest(identify, incoming), ip: addressOf(incoming) }
    },
    publicUrl: () => urlFor(null),
    admitBody: (identity, boardId) => admitBody(access, identity, boardId),
    addressOf: (incoming) => (incoming === undefined ? null : addressOf(incoming)),
    recordDenied: ({ actor, boardId, reason, route }) =>
      trail.record({
        action: 'access_denied',
        actor,
        boardId,
        details: { reason, transport: 'http', route },
      }),
    headers: { publicUrl: urlFor(null), frameAncestors: config.frameAncestors },
    metricsText: metricsOf?.all(() => registry.metrics()),
    mcp: mcpRoutes(nouns.agents, version),
    metricsToken: config.metricsToken,
    routers: [
      authRoutes({ ...signIn, config, guests, sso, publicUrl: urlFor(null) }),
      ssoRoutes({ ...signIn, sso, publicUrl: urlFor(null), cookies, log }),
      accountRoutes({ db, auth, guests, renames: rates.renames }),
      peopleRoutes({
        ...{ ...signIn, mailer: nouns.mailer, config, log, cookies, ssoName: people.ssoName },
        mailsAsked: rates.mailsAsked,
        publicUrl: urlFor,
      }),
      instanceRoutes({
        ...{ db, checks, limits: config, version },
        everyConnection: () => rooms.everyConnection(),
      }),
      serviceKeyRoutes({ db }),
      nouns.webhooks.routes,
      ticketRoutes({ db, ticketKey, requireLevel: nouns.needsLevel, publicUrl: urlFor }),
      boardsRoutes(nouns.boards),
      storageRoutes(nouns.storage),
      commentRoutes(nouns.comments),
      agentRoutes(nouns.agents),
      privacyRoutes({ db, schema, audit: trail }),
      auditRoutes({ database, trail, log, notifications, requireManage: nouns.mayManage, closing }),
    ],
  })
}

/** The checks for `/readyz` and the page about the server. */
const checksOf = ({ database }: Given, { notifications, updateLog }: Records, rooms: Rooms) => ({
  database: async () => {
    await database.pool.query('select 1')
  },
  notifications: () => {
    if (!notifications.isListening) throw new Error('not listening')
  },
  saving: () => {
    if (!updateLog.isSaving) throw new Error('edits are not saved')
  },
  joins: () => {
    if (rooms.rights.refusesJoins) throw new Error('joins are refused until access can be checked')
  },
})
