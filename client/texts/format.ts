// Plurals, lists, numbers, sizes and times in texts: words in the language of the texts, dates and digits in the
// reader's locale.
const language = 'en-GB'
const ofReader = undefined // the browser's own

const plurals = new Intl.PluralRules(language)
const lists = new Intl.ListFormat(language)
const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
const exact = new Intl.DateTimeFormat(ofReader, { dateStyle: 'medium', timeStyle: 'short' })
const digits = new Intl.NumberFormat(ofReader)
const roughly = new Intl.NumberFormat(ofReader, { maximumFractionDigits: 1 })

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }

/** The plural form for `count`, with the number in place of `#`. */
export const counted = (count: number, forms: Forms): string =>
  (forms[plurals.select(count)] ?? forms.other).replaceAll('#', numberOf(count))

export const numberOf = (value: number): string => digits.format(value)

/** `Ada, Ben and Cleo`. */
export const listOf = (names: readonly string[]): string => lists.format(names)

export const sizeOf = (bytes: number): string =>
  bytes < 1024 ** 3 ? `${roughly.format(bytes / 1024 ** 2)} MB` : `${roughly.format(bytes / 1024 ** 3)} GB`

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/** `3 days ago`; also for future times. */
export const ago = (timestamp: string): string => {
  const seconds = (Date.parse(timestamp) - Date.now()) / 1000
  for (const [unit, size] of steps)
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit)
  return 'just now'
}

export const atTime = (timestamp: string): string => exact.format(new Date(timestamp))
