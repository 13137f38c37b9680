// The columns of the table for each scenario, and Boardroom's targets: [heading, path in the row, digits, target].
// `by` names the server that the target is for, if it is not `boardroom`. A target is a ratio to a server of the same
// round, or a figure; lower is better unless stated otherwise.
const hp = 'hocuspocus-4.7.0'
const hpr = 'hocuspocus-redis'
const nats = 'boardroom-nats'
const yws = 'yws-0.1.5'
/** If the cost of the others is out of reach: the cost of the work itself, plus a quarter. */
const floor = ['floor-committed', 1.25]

export const columns = {
  fanout: [
    [
      'server CPU µs per delivery',
      'cpuSecondsPerMillion',
      2,
      {
        of: [[hp, 0.75], [yws, 1], floor],
        only: 'n100',
      },
    ],
    ['bytes per delivery', 'bytesPerDelivery', 1],
    ['p50 ms', 'latency.p50', 1],
    ['p99 ms', 'latency.p99', 1],
  ],
  awareness: [
    ['server CPU µs per delivered state', 'cpuSecondsPerMillion', 2, { of: [[hp, 0.12]], only: 'n100' }],
    ['Hz seen per cursor', 'hzPerCursor', 1, { atLeast: 29, only: 'n100' }],
    ['p50 ms', 'latency.p50', 1, { atMost: 8, only: 'n100' }],
    ['p99 ms', 'latency.p99', 1],
  ],
  join: [
    ['first join CPU ms', 'coldCpuMs', 0, { of: [[hp, 0.05]], only: '1mb' }],
    ['next join CPU ms', 'warmCpuMs', 1, { of: [[hp, 0.25]], only: '1mb' }],
    ['storm CPU s', 'stormCpuSeconds', 2, { of: [[hp, 0.06]], only: '4mb' }],
    ['another room, p99 ms', 'bystander.p99', 0, { of: [[hp, 0.03]], atMost: 50, only: '4mb' }],
    ['peak MiB', 'peakMiB', 0],
    ['board correct', 'correct'],
  ],
  rooms: [
    ['server CPU µs per delivery', 'cpuSecondsPerMillion', 0, { of: [[hp, 0.7], floor] }],
    ['p50 ms', 'latency.p50', 1],
    ['p99 ms', 'latency.p99', 1],
    ['memory MiB', 'rssMiB', 0],
  ],
  idle: [
    ['KiB per connection', 'kibPerConnection', 1, { of: [[yws, 1]], only: '2000c-20r' }],
    ['CPU µs to open one', 'openCpuMicros', 0, { of: [[hp, 1.5], floor], only: '2000c-20r' }],
    ['idle core share', 'idleCpuShare', 4, { atMost: 0.01, only: '2000c-2000r' }],
  ],
  ramp: [
    ['most deliveries/s', 'maxDeliveredPerSecond', 0, { timesAtLeast: [[hp, 3]] }],
    ['p99 ms there', 'best.p99', 1],
  ],
  durable: [
    ['saved p50 ms', 'ack.p50', 1, { atMost: 4 }],
    ['saved p99 ms', 'ack.p99', 1, { atMost: 12 }],
    ['edits lost by a crash', 'crashLostEdits', 0],
    ['saved and lost', 'crashAckedLost', 0, { atMost: 0 }],
    ['edits lost by SIGTERM', 'stopLostEdits', 0, { atMost: 0 }],
  ],
  coldopen: [
    ['first open CPU ms, stop', 'coldCpuMs', 0, { of: [[hp, 0.08]], only: '100k' }],
    ['first open CPU ms, crash', 'coldCpuMs', 0, { of: [[hp, 0.3]], only: '100k-crash' }],
    ['board correct', 'correct'],
  ],
  comeback: [
    ['CPU s', 'cpuSeconds', 2],
    ['last one back ms', 'allMs', 0],
    ['KiB per client', 'kibPerClient', 1],
  ],
  folding: [
    ['another room, p99 ms', 'bystander.p99', 1, { atMost: 20 }],
    ['… quiet', 'quiet.p99', 1],
    ['CPU s', 'cpuSeconds', 2],
  ],
  growth: [['server CPU µs per delivery', 'cpuSecondsPerMillion', 1]],
  memory: [['MiB (proportional)', 'pssMiB', 1]],
  nodes: [
    ['server CPU µs per delivery', 'cpuSecondsPerMillion', 2, { of: [[hpr, 0.5]], by: nats, only: 'relay' }],
    ['bytes per delivery', 'bytesPerDelivery', 1],
    ['p50 ms', 'latency.p50', 1],
    ['p99 ms', 'latency.p99', 1, { of: [[hpr, 0.5]], by: nats, only: 'relay' }],
    ['said to be saved, then lost: a node killed, nobody on the other', 'aloneAckedLost', 0],
    ['… somebody on the other', 'watchedAckedLost', 0],
    ['… all killed', 'allAckedLost', 0, { atMost: 0, by: nats, only: 'killed' }],
  ],
  rights: [
    ['followed p50 ms', 'storm.p50', 1],
    ['followed, the last ms', 'storm.max', 1, { atMost: 1000 }],
    ['edits meanwhile p99 ms', 'edits.p99', 1, { atMost: 50 }],
    ['one change while 2,000 draw, p99 ms', 'drawing.p99', 1],
  ],
  canvas: [
    ['frames a second, who drags', 'framesPerSecond', 0, { atLeast: 30, only: 'drag' }],
    ['frames a second, 20 cursors', 'framesPerSecond', 0, { atLeast: 50, only: 'cursors' }],
    ['until painted ms', 'paintedMs', 0],
    ['longest task ms', 'longestTaskMs', 0],
  ],
  soak: [
    ['edits', 'edits', 0],
    ['joins', 'joins', 0],
    ['joins that failed', 'failed', 0, { atMost: 0 }],
  ],
}
