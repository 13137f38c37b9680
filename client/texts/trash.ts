// Texts about the trash.
import { counted, listOf } from './format.ts'

export const trashTexts = {
  moved: 'Moved to the trash',
  undo: 'Undo',
  back: 'Taken out of the trash',
  insideTitle: 'Move to the trash?',
  inside: (title: string, names: readonly string[]) =>
    `${listOf(names)} ${counted(names.length, { one: 'has', other: 'have' })} “${title}” open, and will be disconnected.`,
  move: 'Move to trash',
  restore: 'Restore',
  restoreHint: 'It is in your trash. Restoring brings it back with everything on it.',
}
