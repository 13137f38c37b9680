import nodeAssert from 'node:assert/strict'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createMailer, type Mailer } from '../../server/mail/mailer.ts'
import { type TestSmtp, withSmtp } from '../helpers/smtp.ts'

const mail = suite('mail')

const withMailer = (work: (test: { smtp: TestSmtp; mailer: Mailer }) => Promise<void>) =>
  withSmtp(async (smtp) => {
    const mailer = createMailer({ smtpUrl: smtp.url, from: 'Boardroom <boards@example.org>' })
    try {
      await work({ smtp, mailer })
    } finally {
      mailer.close()
    }
  })

mail('hands text of any script to the SMTP server of the address, signed in as it says', () =>
  withMailer(async ({ smtp, mailer }) => {
    await mailer.send({
      to: 'ada@example.org',
      subject: 'Größe von 図',
      text: 'Zoë: 図 ✓\nhttps://boards.example.org/b/1',
    })
    assert.equal(
      smtp.delivered.map(({ to }) => to),
      [['ada@example.org']],
    )
    assert.match(smtp.delivered[0]?.raw ?? '', /^From: Boardroom <boards@example\.org>/m)
    assert.match(smtp.delivered[0]?.raw ?? '', /^Auto-Submitted: auto-generated/m)
    assert.is(smtp.delivered[0]?.text.trim(), 'Zoë: 図 ✓\r\nhttps://boards.example.org/b/1')
    assert.not.match(smtp.delivered[0]?.raw ?? '', /List-Unsubscribe/)
  }),
)

mail('tells mail programs how to unsubscribe with one click', () =>
  withMailer(async ({ smtp, mailer }) => {
    await mailer.send({
      to: 'ada@example.org',
      subject: 'News',
      text: 'x',
      stopUrl: 'https://boards.example.org/stop?t=1',
    })
    const raw = smtp.delivered[0]?.raw ?? ''
    assert.match(raw, /^List-Unsubscribe: <https:\/\/boards\.example\.org\/stop\?t=1>/m)
    assert.match(raw, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click/m)
  }),
)

mail('keeps a subject of several lines in one, and goes to the one address', () =>
  withMailer(async ({ smtp, mailer }) => {
    await mailer.send({ to: 'ada@example.org', subject: 'Plans\r\nX-Other: yes', text: 'x' })
    assert.not.match(smtp.delivered[0]?.raw ?? '', /^X-Other/m)
    assert.equal(smtp.delivered[0]?.to, ['ada@example.org'])
  }),
)

mail('fails for the sender if the server accepts nothing, and works again afterwards', () =>
  withMailer(async ({ smtp, mailer }) => {
    smtp.refusing = true
    await nodeAssert.rejects(
      mailer.send({ to: 'ada@example.org', subject: 'News', text: 'x' }),
      /mailbox busy/,
    )
    smtp.refusing = false
    await mailer.send({ to: 'ada@example.org', subject: 'News', text: 'x' })
    assert.is(smtp.delivered.length, 1)
  }),
)

mail.run()
