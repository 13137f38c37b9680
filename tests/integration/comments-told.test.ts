import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CommentMail } from '../../server/comments/digest.ts'
import { threadsStatement } from '../../server/comments/queries.ts'
import { createMailer } from '../../server/mail/mailer.ts'
import { type TestApp, withApp } from '../helpers/app.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'
import { withSmtp } from '../helpers/smtp.ts'

const told = suite('who is notified of comments')

async function cast({ db }: TestApp) {
  const { id: owner } = await make.user(db, { name: 'Olga Owner', email: 'olga@example.org' })
  const { id: ben } = await make.user(db, { name: 'Ben Member', email: 'ben@example.org' })
  const { id: stranger } = await make.user(db, { name: 'Benno Stranger' })
  const { id: admin } = await make.user(db, { name: 'Bengt Admin', role: 'admin' })
  const { id: board } = await make.board(db, { owner_id: owner, title: 'Plan' })
  await make.permission(db, { board_id: board, user_id: ben, level: 'comment' })
  const { id: link } = await make.shareLink(db, { board_id: board, level: 'comment' })
  const { id: gus } = await make.guest(db, { name: 'Gus' })
  await make.linkUse(db, { link_id: link, guest_id: gus })
  return { owner, ben, stranger, admin, gus, board, threads: `/api/boards/${board}/threads` }
}

const anchor = { x: 1, y: 2 }

const notices = async ({ call }: TestApp, as: number | string) => {
  const { body } = await call('GET', '/api/me/notifications?unread=true', { as })
  return body.items.map((item: { kind: string; excerpt: string; board_title: string }) => [
    item.kind,
    item.excerpt,
  ])
}

told(
  'mentioned and answered people find a notification, newest first, until it is read; nobody is notified of their own comments',
  () =>
    withApp(async (test) => {
      const { call } = test
      const { owner, ben, gus, threads } = await cast(test)
      const { id } = (
        await call('POST', threads, {
          as: gus,
          body: { anchor, body: '@Ben Member look', mentions: [`user:${ben}`] },
        })
      ).body
      assert.equal(await notices(test, ben), [['mention', '@Ben Member look']])
      assert.equal(await notices(test, owner), [], 'an owner who has said nothing is not told of everything')
      await call('POST', `${threads}/${id}/comments`, { as: owner, body: { body: 'Me too' } })
      assert.equal(await notices(test, ben), [
        ['reply', 'Me too'],
        ['mention', '@Ben Member look'],
      ])
      assert.equal(await notices(test, gus), [['reply', 'Me too']])
      await call('POST', `${threads}/${id}/read`, { as: ben })
      assert.equal(await notices(test, ben), [], 'what is read on the board is not new')
      assert.is((await call('POST', '/api/me/notifications/read', { as: gus, body: {} })).status, 204)
      assert.equal(await notices(test, gus), [])
      assert.is((await call('GET', '/api/me/notifications')).status, 401)
    }),
)

told('only as long as they may open the board', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { owner, ben, threads } = await cast(test)
    await call('POST', threads, { as: owner, body: { anchor, body: 'Secret', mentions: [`user:${ben}`] } })
    await db.deleteFrom('board_permissions').where('user_id', '=', ben).execute()
    assert.equal(await notices(test, ben), [])
  }),
)

told(
  'people are suggested by the beginning of a name, except those without a reason to be on the board',
  () =>
    withApp(async (test) => {
      const { call, db } = test
      const { owner, ben, stranger, admin, gus, board, threads } = await cast(test)
      const offered = async (as: number | string, q: string) =>
        (await call('GET', `/api/boards/${board}/mentionable?q=${q}`, { as })).body.items.map(
          ({ id }: { id: string }) => id,
        )
      assert.equal(await offered(owner, 'ben'), [`user:${ben}`])
      assert.equal(await offered(gus, 'memb'), [`user:${ben}`])
      assert.equal((await offered(gus, '')).sort(), [`user:${ben}`, `guest:${gus}`, `user:${owner}`].sort())
      await db.updateTable('boards').set({ members_level: 'view' }).where('id', '=', board).execute()
      assert.equal((await offered(ben, 'benno')).sort(), [`user:${stranger}`], 'open to every account')
      assert.equal(await offered(gus, 'benno'), [], 'a guest learns of no accounts')
      const refused = []
      for (const id of [`user:${stranger}`, `user:${admin}`, 'user:99999'])
        refused.push(
          (await call('POST', threads, { as: gus, body: { anchor, body: 'x', mentions: [id] } })).body.error,
        )
      assert.is(new Set(refused.map((error) => JSON.stringify(error))).size, 1, 'there or not: one answer')
      assert.equal(await db.selectFrom('threads').select('id').execute(), [])
    }),
)

const withMail = (
  work: (
    test: TestApp,
    mail: CommentMail,
    smtp: Parameters<Parameters<typeof withSmtp>[0]>[0],
  ) => Promise<void>,
) =>
  withSmtp((smtp) =>
    withApp(async (test) => {
      const mailer = createMailer({ smtpUrl: smtp.url, from: 'boards@example.org' })
      const mail = new CommentMail({
        db: test.db,
        access: test.deps.access,
        mailer,
        minutes: 10,
        secret: test.comments.secret,
        publicUrl: 'https://boards.example.org',
        boardUrl: (id) => `https://boards.example.org/b/${id}`,
        log: pino({ level: 'silent' }),
      })
      try {
        await work(test, mail, smtp)
      } finally {
        await mail.close()
        mailer.close()
      }
    }),
  )

const anHourLater = ({ db }: TestApp) =>
  db
    .updateTable('notifications')
    .set({ created_at: new Date(Date.now() - 3_600_000) })
    .execute()

told(
  'several comments become one mail, once, after a while; one click stops them, opening the link does not',
  () =>
    withMail(async (test, mail, smtp) => {
      const { call } = test
      const { owner, ben, threads, board } = await cast(test)
      const { id } = (
        await call('POST', threads, { as: owner, body: { anchor, body: 'Look', mentions: [`user:${ben}`] } })
      ).body
      await call('POST', `${threads}/${id}/comments`, { as: owner, body: { body: 'And here' } })
      await mail.sendWaiting()
      assert.equal(smtp.delivered, [], 'they wait for each other')
      await anHourLater(test)
      await mail.sendWaiting()
      await mail.sendWaiting()
      assert.equal(
        smtp.delivered.map(({ to }) => to),
        [['ben@example.org']],
      )
      const [{ text = '', raw = '' } = {}] = smtp.delivered
      for (const part of ['Look', 'And here', 'Olga Owner mentioned you', `/b/${board}?thread=${id}`])
        assert.match(text, part)
      const stop = /List-Unsubscribe: <https:\/\/boards\.example\.org(\/api\/mail\/stop\?token=[^>]+)>/.exec(
        raw.replace(/\r\n\s+/g, ' '),
      )?.[1]
      assert.ok(stop, raw)
      assert.is((await call('GET', stop)).status, 200)
      assert.is((await call('GET', '/api/me/mail', { as: ben })).body.comments, true)
      assert.is((await call('POST', stop)).status, 200)
      assert.is((await call('GET', '/api/me/mail', { as: ben })).body.comments, false)
      assert.is((await call('POST', '/api/mail/stop?token=1.aaaaaaaaaaaaaaaaaaaaaaaa')).status, 404)
      await call('POST', `${threads}/${id}/comments`, { as: owner, body: { body: 'Unwanted' } })
      await anHourLater(test)
      await mail.sendWaiting()
      assert.is(smtp.delivered.length, 1)
      await call('PUT', '/api/me/mail', { as: ben, body: { comments: true } })
      await mail.sendWaiting()
      assert.is(smtp.delivered.length, 2)
    }),
)

told(
  'a mail omits comments that were read or deleted or lost their access; a refused one is sent again',
  () =>
    withMail(async (test, mail, smtp) => {
      const { call, db } = test
      const { owner, ben, board, threads } = await cast(test)
      const say = async (body: string) =>
        (await call('POST', threads, { as: owner, body: { anchor, body, mentions: [`user:${ben}`] } })).body
      const gone = await say('Deleted words')
      await call('DELETE', `/api/boards/${board}/comments/${gone.comments[0].id}`, { as: owner })
      const read = await say('Read words')
      await call('POST', `${threads}/${read.id}/read`, { as: ben })
      const { comments } = await say('First words')
      await call('PATCH', `/api/boards/${board}/comments/${comments[0].id}`, {
        as: owner,
        body: { body: 'Better words' },
      })
      await anHourLater(test)
      smtp.refusing = true
      await mail.sendWaiting()
      smtp.refusing = false
      await mail.sendWaiting()
      assert.is(smtp.delivered.length, 1)
      assert.match(smtp.delivered[0]?.text ?? '', 'Better words')
      assert.not.match(smtp.delivered[0]?.text ?? '', /Deleted words|Read words|First words/)
      await say('Later words')
      await anHourLater(test)
      await db.deleteFrom('board_permissions').where('user_id', '=', ben).execute()
      await mail.sendWaiting()
      assert.is(smtp.delivered.length, 1, 'no access, no mail')
    }),
)

told('everybody on the board is told of each change, with kind and id, but never with the text', () =>
  withApp(async (test) => {
    const { call, deps } = test
    const { owner, board, threads } = await cast(test)
    const heard: unknown[] = []
    const stop = deps.notifications.onEvent(({ boardId, event }) => {
      if (boardId === board && event.type === 'comment') heard.push(event.change)
    })
    const { id, comments } = (
      await call('POST', threads, { as: owner, body: { anchor, body: 'Quiet words' } })
    ).body
    await call('PATCH', `/api/boards/${board}/comments/${comments[0].id}`, { as: owner, body: { body: 'x' } })
    await call('PATCH', `${threads}/${id}`, { as: owner, body: { resolved: true } })
    await call('PATCH', `${threads}/${id}`, { as: owner, body: { resolved: true } })
    await call('PATCH', `${threads}/${id}`, { as: owner, body: { resolved: false } })
    await call('DELETE', `/api/boards/${board}/comments/${comments[0].id}`, { as: owner })
    await eventually(() => heard.length >= 5)
    stop()
    assert.equal(heard, ['created', 'updated', 'resolved', 'reopened', 'deleted'])
  }),
)

told('a board of 2,000 threads and 20,000 comments is listed in pages from its indexes', () =>
  withApp(async (test) => {
    const { call, db, pool, schema } = test
    const { owner, ben, board, threads } = await cast(test)
    const { id: other } = await make.board(db, { owner_id: owner })
    await pool.query(`
      begin; set local boardroom.copying = 'on'; set local search_path = ${schema};
      insert into threads (board_id, anchor, created_by, created_by_name, created_at)
        select case when n % 4 = 0 then '${other}'::uuid else '${board}'::uuid end, '{"x": 1, "y": 2}', 'user:${owner}', 'Olga', now() - n * interval '1 second'
        from generate_series(1, 2667) n;
      insert into comments (thread_id, author, author_name, body, created_at)
        select t.id, 'user:${owner}', 'Olga', 'Word ' || n, t.created_at + n * interval '1 ms' from threads t, generate_series(1, 10) n;
      commit; analyze ${schema}.threads; analyze ${schema}.comments;`)
    const page = await call('GET', `${threads}?limit=200&comments=1`, { as: ben })
    assert.equal(
      [page.body.items.length, page.body.items[0].comment_count, page.body.items[0].unread_count],
      [200, 10, 10],
    )
    for (const open of [undefined, true]) {
      const question = { boardId: board, reader: `user:${ben}`, open, unread: false, mine: false }
      const { sql, parameters } = threadsStatement(question, null, 51).compile(db)
      const { rows } = await pool.query(`explain ${sql}`, [...parameters])
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      assert.match(plan, /Index Scan using (threads_board|threads_open) on threads/)
      assert.match(plan, /comments_thread/)
      assert.not.match(plan, /Seq Scan|Sort/, plan)
    }
  }),
)

told.run()
