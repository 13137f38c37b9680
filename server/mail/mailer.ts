// Sends mail through the operator's SMTP server, if one is configured; otherwise there is no mailer, and nothing depends
// on it. Addresses and texts are never logged.
import { createTransport } from 'nodemailer'

export interface Mail {
  /** A single address. */
  to: string
  subject: string
  /** Plain text, so there is nothing to load or run. Lines may have any length. */
  text: string
  /**
   * The URL for unsubscribing from this kind of mail with one click (RFC 8058); it must accept an unauthenticated POST.
   * Leave it out for mails that somebody just requested, such as an invitation or a password reset.
   */
  stopUrl?: string
}

export interface Mailer {
  /** @returns once the SMTP server has accepted it. @throws Error if it has not within half a minute */
  send(mail: Mail): Promise<void>
  close(): void
}

export interface MailerOptions {
  /** `smtp://user:password@mail.example.org:587`, `smtps://…:465` */
  smtpUrl: string
  /** The sender: `Boardroom <boards@example.org>` or just an address. */
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
    // Mails contain text written by people, which must not make the mailer read files or fetch URLs.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send({ to, subject, text, stopUrl }) {
      await transport.sendMail({
        from,
        // As an object, so that it is not parsed as a list of addresses.
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

/** Titles are written by people: characters that could start another header become spaces. */
const oneLine = (subject: string): string =>
  subject
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, 200)
    .toWellFormed()
