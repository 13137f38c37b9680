// Texts of the agents page.
import type { AgentEditResponse } from '../../shared/api/agents.ts'
import { counted } from './format.ts'

const changes: Record<AgentEditResponse['change'], string> = {
  created: 'added',
  updated: 'changed',
  deleted: 'deleted',
  restored: 'brought back',
}

export const agentTexts = {
  title: 'Agents',
  looking: 'Looking for agents',
  about:
    'An agent is a program that works on boards under a name of its own. You choose what it may do for you; it can never do more than you can.',
  name: 'Name of the new agent',
  description: 'What it is for (optional)',
  make: 'Create agent',
  none: 'You have no agents yet.',
  tokenTitle: (name: string) => `The token of ${name}`,
  tokenText:
    'It is shown only once. Give it to the program as its bearer token; whoever has it works under this name.',
  token: 'Token',
  copy: 'Copy',
  copied: 'Token copied',
  close: 'I have it',
  owner: (name: string) => `belongs to ${name}`,
  lastUsed: (when: string) => `last used ${when}`,
  neverUsed: 'never used',
  stopped: 'stopped',
  ownerInactive: 'its owner is deactivated',
  stop: (name: string) => `Stop ${name}`,
  start: (name: string) => `Start ${name}`,
  remove: (name: string) => `Delete ${name}`,
  removeAction: 'Delete',
  removeConfirm: (name: string) => `${name} and its permissions are deleted. What it drew stays.`,
  grants: 'Permissions',
  noGrants: 'No permissions yet. Add one below.',
  allBoards: 'every board I may open',
  someBoard: 'a board of theirs',
  forWhom: (name: string) => `for ${name}`,
  until: (when: string) => `until ${when}`,
  expired: 'expired',
  revoke: 'Revoke',
  board: 'Board',
  bits: 'It may',
  bitNames: { can_read: 'read', can_create: 'add', can_update: 'change', can_delete: 'delete' },
  expires: 'Until (optional)',
  give: 'Allow',
  edits: 'Recent changes',
  noEdits: 'Nothing in the last 30 days.',
  change: (change: AgentEditResponse['change']) => changes[change],
  undone: 'undone',
  undoHere: 'Undo since here',
  undo: (title: string) => `Undo since here, on ${title}`,
  didUndo: (elements: number, kept: number) =>
    `${[
      counted(elements, { one: '# element is as before', other: '# elements are as before' }),
      ...(kept === 0
        ? []
        : [
            counted(kept, {
              one: '# later change by others stayed',
              other: '# later changes by others stayed',
            }),
          ]),
    ].join('; ')}.`,
}
