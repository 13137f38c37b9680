// Names of the access levels.
import type { Level } from '../../shared/levels.ts'

export const levelNames: Record<Level, string> = {
  view: 'Can view',
  comment: 'Can comment',
  edit: 'Can edit',
}

export const levelTexts = {
  level: 'Level',
  levelOf: (name: string) => `Level of ${name}`,
  remove: 'Remove',
  removeName: (name: string) => `Remove ${name}`,
}
