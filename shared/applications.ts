// Scopes and events for other applications, shared by server and pages: plain lists, without the schemas.

/** The scopes of a key. `boards` also covers content: documents, files, versions, folders. */
export const scopeNouns = ['boards', 'permissions', 'tickets', 'comments', 'audit', 'webhooks'] as const

export const webhookEventTypes = [
  'board.created',
  'board.updated',
  'board.deleted',
  'board.restored',
  'board.purged',
  'permission.changed',
  'link.created',
  'link.used',
  'link.revoked',
  'connection.joined',
  'connection.left',
  'comment.created',
  'comment.updated',
  'comment.deleted',
  'thread.resolved',
  'thread.reopened',
  'version.created',
  'version.restored',
] as const

/** The `disabled_reason` of a webhook that a person disabled. */
export const stoppedByHand = 'stopped by hand'
