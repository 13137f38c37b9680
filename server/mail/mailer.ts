// Mail goes out through the operator's SMTP server, where one is set; without one there is no mailer, and nothing of
// the product needs it. Addresses and texts are never logged.
import { createTransport } from 'nodemailer'

export interface Mail {
  /** One address. */
  to: string
  subject: string
  /** Plain text: nothing to load, nothing to run. Lines may be of any length. */
  text: string
  /**
   * Where the reader stops mails of this kind: one click in mail programs (RFC 8058), so the address takes a POST
   * from anybody who has it. Leave it out for what somebody has just asked for, an invitation or a new password.
   */
  stopUrl?: string
}

export interface Mailer {
  /** @returns once the SMTP server has taken it over. @throws Error where it has not, after at most half a minute */
  send(mail: Mail): Promise<void>
  close(): void
}

export interface MailerOptions {
  /** `smtp://user:password@mail.example.org:587`, `smtps://…:465` */
  smtpUrl: string
  /** As readers see it: `Boardroom <boards@example.org>` or an address alone. */
  from: string
}

const timeoutMs = 10_000

export function createMailer({ smtpUrl, from }: MailerOptions): Mailer {
  const transport = createTransport({
    ...connectionOf(smtpUrl),
    pool: true,
    maxConnections: 2,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // A mail is made of texts that people wrote: none of them may name a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send({ to, subject, text, stopUrl }) {
      await transport.sendMail({
        from,
        // As an object, so that no address is read out of it but this one.
        to: { name: '', address: to },
        subject: oneLine(subject),
        text,
        headers: {
          'Auto-Submitted': 'auto-generated',
          ...(stopUrl === undefined
            ? {}
            : { 'List-Unsubscribe': `<${stopUrl}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
        },
      })
    },
    close: () => transport.close(),
  }
}

function connectionOf(smtpUrl: string) {
  const url = new URL(smtpUrl)
  const secure = url.protocol === 'smtps:'
  const auth =
    url.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    ...auth,
  }
}

/** A title is a text of people: what could begin a header of its own becomes a blank. */
const oneLine = (subject: string): string =>
  subject
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, 200)
    .toWellFormed()
