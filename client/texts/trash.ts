// What the pages say about the trash.
const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`

export const trashTexts = {
  moved: 'Moved to the trash',
  undo: 'Undo',
  back: 'Taken out of the trash',
  insideTitle: 'Move to the trash?',
  inside: (title: string, names: readonly string[]) =>
    `${listed(names)} ${names.length === 1 ? 'has' : 'have'} “${title}” open, and will be disconnected.`,
  move: 'Move to trash',
  restore: 'Restore',
  restoreHint: 'It is in your trash. Restoring brings it back with everything on it.',
}
