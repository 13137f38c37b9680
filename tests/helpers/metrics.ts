// The metrics of a running server, as Prometheus reads them.

export type Metrics = ReadonlyMap<string, number>

/** Every sample of `/metrics` by its name with labels: `boardroom_room_events_total{event="rejected"}`. */
export async function readMetrics(origin: string): Promise<Metrics> {
  const text = await (await fetch(`${origin}/metrics`)).text()
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    const at = line.lastIndexOf(' ')
    if (!line.startsWith('#') && at > 0) samples.set(line.slice(0, at), Number(line.slice(at + 1)))
  }
  return samples
}

export const roomEvent = (event: string): string => `boardroom_room_events_total{event="${event}"}`
export const refusedBy = (rule: string): string => `boardroom_updates_refused_total{rule="${rule}"}`
export const joinRefused = (reason: string | number): string =>
  `boardroom_joins_refused_total{reason="${reason}"}`
