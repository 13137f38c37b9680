// The access levels and their order. This is the only place that decides what a level allows.

export const levels = ['view', 'comment', 'edit'] as const

/** `view` may read, `comment` may also write threads and comments, `edit` may also write to the document. */
export type Level = (typeof levels)[number]

const rank: Record<Level, number> = { view: 1, comment: 2, edit: 3 }

export const isLevel = (value: unknown): value is Level => levels.includes(value as Level) // a lookup by value

/** Whether `level` (null: no access) allows what `needed` allows. */
export const allows = (level: Level | null, needed: Level): boolean =>
  level !== null && rank[level] >= rank[needed]

export const mayWrite = (level: Level | null): boolean => allows(level, 'edit')
export const mayComment = (level: Level | null): boolean => allows(level, 'comment')

/** The lower of two levels; a null cap has no effect. */
export const capLevel = (level: Level, cap: Level | null): Level =>
  cap !== null && rank[cap] < rank[level] ? cap : level
