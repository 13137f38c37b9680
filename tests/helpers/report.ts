// Parses the output of a test file, as printed by uvu 0.5.

export interface Report {
  /** null if the file ended before its report, or never reached it. */
  total: number | null
  passed: number
  skipped: number
  /** Each failed test: its suite and name, then the first lines of the error. */
  failures: string[][]
  /** The suite and number of the test that was running when the output ended; null after a report. */
  unfinished: string | null
}

/** How much of an error the summary shows; everything is in the file's own output. */
const mostLines = 6
const mostCharacters = 300

export function readReport(output: string): Report {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: uvu colours its report
  const plain = output.replace(/\x1b\[\d+m/g, '')
  const count = (label: string): number | null => {
    const found = [...plain.matchAll(new RegExp(`^ {2}${label}: +(\\d+)$`, 'gm'))].at(-1)?.[1]
    return found === undefined ? null : Number(found)
  }
  const announced = [...plain.matchAll(/^# skipped (\d+)/gm)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  )
  const total = count('Total')
  return {
    total,
    passed: count('Passed') ?? 0,
    skipped: (count('Skipped') ?? 0) + announced,
    failures: failuresIn(plain),
    unfinished: total === null ? unfinishedIn(plain) : null,
  }
}

/** Whether uvu has printed its report: only the end of the process is missing. */
export const isReported = (output: string): boolean => output.includes('  Duration:')

function failuresIn(plain: string): string[][] {
  const failures: string[][] = []
  for (const [, name = '', rest = ''] of plain.matchAll(
    /^ {3}FAIL {2}(.*)\n([\s\S]*?)(?=^ {3}FAIL {2}|^ {2}Total:|$(?![\s\S]))/gm,
  )) {
    const lines = rest
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('at '))
    failures.push([name, ...lines.slice(0, mostLines).map((line) => line.slice(0, mostCharacters))])
  }
  return failures
}

/** Each suite is one line with its name and a mark for every finished test. */
function unfinishedIn(plain: string): string | null {
  const last = [...plain.matchAll(/^ (\S.*?) {2}((?:[•✘] )*)/gm)].at(-1)
  if (last === undefined) return null
  const [, suite, marks = ''] = last
  return `${suite}, test ${marks.length / 2 + 1}`
}
