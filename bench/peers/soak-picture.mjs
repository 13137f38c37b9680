// The hour of `soak` as a picture (SVG): memory, handles, stored data, latency and load over the minutes.
const width = 760
const left = 60
const right = 190
const panelHeight = 120
const gap = 46

const panels = [
  {
    title: 'memory, MiB (proportional set size)',
    lines: [
      ['server', '#3b5bdb', ({ programMiB }) => programMiB],
      ['its Postgres', '#2f9e44', ({ databaseMiB }) => databaseMiB],
      ['heap after a collection', '#e03131', ({ heapMiB }) => heapMiB],
    ],
  },
  {
    title: 'handles of the server',
    lines: [
      ['open', '#3b5bdb', ({ handles }) => handles],
      ['people connected', '#868e96', ({ here }) => here],
    ],
  },
  {
    title: 'on the disk, MiB',
    lines: [
      ['database', '#3b5bdb', ({ storedMiB }) => storedMiB],
      ['its write-ahead log', '#868e96', ({ walMiB }) => walMiB],
    ],
  },
  {
    title: 'latency, ms (logarithmic)',
    isLogarithmic: true,
    lines: [
      ['an edit, p50', '#3b5bdb', ({ p50 }) => p50],
      ['an edit, p99', '#91a7ff', ({ p99 }) => p99],
      ['a join, p50', '#2f9e44', ({ joinP50 }) => joinP50],
      ['a join, p99', '#8ce99a', ({ joinP99 }) => joinP99],
    ],
  },
  {
    title: 'cores in use',
    lines: [
      ['server and Postgres', '#3b5bdb', ({ cpu }) => cpu],
      ['others on the machine', '#868e96', ({ otherCpu }) => otherCpu],
    ],
  },
]

/** @param samples from scenarios/soak.mjs */
export function pictureOfSoak(samples) {
  const lastMinute = Math.max(...samples.map(({ minute }) => minute))
  const parts = panels.map((panel, i) => panelOf(panel, samples, lastMinute, 30 + i * (panelHeight + gap)))
  const height = 30 + panels.length * (panelHeight + gap)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12">
<title>One hour of joins, leaves, edits and cursors</title>
<rect width="100%" height="100%" fill="white"/>
${parts.flat().join('\n')}
</svg>
`
}

function panelOf({ title, lines, isLogarithmic }, samples, lastMinute, top) {
  const values = lines.flatMap(([, , of]) => samples.map(of)).filter(Number.isFinite)
  const ticks = isLogarithmic ? powersAround(values) : stepsUpTo(Math.max(...values))
  const scale = isLogarithmic ? (value) => Math.log10(Math.max(value, ticks[0])) : (value) => value
  const [low, high] = [scale(ticks[0]), scale(ticks.at(-1))]
  const x = (minute) => (left + (minute / lastMinute) * (width - left - right)).toFixed(1)
  const y = (value) => (top + panelHeight * (1 - (scale(value) - low) / (high - low))).toFixed(1)
  const parts = [`<text x="${left}" y="${top - 8}" font-weight="bold">${title}</text>`]
  for (const tick of ticks) {
    parts.push(`<path d="M${left} ${y(tick)}H${width - right}" stroke="#dee2e6"/>`)
    parts.push(`<text x="${left - 6}" y="${Number(y(tick)) + 4}" text-anchor="end">${tick}</text>`)
  }
  for (let minute = 0; minute <= lastMinute; minute += 10)
    parts.push(`<text x="${x(minute)}" y="${top + panelHeight + 15}" text-anchor="middle">${minute}</text>`)
  for (const [i, [name, colour, of]] of lines.entries()) {
    const points = samples
      .filter((sample) => Number.isFinite(of(sample)))
      .map((sample) => [x(sample.minute), y(of(sample))])
    const isSparse = points.length < samples.length / 2
    parts.push(
      `<polyline points="${points.map((point) => point.join()).join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
    )
    if (isSparse)
      for (const [atX, atY] of points) parts.push(`<circle cx="${atX}" cy="${atY}" r="3" fill="${colour}"/>`)
    parts.push(`<text x="${width - right + 10}" y="${top + 12 + i * 17}" fill="${colour}">${name}</text>`)
  }
  return parts
}

/** From zero to the first round number above all values, in four or five steps. */
function stepsUpTo(most) {
  const rough = most / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough)
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)))
}

function powersAround(values) {
  const from = Math.floor(Math.log10(Math.min(...values.filter((value) => value > 0))))
  const to = Math.ceil(Math.log10(Math.max(...values)))
  return Array.from({ length: to - from + 1 }, (_, i) => Number((10 ** (from + i)).toPrecision(6)))
}
