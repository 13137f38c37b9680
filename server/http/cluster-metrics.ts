// What a node sees of the others, for /metrics; nothing if it is the only one.
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Cluster, ClusterStats } from '../cluster/cluster.ts'

const gauges: Record<string, { help: string; read: (stats: ClusterStats) => number }> = {
  boardroom_nodes: { help: 'Nodes that are heard, including this one.', read: ({ nodes }) => nodes },
  boardroom_nodes_deaf: {
    help: '1 while this node hears no other node over the bus.',
    read: ({ isDeaf }) => (isDeaf ? 1 : 0),
  },
  boardroom_nodes_cut_off: {
    help: '1 while the edits of a node that is not heard are read from the database.',
    read: ({ isCutOff }) => (isCutOff ? 1 : 0),
  },
}
const counted = ['sent', 'sentBytes', 'heard', 'heardBytes', 'strangers', 'newer'] as const

export function clusterMetrics(registry: Registry, cluster: Cluster): void {
  for (const [name, { help, read }] of Object.entries(gauges)) {
    const gauge: Gauge = new Gauge({
      ...{ name, help, registers: [registry] },
      collect: () => gauge.set(read(cluster.stats)),
    })
  }
  const bus: Counter<'what'> = new Counter({
    name: 'boardroom_bus_total',
    help: 'Messages and bytes between nodes: sent, heard; not signed by this deployment (strangers), from a newer version.',
    labelNames: ['what'] as const,
    registers: [registry],
    collect() {
      bus.reset()
      const { stats } = cluster
      for (const what of counted)
        bus.inc({ what: what.replace(/[A-Z]/, (it) => `_${it.toLowerCase()}`) }, stats[what])
    },
  })
}
