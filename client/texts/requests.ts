// Texts about access requests.
import type { Level } from '../../shared/levels.ts'
import { counted } from './format.ts'

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
  isSent: 'Request sent',
  wasDeclined: 'Your request was declined.',
  tab: 'Requests',
  none: 'Nobody is waiting for an answer.',
  wants: (level: Level) => `wants to ${may[level]}`,
  give: 'Allow',
  decline: 'Decline',
  given: (name: string, level: Level) => `${name} may ${may[level]} now`,
  declined: (name: string) => `The request from ${name} was declined`,
  news: (name: string, level: Level) => `${name} asks to ${may[level]} this board`,
  answer: 'Answer',
  count: (count: number) => counted(count, { one: '# request for access', other: '# requests for access' }),
}
