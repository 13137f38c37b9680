// Joining a deployment: opens the bus and finds the other nodes.
import os from 'node:os'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import { Cluster } from './cluster.ts'
import { deploymentOf } from './deployment.ts'
import { refuseOtherDatabase } from './meeting.ts'

export interface JoinOptions {
  config: Config & { secret: string }
  database: Database
  log: Logger
  /** The id of this process in the trail. */
  nodeId: string
  silentNodes: (heard: ReadonlySet<string>) => Promise<readonly string[]>
}

/**
 * @returns null without NATS_URL: this node is the only one.
 * @throws BoardroomError invalid_config | bus_unreachable | database_unreachable
 */
export async function joinCluster(options: JoinOptions): Promise<Cluster | null> {
  const { config, database, log, nodeId, silentNodes } = options
  if (config.natsUrl === undefined) return null
  const deployment = await deploymentOf(database)
  const name = `boardroom ${process.pid} on ${os.hostname()}`
  const { connectNats } = await import('./nats-bus.ts') // so that a single node does not load NATS
  const bus = await connectNats(config, name, log)
  const { secret } = config
  try {
    const leave = await refuseOtherDatabase({ bus, secret, deployment, nodeId })
    const askDatabase = () => database.pool.query('select 1')
    const ours = { bus, log, nodeId, deployment, secret }
    const cluster = new Cluster({ ...ours, silentNodes, askDatabase, onClose: leave })
    await cluster.start()
    log.info({ deployment, nodeId }, 'one of several nodes')
    return cluster
  } catch (error) {
    await bus.close()
    throw error
  }
}
