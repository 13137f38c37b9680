// The access levels and their order. What a level allows is asked here and nowhere else.

export const levels = ['view', 'comment', 'edit'] as const

/** `view` sees, `comment` also opens threads and comments, `edit` also writes the document. */
export type Level = (typeof levels)[number]

const rank: Record<Level, number> = { view: 1, comment: 2, edit: 3 }

export const isLevel = (value: unknown): value is Level => levels.includes(value as Level) // a lookup by value

/** Whether `level` (null: no access) allows what `needed` allows. */
export const allows = (level: Level | null, needed: Level): boolean =>
  level !== null && rank[level] >= rank[needed]

export const mayWrite = (level: Level | null): boolean => allows(level, 'edit')
export const mayComment = (level: Level | null): boolean => allows(level, 'comment')

/** The lower of two levels; a null cap caps nothing. */
export const capLevel = (level: Level, cap: Level | null): Level =>
  cap !== null && rank[cap] < rank[level] ? cap : level
