// What the page of boards says: folders, stars, search, and the command palette.
export const boardsTexts = {
  scopes: { all: 'All', mine: 'Mine', shared: 'Shared', starred: 'Starred', recent: 'Recent' },
  sorts: { updated: 'Last changed', created: 'Newest', title: 'Name' },
  search: 'Search boards and the texts on them',
  nothingFound: (what: string) => `No board has “${what}” in its name or on it.`,
  nothingStarred: 'No starred boards yet. The star on a board puts it here.',
  nothingRecent: 'Boards that you open appear here.',
  nothingShared: 'Nobody has shared a board with you yet.',
  emptyFolder: 'This folder is empty. Move boards here by their menu, or make a new one.',
  star: (title: string) => `Star ${title}`,
  unstar: (title: string) => `Remove the star of ${title}`,
  move: 'Move to folder',
  moved: (where: string) => `Moved to ${where}`,
  share: 'Share',
  export: 'Export .excalidraw',
  exporting: 'Preparing the file …',
  noFolder: 'No folder',
  allBoards: 'Boards',
}

export const folderTexts = {
  create: 'New folder',
  name: 'Name',
  createAction: 'Create',
  rename: 'Rename',
  renameTitle: 'Rename folder',
  move: 'Move',
  moveTitle: (name: string) => `Move “${name}” to`,
  moveAction: 'Move here',
  share: 'Share',
  shareTitle: (name: string) => `Share “${name}”`,
  shareText: 'People added here get this level on every board in the folder and in the folders inside it.',
  email: 'E-mail',
  add: 'Add',
  everyone: 'Everyone',
  nobody: 'Nobody has been added yet.',
  copyLink: 'Copy link to the folder',
  copied: 'Address of the folder copied. It opens for those who have access.',
  remove: 'Remove folder',
  removeTitle: (name: string) => `Remove “${name}”?`,
  removeText:
    'No board is deleted: the boards and folders in it move up one level. People who had access through this folder lose it.',
  removed: 'Folder removed',
  menu: (name: string) => `${name}: actions`,
  folders: 'Folders',
  notFoundTitle: 'There is no such folder',
  notFound: 'It may have been removed, or nobody has shared it with you.',
}

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

export const reportTexts = {
  title: (taken: number, all: number) =>
    taken === all ? 'Something was left out' : `${taken} of ${all} files were imported`,
  close: 'Close',
}

/** Reasons go on where "it …" begins. */
export const fileTexts = {
  notImported: (file: string, why: string) => `${file} was not imported: ${why}.`,
  leftOut: (file: string, what: string) => `${file}: ${what}`,
  unreadable: 'it cannot be read; it may be a folder, or may have been moved',
  tooLarge: 'it is larger than 128 MB',
  tooLargeForBoard: (most: number | null) =>
    most === null
      ? 'the drawing is too large for one board'
      : `the drawing is too large for one board, which may have ${Math.floor(most / 1024 / 1024)} MB`,
  tooMany: (most: number) =>
    `it has more than ${most.toLocaleString()} elements, too many to add to an open board; import it on the page of all boards`,
  damagedInside: 'it is damaged: the drawing inside cannot be read',
  brokenImage: 'it is a damaged image, or one that your browser cannot show',
  imageTooLarge: (most: number | null) =>
    most === null
      ? 'an image in it is too large'
      : `an image in it is too large; images may have ${Math.floor(most / 1024 / 1024)} MB`,
  pasted: 'What you pasted',
  viewer: 'You can only view this board, so nothing can be added to it.',
}
