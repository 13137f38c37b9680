// Texts of a board page: its bar, its menu, whether it is saved, and how it ends.
import type { Level } from '../../shared/levels.ts'
import { counted, sizeOf } from './format.ts'

export const boardTexts = {
  untitled: 'Board',
  rename: 'Rename',
  renameTitle: 'Rename board',
  name: 'Name',
  share: 'Share',
  copyLink: 'Copy link',
  linkCopied: 'Address of the board copied. It opens for those who have access.',
  versionRestored: 'An earlier version was restored.',
  late: 'Still waiting: a slow line, or a server that does not answer. Trying again by itself …',
  full: 'This board is full: nobody can add to it. Ask its owner to start a new one.',
  levelNow: {
    edit: 'You can edit this board now.',
    comment: 'You can view and comment now.',
    view: 'You can only view this board now.',
  } satisfies Record<Level, string>,
}

export const menuTexts = {
  exportFile: 'Export .excalidraw',
  exportPng: 'Export PNG',
  exportSvg: 'Export SVG',
  print: 'Print or save as PDF',
  import: 'Import into this board',
  versions: 'Versions',
  leave: 'Leave',
  nothingToExport: 'There is nothing to export yet.',
  nothingToPrint: 'There is nothing to print yet.',
}

export const imageTexts = {
  unreadable: 'The image could not be read.',
  notStored: 'An image could not be stored.',
  otherType: (type: string) => `Images of the type ${type} cannot be kept on a board.`,
  tooLarge: (file: string, most: number) => `${file} is too large: the limit for images is ${sizeOf(most)}.`,
}

export const syncTexts = {
  connecting: 'Connecting',
  connectingHint: 'Waiting for the server.',
  opening: 'Opening',
  openingHint: 'The drawing is here and about to be shown.',
  offline: (changes: number, isKept: boolean) => {
    if (changes === 0) return 'Offline'
    return isKept
      ? counted(changes, { one: 'Offline, # change kept', other: 'Offline, # changes kept' })
      : counted(changes, { one: 'Offline, # change on this page', other: 'Offline, # changes on this page' })
  },
  offlineHint:
    'The server cannot be reached. You can keep working: changes are kept on this device and sent later.',
  offlineHereHint:
    'The server cannot be reached. You can keep working, but leave this page open: changes are kept on it alone and sent later.',
  offlineViewHint: 'The server cannot be reached. You see the board as it was.',
  readOnly: 'Read-only',
  fullHint: 'This board has reached its size limit.',
  commentHint: 'You can view and comment, but not change the drawing.',
  viewHint: 'You can view this board, but not change it.',
  saved: 'Saved',
  savedHint: 'Everything is committed to the database.',
  saving: 'Saving',
  savingHint: 'On its way to the database.',
}

export const keptTexts = {
  title: (board: string) => `${board} (my copy)`,
  download: 'Download a copy',
  asBoard: 'Keep as a new board',
  discard: 'Discard',
  notSaved: (changes: number) =>
    counted(changes, {
      one: 'One change of yours was not saved: you may no longer write here, or the server refused it.',
      other: '# changes of yours were not saved: you may no longer write here, or the server refused them.',
    }),
  hadNotBeenSaved: (changes: number) =>
    counted(changes, {
      one: 'One change of yours had not been saved. You can keep a copy.',
      other: '# changes of yours had not been saved. You can keep a copy.',
    }),
}

export const endedTexts = {
  again: 'Open it again',
  otherAccount: 'Use another account',
  readAndAccept: 'Read and accept',
  disconnectedTitle: 'You were disconnected',
  disconnected:
    'Somebody who manages this board ended your connection. Your access is as it was: you can open the board again.',
  visitTitle: 'Your visit has ended',
  visit: 'The link that you used has expired or was revoked. Ask for a new one.',
  signedOutTitle: 'You are signed out',
  signedOut: 'Sign in to go on where you were.',
  signInTitle: 'Sign in to open this board',
  signIn: 'Or open the share link that you were given.',
  accessGoneTitle: 'You no longer have access',
  accessGone: 'Your access to this board was taken away or has expired. Ask its owner if you still need it.',
  linkGone: 'The link that you used was revoked or has expired. Ask the person who sent it for a new one.',
  noAccessTitle: 'You have no access to this board',
  noAccess:
    'It may not exist, or nobody has shared it with you. Ask its owner, or sign in with another account.',
  consentGoneTitle: 'Your consent was withdrawn',
  consentGone: 'The board opens again once you accept what is asked.',
  consentTitle: 'Please accept first',
  consent: 'Before you come in, you are asked to read and accept a text.',
  deletedTitle: 'This board was deleted',
  deleted: 'It is in the trash of its owner, who can bring it back.',
  noBoardTitle: 'There is no such board',
  noBoard: 'The address may be incomplete.',
  tooLargeTitle: 'That was too much at once',
  tooLarge:
    'The last change was larger than the server takes. Import large drawings from the list of boards instead.',
  endedTitle: 'The connection was ended',
  ended: (code: number) => `Something went wrong (code ${code}). Opening the board again usually helps.`,
}

export const entryTexts = {
  linkOverTitle: 'This link does not open the board',
  linkOver:
    'It may have been revoked, have expired, or be used up; or the address is incomplete. Ask the person who sent it for a new one.',
  wrongAddressTitle: 'This is not the address of this server',
  unreachableTitle: 'The server cannot be reached',
  cannotOpenTitle: 'The board cannot be opened',
  haveAccess: 'The link no longer works, but you have access of your own.',
  otherName: 'Use another name, of at most 100 characters.',
  wrongPassword: 'That is not the password of this link.',
}
