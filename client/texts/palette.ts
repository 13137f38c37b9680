// Texts of the command palette.
export const paletteTexts = {
  title: 'Search and actions',
  placeholder: 'Find a board, a text on a board, or an action',
  boards: 'Boards',
  actions: 'Actions',
  folders: 'Folders',
  none: 'Nothing found.',
  newBoard: 'New board',
  allBoards: 'All boards',
  trash: 'Trash',
  share: 'Share this board',
  versions: 'Versions of this board',
  openHint: 'Ctrl K',
}
