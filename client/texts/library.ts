// Texts of the team library.
export const libraryTexts = {
  title: 'Team library',
  add: 'Add what is selected',
  none: 'Nothing here yet. Select something on the board and add it: everybody on this server can draw with it.',
  nothingSelected: 'Select what to add first. Images stay with their board.',
  draw: (name: string | null) => `Draw ${name ?? 'this'}`,
  by: (name: string | null, who: string | null) =>
    [name, who === null ? null : `added by ${who}`].filter(Boolean).join(', '),
  remove: (name: string | null) => `Remove ${name ?? 'this'} from the team library`,
  noRoom: 'Your library could not be kept. Try again, or make it smaller.',
}
