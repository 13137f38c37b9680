// Rows of the trail as the audit page words them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { detailsOf } from '../../client/pages/audit-details.ts'

const words = suite('a row of the trail')

const row = (about: Partial<Parameters<typeof detailsOf>[0]>) => ({
  ...{ action: 'update', old_values: null, new_values: null, details: null, resource_type: 'board' },
  ...{ resource_id: null, user_id: null },
  ...about,
})
const people = new Map([[4, 'Una']])

words('says whose level changed, and what an export was limited to', () => {
  const said = (about: Partial<Parameters<typeof detailsOf>[0]>) =>
    detailsOf(row({ action: 'permission_change', ...about }), people, new Map([['l-1', 'Class 7b']]))
  const change = (who: Record<string, unknown>) => ({
    old_values: { ...who, level: 'view' },
    new_values: { ...who, level: 'edit' },
  })
  assert.is(
    said({ resource_type: 'board_permission', ...change({ user_id: 4 }) }),
    'for: Una · level: view → edit',
  )
  assert.is(
    said({ resource_type: 'board_permission', ...change({ user_id: null }) }),
    'for: everyone, without an account · level: view → edit',
  )
  assert.is(
    said({ resource_type: 'board_invitation', ...change({ email: 'mia@example.org' }) }),
    'invitation to a board · for: mia@example.org · level: view → edit',
  )
  const pen = { user_id: 4, guest_id: null }
  assert.is(
    said({ old_values: { ...pen, speaks: true }, new_values: { ...pen, speaks: false } }),
    'for: Una · has the pen: yes → no',
  )
  assert.is(
    said({ old_values: { moderation: 'open' }, new_values: { moderation: 'view_only' } }),
    'moderation: open → view only',
  )
  const filter = { board_id: 'b', link_id: 'l-1', action: 'link_use', user_id: 4 }
  assert.is(
    said({ action: 'export', details: { filter, format: 'csv' } }),
    'only link: Class 7b · only action: link used · only by: Una · format: csv',
  )
})

words('names people, level changes, and how somebody joined and left', () => {
  const said = (about: Partial<Parameters<typeof detailsOf>[0]>) => detailsOf(row(about), people)
  assert.is(
    said({ action: 'access', details: { via: 'ticket', reason: 'owner', connection_id: 'c' } }),
    'by a ticket · as the owner',
  )
  assert.is(said({ action: 'leave', details: { seconds: 1, close_code: 1005 } }), 'left · stayed 1 s')
  assert.is(
    said({ action: 'leave', details: { seconds: 600, close_code: 4403 } }),
    'access taken away · stayed 10 min',
  )
  assert.is(
    said({ action: 'leave', details: { seconds: 5, close_code: 4403, reason: 'sent away' } }),
    'sent away · stayed 5 s',
  )
  assert.is(said({ action: 'login', details: { by: 'single_sign_on' } }), 'by: single sign on')
  assert.is(said({ old_values: { level: 'view' }, new_values: { level: 'edit' } }), 'level: view → edit')
  assert.is(said({ new_values: { level: 'edit', user_id: 4, granted_by: 3 } }), 'for: Una')
  assert.is(said({ new_values: { user_id: 9 } }), 'for: user 9')
  assert.is(said({ new_values: { title: 'Plan', is_public: false } }), 'title: Plan')
  assert.is(
    said({ old_values: { is_public: false }, new_values: { is_public: true } }),
    'open to everyone: no → yes',
  )
  assert.is(said({ new_values: { events: ['a.b', 'c'] } }), 'events: a.b, c')
  assert.is(said({}), 'board')
  const toUna = { resource_type: 'user', resource_id: '4', user_id: 1 }
  assert.is(
    said({ ...toUna, old_values: { is_active: true }, new_values: { is_active: false } }),
    'Una · active: yes → no',
  )
  assert.is(said({ ...toUna, user_id: 4, details: { changed: 'password' } }), 'changed: password')
  assert.match(
    said({
      resource_type: 'invitation',
      resource_id: 'x',
      new_values: { role: 'user', expires_at: '2026-12-05T10:47:19.442+00:00' },
    }),
    /^invitation · role: user · until: [^T]*2026[^T]*$/,
  )
  assert.is(
    said({
      action: 'access_denied',
      details: { via: 'anonymous', route: 'GET /api/boards', transport: 'http' },
    }),
    'not signed in · asked for: GET /api/boards',
  )
  const revoked = said({
    old_values: { revoked_at: null },
    new_values: { revoked_at: '2026-11-28T11:22:44.846+00:00' },
  })
  assert.match(revoked, /2026/)
  assert.not.match(revoked, /T11|846/, 'a time as people say it')
})

words.run()
