// Rooms and joins in /metrics. Rooms keep plain counters, which are read here when the metrics are requested.
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Notifications } from '../database/notifications.ts'
import type { Rooms, RoomsStats } from '../rooms/rooms.ts'

const gauges: Record<string, { help: string; read: (stats: RoomsStats) => number }> = {
  boardroom_rooms: { help: 'Boards open in this process.', read: (stats) => stats.rooms },
  boardroom_connections: { help: 'WebSocket connections in rooms.', read: (stats) => stats.connections },
  boardroom_writers: { help: 'Connections at level edit.', read: (stats) => stats.writers },
  boardroom_connections_behind: {
    help: 'Connections that currently read too slowly.',
    read: (stats) => stats.behind,
  },
  boardroom_unsaved_bytes: {
    help: 'Bytes of edits that are not committed yet.',
    read: (stats) => stats.unsavedBytes,
  },
}

/** A gauge for each current value, and one counter `boardroom_room_events_total` for events. */
export function roomMetrics(registry: Registry, rooms: Rooms, notifications: Notifications): void {
  for (const [name, { help, read }] of Object.entries(gauges)) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: () => gauge.set(read(rooms.stats())),
    })
  }
  const listening: Gauge = new Gauge({
    name: 'boardroom_listening',
    help: '1 while notifications about access changes arrive from the database.',
    registers: [registry],
    collect: () => listening.set(notifications.isListening ? 1 : 0),
  })
  const events: Counter<'event'> = new Counter({
    name: 'boardroom_room_events_total',
    help: 'What happened in rooms: joined, left, updates, rejected, resynced, slowed, too_slow, …',
    labelNames: ['event'] as const,
    registers: [registry],
    collect() {
      events.reset()
      const { rules: _, ...counts } = rooms.stats().counters
      for (const [event, count] of Object.entries(counts)) events.inc({ event }, count)
    },
  })
  const refused: Counter<'rule'> = new Counter({
    name: 'boardroom_updates_refused_total',
    help: 'Updates rejected, or dropped in favour of a full sync, by rule.',
    labelNames: ['rule'] as const,
    registers: [registry],
    collect() {
      refused.reset()
      for (const [rule, count] of Object.entries(rooms.stats().counters.rules)) refused.inc({ rule }, count)
    },
  })
}

/** Refused joins by reason: a close code, or why there was no handshake. */
export function refusalCounter(registry: Registry): (reason: string) => void {
  const counter = new Counter({
    name: 'boardroom_joins_refused_total',
    help: 'Joins refused, by close code or by the reason why there was no handshake.',
    labelNames: ['reason'] as const,
    registers: [registry],
  })
  return (reason) => counter.inc({ reason })
}
