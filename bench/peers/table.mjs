// Turns rows into tables: medians (least–most) of the rounds, and Boardroom's targets next to the measurements.
import { columns } from './columns.mjs'

const at = (row, path) => path.split('.').reduce((value, key) => value?.[key], row)

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

const number = (value, digits) =>
  value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: Math.abs(value) >= 10_000,
  })

function valuesOf(runs, path) {
  return runs.map((run) => at(run, path)).filter((value) => value !== undefined && value !== null)
}

function cell(runs, path, digits) {
  const values = valuesOf(runs, path)
  if (values.length === 0) return '–'
  if (digits === undefined) return values.every((value) => value === true) ? 'yes' : 'NO'
  const [mid, low, high] = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    number(value, digits),
  )
  return low === high ? mid : `${mid} (${low}–${high})`
}

/** Median of the round-by-round ratios to another server. */
function ratioTo(runs, others, path) {
  const values = runs.flatMap((run) => {
    const base = at(others.find(({ round }) => round === run.round) ?? {}, path)
    const value = at(run, path)
    return base && value ? [value / base] : []
  })
  return values.length === 0 ? null : median(values)
}

/** @returns every target with what was measured: {scenario, variant, what, measured, target, isMet} */
export function targetsOf(rows) {
  const found = []
  for (const { scenario, variant, runs, of } of groups(rows)) {
    for (const [what, path, , target] of columns[scenario]) {
      if (target === undefined || (target.only ?? variant) !== variant) continue
      const ours = runs(target.by ?? 'boardroom')
      if (ours.length === 0) continue
      const add = (measured, wanted, isMet) =>
        found.push({ scenario, variant, what, measured, target: wanted, isMet })
      for (const [name, most] of target.of ?? []) {
        const ratio = ratioTo(ours, of(name), path)
        if (ratio !== null) add(`${number(ratio, 3)} × ${name}`, `≤ ${most} ×`, ratio <= most)
      }
      for (const [name, least] of target.timesAtLeast ?? []) {
        const ratio = ratioTo(ours, of(name), path)
        if (ratio !== null) add(`${number(ratio, 2)} × ${name}`, `≥ ${least} ×`, ratio >= least)
      }
      const values = valuesOf(ours, path)
      if (values.length === 0) continue
      const value = median(values)
      if (target.atMost !== undefined) add(number(value, 2), `≤ ${target.atMost}`, value <= target.atMost)
      if (target.atLeast !== undefined) add(number(value, 2), `≥ ${target.atLeast}`, value >= target.atLeast)
    }
  }
  return found
}

function* groups(rows) {
  const keys = new Set(rows.map(({ scenario, variant }) => `${scenario} ${variant}`))
  for (const key of keys) {
    const [scenario, variant] = key.split(' ')
    const all = rows.filter((row) => row.scenario === scenario && row.variant === variant)
    const runs = (peer) => all.filter((row) => row.peer === peer && !row.error)
    yield { scenario, variant, all, runs, of: runs }
  }
}

/** Markdown. */
export function tablesOf(rows) {
  const lines = []
  for (const { scenario, variant, all, runs } of groups(rows)) {
    const list = columns[scenario]
    lines.push('', `### ${scenario} ${variant}`, '')
    lines.push(`| server | ${list.map(([head]) => head).join(' | ')} | rounds (noisy) |`)
    lines.push(`|${'---|'.repeat(list.length + 2)}`)
    for (const peer of new Set(all.map((row) => row.peer))) {
      const good = runs(peer)
      const failed = all.filter((row) => row.peer === peer).length - good.length
      const notes = [`${good.length} (${good.filter((run) => run.noisy).length})`]
      if (failed > 0) notes.push(`${failed} failed`)
      if (good.some((run) => run.complete === false)) notes.push('incomplete')
      const cells = list.map(([, path, digits]) => cell(good, path, digits))
      lines.push(`| ${peer} | ${cells.join(' | ')} | ${notes.join(', ')} |`)
    }
  }
  const targets = targetsOf(rows)
  if (targets.length > 0) {
    lines.push('', '### targets', '', '| | figure | measured | target | met |', '|---|---|---|---|---|')
    for (const { scenario, variant, what, measured, target, isMet } of targets)
      lines.push(`| ${scenario} ${variant} | ${what} | ${measured} | ${target} | ${isMet ? 'yes' : 'no'} |`)
  }
  return `${lines.join('\n').trim()}\n`
}

/** One bar per server for the first figure of each scenario, side by side, as a share of the largest. */
export function pictureOf(rows) {
  const colours = { boardroom: '#3b5bdb', 'hocuspocus-4.7.0': '#f08c00', 'yws-0.1.5': '#2f9e44' }
  const parts = []
  let y = 20
  for (const { scenario, variant, all, runs } of groups(rows)) {
    const [head, path, digits] = columns[scenario][0]
    const bars = [...new Set(all.map((row) => row.peer))]
      .map((peer) => ({ peer, values: valuesOf(runs(peer), path).filter(Number.isFinite) }))
      .filter(({ values }) => values.length > 0)
      .map(({ peer, values }) => ({ peer, value: median(values) }))
    if (bars.length === 0) continue
    parts.push(`<text x="10" y="${y}" font-weight="bold">${scenario} ${variant}: ${head}</text>`)
    const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE)
    for (const { peer, value } of bars) {
      y += 18
      const width = Math.max(1, (value / most) * 420)
      parts.push(`<text x="10" y="${y}">${peer}</text>`)
      parts.push(
        `<rect x="150" y="${y - 11}" width="${width.toFixed(1)}" height="13" fill="${colours[peer] ?? '#868e96'}"/>`,
      )
      parts.push(`<text x="${(156 + width).toFixed(1)}" y="${y}">${number(value, digits ?? 0)}</text>`)
    }
    y += 32
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="660" height="${y}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${parts.join('\n')}
</svg>
`
}
