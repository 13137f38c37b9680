// Texts about versions.
import type { VersionResponse } from '../../shared/api.ts'
import { counted } from './format.ts'

const reasons: Record<VersionResponse['reason'], string> = {
  automatic: 'Automatic version',
  named: 'Named version',
  before_removal: 'Before elements were removed',
  before_restore: 'Before a version was restored',
  before_import: 'Before an import',
  before_rebuild: 'Before the board was rebuilt',
}

export const versionTexts = {
  title: 'Versions',
  nameLabel: 'Name of the version',
  namePlaceholder: 'Name the board as it is now',
  keep: 'Keep version',
  kept: 'Version kept',
  none: 'No versions yet. One is kept every few minutes while people draw.',
  nameOf: ({ name, reason }: Pick<VersionResponse, 'name' | 'reason'>) => name ?? reasons[reason],
  drawing: 'Drawing …',
  empty: 'The board was empty.',
  picture: 'The board as it was',
  restore: 'Restore this version',
  restoreTitle: 'Restore this version?',
  restoreText: (when: string, now: number, then: number) =>
    `The board as it is now (${elements(now)}) is replaced for everybody by the version from ${when} (${elements(then)}). What is there now is kept as a version.`,
  restoreAction: 'Replace the board',
  cancel: 'Cancel',
  restored: 'Restored',
  undo: 'Undo',
  undone: 'The board is as it was before',
}

const elements = (count: number): string => counted(count, { one: '# element', other: '# elements' })
