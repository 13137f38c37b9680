// Every migration, listed by hand, in the order in which they run.
import * as accounts from './0001-accounts.ts'
import * as boards from './0002-boards.ts'
import * as documents from './0003-documents.ts'
import * as comments from './0004-comments.ts'
import * as trail from './0005-trail.ts'
import * as keeping from './0006-keeping.ts'
import * as chain from './0007-chain.ts'
import * as record from './0008-record.ts'
import * as notify from './0009-notify.ts'
import * as relays from './0010-relays.ts'
import * as versionsFiles from './0012-versions-files.ts'
import * as boardInvitations from './0013-board-invitations.ts'
import * as credentials from './0014-credentials.ts'
import * as commenting from './0016-comments.ts'
import * as folders from './0017-folders.ts'
import * as lastSysadmin from './0018-last-sysadmin.ts'
import * as people from './0019-people.ts'
import * as serviceKeys from './0020-service-keys.ts'
import * as webhooks from './0021-webhooks.ts'
import * as agents from './0023-agents.ts'
import * as consent from './0024-consent.ts'
import * as templates from './0025-templates.ts'
import * as background from './0031-background.ts'
import * as erasure from './0032-erasure.ts'
import * as trailLinks from './0033-trail-links.ts'
import * as library from './0034-library.ts'
import * as recordTexts from './0035-record-texts.ts'
import * as retention from './0036-retention.ts'
import * as providerSessions from './0037-provider-sessions.ts'
import * as journalInTrail from './0038-journal-in-trail.ts'
import * as recordsLookedUp from './0039-records-looked-up.ts'
import * as sideRows from './0040-side-rows.ts'
import * as signIns from './0041-sign-ins.ts'
import * as indexes from './0042-indexes.ts'
import * as erasureByAddress from './0043-erasure-by-address.ts'
import * as searchKey from './0044-search-key.ts'
import type { Migration } from './migration.ts'

export type { Migration } from './migration.ts'

export const migrations: readonly Migration[] = [
  { name: '0001-accounts', ...accounts },
  { name: '0002-boards', ...boards },
  { name: '0003-documents', ...documents },
  { name: '0004-comments', ...comments },
  { name: '0005-trail', ...trail },
  { name: '0006-keeping', ...keeping },
  { name: '0007-chain', ...chain },
  { name: '0008-record', ...record },
  { name: '0009-notify', ...notify },
  { name: '0010-relays', ...relays },
  { name: '0012-versions-files', ...versionsFiles },
  { name: '0013-board-invitations', ...boardInvitations },
  { name: '0014-credentials', ...credentials },
  { name: '0016-comments', ...commenting },
  { name: '0017-folders', ...folders },
  { name: '0018-last-sysadmin', ...lastSysadmin },
  { name: '0019-people', ...people },
  { name: '0020-service-keys', ...serviceKeys },
  { name: '0021-webhooks', ...webhooks },
  { name: '0023-agents', ...agents },
  { name: '0024-consent', ...consent },
  { name: '0025-templates', ...templates },
  { name: '0031-background', ...background },
  { name: '0032-erasure', ...erasure },
  { name: '0033-trail-links', ...trailLinks },
  { name: '0034-library', ...library },
  { name: '0035-record-texts', ...recordTexts },
  { name: '0036-retention', ...retention },
  { name: '0037-provider-sessions', ...providerSessions },
  { name: '0038-journal-in-trail', ...journalInTrail },
  { name: '0039-records-looked-up', ...recordsLookedUp },
  { name: '0040-side-rows', ...sideRows },
  { name: '0041-sign-ins', ...signIns },
  { name: '0042-indexes', ...indexes },
  { name: '0043-erasure-by-address', ...erasureByAddress },
  { name: '0044-search-key', ...searchKey },
]
