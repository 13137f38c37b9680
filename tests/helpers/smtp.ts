// A real SMTP server that stores what it receives.
import { once } from 'node:events'
import { SMTPServer } from 'smtp-server'

export interface Delivered {
  to: string[]
  /** The whole message, as it came over the wire. */
  raw: string
  /** The text, decoded. */
  text: string
}

export interface TestSmtp {
  /** For BOARDROOM_SMTP_URL. */
  url: string
  delivered: Delivered[]
  /** If set, every mail is refused from now on. */
  refusing: boolean
}

export async function withSmtp<Result>(work: (smtp: TestSmtp) => Promise<Result>): Promise<Result> {
  const smtp: TestSmtp = { url: '', delivered: [], refusing: false }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, callback) =>
      username === 'boards@example.org' && password === 'pa:ss/word'
        ? callback(null, { user: username })
        : callback(new Error('wrong password')),
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        if (smtp.refusing) return callback(new Error('mailbox busy'))
        const raw = Buffer.concat(chunks).toString('utf8')
        const to = session.envelope.rcptTo.map(({ address }) => address)
        smtp.delivered.push({ to, raw, text: textOf(raw) })
        callback()
      })
    },
  })
  server.on('error', () => undefined) // of a connection that broke; its test checks what was delivered
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('the SMTP server has no port')
  smtp.url = `smtp://boards%40example.org:pa%3Ass%2Fword@127.0.0.1:${address.port}`
  try {
    return await work(smtp)
  } finally {
    await new Promise<void>((resolve) => server.close(resolve))
  }
}

/** For a mail with one part, in any of the three text encodings. */
function textOf(raw: string): string {
  const [head = '', ...rest] = raw.split('\r\n\r\n')
  const body = rest.join('\r\n\r\n')
  if (/content-transfer-encoding: base64/i.test(head)) return Buffer.from(body, 'base64').toString('utf8')
  if (!/content-transfer-encoding: quoted-printable/i.test(head)) return body
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
