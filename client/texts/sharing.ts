// What the pages say about access: links, requests, people who are sent away, and the account of whoever looks.
import type { Level } from '../../shared/levels.ts'

const may: Record<Level, string> = { view: 'view', comment: 'comment', edit: 'edit' }

export const requestTexts = {
  ask: 'Request access',
  askMore: 'Ask to edit',
  title: 'Request access',
  text: 'The owner of the board sees your request and answers it.',
  level: 'Access',
  message: 'Message (optional)',
  send: 'Send request',
  sent: 'Your request was sent. The page changes by itself when it is answered.',
  tab: 'Requests',
  none: 'Nobody is waiting for an answer.',
  wants: (level: Level) => `wants to ${may[level]}`,
  give: 'Allow',
  decline: 'Decline',
  given: (name: string, level: Level) => `${name} may ${may[level]} now`,
  declined: (name: string) => `The request from ${name} was declined`,
  news: (name: string, level: Level) => `${name} asks to ${may[level]} this board`,
  answer: 'Answer',
  count: (count: number) => (count === 1 ? '1 request for access' : `${count} requests for access`),
}

export const personTexts = {
  sendAway: 'Send away',
  sendAwayTitle: (name: string) => `Send ${name} away?`,
  sendAwayText: (name: string) =>
    `${name} is disconnected and can open the board again, unless you take the access away as well.`,
  sendAwayGuest: (name: string) =>
    `${name} is disconnected, and the link that they used no longer lets them in.`,
  sendAwayOther: (name: string) =>
    `${name} is disconnected, and can open the board again: it is open to them without an invitation.`,
  disconnectOnly: 'Only disconnect',
  withAccess: 'Take the access away',
  away: (name: string) => `${name} was disconnected`,
  out: (name: string) => `${name} was disconnected and no longer has access`,
  removed: (name: string) => `${name} no longer has access`,
  guestsAway: (count: number) =>
    count === 1 ? '1 guest who is not here' : `${count} guests who are not here`,
  here: 'here now',
}

export const ownerTexts = {
  handOver: 'Make owner',
  title: (name: string) => `Hand the board over to ${name}?`,
  text: (name: string) =>
    `${name} is asked first. When ${name} accepts, you keep the right to edit, and the board's share links become theirs.`,
  action: 'Offer the board',
  offered: (name: string) => `${name} is asked to take the board over`,
  waiting: 'asked to become the owner',
  takeBack: 'Take back',
  takenBack: 'The offer was taken back',
  offer: (who: string, title: string) => `${who} wants to hand “${title}” over to you.`,
  accept: 'Accept',
  decline: 'Decline',
  accepted: (title: string) => `“${title}” is yours now`,
}

export const linkTexts = {
  revoked: 'Link revoked. Everybody who came in by it has been disconnected.',
  edit: 'Edit',
  editOf: (label: string) => `Edit ${label}`,
  editTitle: 'Edit link',
  label: 'Label',
  level: 'Level',
  expires: 'Expires',
  password: 'Password',
  passwordKept: 'unchanged',
  noPassword: 'No password',
  uses: 'Number of uses',
  noLimit: 'no limit',
  save: 'Save',
  saved: 'Link changed',
  cancel: 'Cancel',
  presets: {
    '': 'Never',
    hour: 'In an hour',
    day: 'In a day',
    week: 'In a week',
    month: 'In 30 days',
    at: 'At a date …',
  },
  kept: 'As it is',
  date: 'Date and time of expiry',
  boardCopied: 'Address of the board copied. It opens for those who have access.',
  copyBoard: 'Copy link',
}

export const accountTexts = {
  menu: (name: string) => `${name}: account`,
  name: 'Change name',
  nameLabel: 'Your name',
  save: 'Save',
  renamed: 'Your name was changed',
  password: 'Change password',
  current: 'Current password',
  next: 'New password',
  again: 'New password again',
  hint: 'At least 8 characters.',
  different: 'The two new passwords are not the same.',
  passwordChanged: 'Your password was changed. Everywhere else you are signed out.',
  light: 'Light theme',
  dark: 'Dark theme',
  audit: 'Audit trail',
  signOut: 'Sign out',
  leave: 'Leave',
  signIn: 'Sign in',
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

export const setupTexts = {
  incompleteTitle: 'This link is not complete',
  incomplete: 'Open the whole set-up link, as the server printed it when it started.',
  usedTitle: 'This link no longer works',
  used: 'It has been used, or the server has printed a newer one since. If there is no account yet, restart the server: it prints a new link.',
  signIn: 'Sign in',
}
