// Texts of the share dialog: people, links, who is here, disconnecting people, changing the owner.
import type { ConnectionResponse, ShareLinkResponse } from '../../shared/api.ts'
import { counted } from './format.ts'

export const shareTexts = {
  title: 'Share',
  tabs: { people: 'People', links: 'Links', here: 'Here now' },
  audit: 'Audit trail',
  email: 'E-mail',
  invite: 'Invite',
  owner: 'Owner',
  invitedByAddress: 'invited by address',
  everybodyElse: 'Everybody else',
  members: 'Members of this server',
  membersAre: 'everybody with an account here',
  membersLevel: 'What members may do',
  everyone: 'Everyone',
  everyoneIs: 'whoever knows the address, without signing in',
  everyoneLevel: 'What everyone may do',
  noAccess: 'No access',
  byLink: 'came in by a link',
  /** Why somebody may open the board. */
  reasons: {
    owner: 'owner',
    administrator: 'administrator of this server',
    permission: 'invited',
    folder: 'by its folder',
    members: 'member of this server',
    public: 'open to everyone',
    link: 'came in by a link',
    agent: 'agent',
  } as Record<string, string>,
}

export const hereTexts = {
  nobody: 'Nobody is here.',
  since: (when: string) => `joined ${when}`,
  joined: (when: string, address: string | null) => (address === null ? when : `${when} from ${address}`),
  you: 'You',
  sendAway: 'Send away',
  sendNameAway: (name: string) => `Send away ${name}`,
  kinds: {
    user: '',
    guest: 'guest',
    agent: 'agent',
    anonymous: 'not signed in',
  } as Record<string, string>,
  /** Why somebody is on the board. */
  reasons: {
    owner: 'owns the board',
    administrator: 'administers this server',
    permission: 'was invited',
    folder: 'shared with its folder',
    members: 'is a member of this server',
    public: 'the board is open to everyone',
    link: 'came in by a link',
    agent: 'is an agent',
    none: 'no longer has access',
  } satisfies Record<ConnectionResponse['reason'], string>,
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
    counted(count, { one: '# guest who is not here', other: '# guests who are not here' }),
  here: 'here now',
}

export const ownerTexts = {
  handOver: 'Make owner',
  title: (name: string) => `Hand the board over to ${name}?`,
  text: (name: string) =>
    `${name} is asked first. When ${name} accepts, you keep the right to edit, and the board's share links become theirs.`,
  textAtOnce: (name: string) =>
    `You are an administrator, so ${name} becomes the owner at once, also of the board's share links.`,
  action: 'Offer the board',
  offered: (name: string) => `${name} is asked to take the board over`,
  handedOver: (name: string) => `${name} owns the board now`,
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
  labelHint: 'What for? (label)',
  create: 'Create link',
  more: 'Expiry, password, number of uses',
  usesAtMost: 'Uses',
  fresh: 'Your new link. Copy it now: it is shown only once.',
  freshLabel: 'New link',
  copy: 'Copy',
  copied: 'Link copied',
  notCopied: 'This browser does not let pages copy: select the link and copy it yourself.',
  none: 'No links yet. Anybody who has one can open the board without an account.',
  past: (count: number) =>
    counted(count, { one: '# link that no longer works', other: '# links that no longer work' }),
  unnamed: 'Link',
  created: (when: string) => `Created ${when}`,
  revoke: 'Revoke',
  revokeName: (name: string) => `Revoke ${name}`,
  used: (uses: number, most: number | null) =>
    most === null
      ? counted(uses, { one: 'used # time', other: 'used # times' })
      : counted(most, { one: `used ${uses} of # time`, other: `used ${uses} of # times` }),
  hasPassword: 'password',
  until: (when: string) => `until ${when}`,
  last: (when: string) => `last ${when}`,
  states: {
    active: '',
    expired: 'expired',
    revoked: 'revoked',
    used_up: 'used up',
    suspended: 'suspended: its creator may not give access now',
  } satisfies Record<ShareLinkResponse['state'], string>,
}
