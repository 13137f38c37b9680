// A NATS that requires authentication, in each way that it supports: valid credentials are accepted, and invalid ones
// give one line of error.
import { rejects } from 'node:assert/strict'
import path from 'node:path'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectNats } from '../../server/cluster/nats-bus.ts'
import type { NatsConfig } from '../../server/cluster/nats-settings.ts'
import { eventually } from '../helpers/eventually.ts'
import { withFolder } from '../helpers/folder.ts'
import { hasNats, type Nats, withNats } from '../helpers/nats.ts'
import { hasOpenssl, makeAccounts, makeCertificates } from '../helpers/nats-accounts.ts'

const asked = suite('a NATS that requires authentication')
const log = pino({ level: 'silent' })

const none: NatsConfig = {
  natsUrl: undefined,
  natsToken: undefined,
  natsCredentialsFile: undefined,
  natsCaFile: undefined,
  natsCertFile: undefined,
  natsKeyFile: undefined,
}

/** Two nodes that hear each other. */
async function letsIn(config: Partial<NatsConfig>): Promise<void> {
  const one = await connectNats({ ...none, ...config }, 'one', log)
  const other = await connectNats({ ...none, ...config }, 'other', log)
  const heard: string[] = []
  other.subscribe('boardroom.test', (data) => heard.push(Buffer.from(data).toString()))
  await other.settled()
  one.publish('boardroom.test', Buffer.from('hello'))
  await eventually(() => heard.includes('hello'))
  await Promise.all([one.close(), other.close()])
}

const refuses = (config: Partial<NatsConfig>, message: RegExp): Promise<void> =>
  rejects(connectNats({ ...none, ...config }, 'one', log), (error: Error) => {
    assert.match(error.message, message, error.message)
    assert.not(error.message.includes('\n'), 'one line')
    return true
  })

const unwelcome =
  /does not accept our credentials; check NATS_TOKEN, NATS_CREDENTIALS_FILE or the user in NATS_URL/

const withUrl = ({ port }: Nats, before: string, scheme = 'nats'): string =>
  `${scheme}://${before}127.0.0.1:${port}`

asked('with a token, as a setting and in the address', () =>
  withNats(async (nats) => {
    await letsIn({ natsUrl: nats.url, natsToken: 'right' })
    await letsIn({ natsUrl: withUrl(nats, 'right@') })
    await refuses({ natsUrl: nats.url }, unwelcome)
    await refuses({ natsUrl: nats.url, natsToken: 'wrong' }, unwelcome)
  }, 'authorization { token: right }\n'),
)

asked('with user and password', () =>
  withNats(async (nats) => {
    await letsIn({ natsUrl: withUrl(nats, 'ada:pass%2Fword@') })
    await refuses({ natsUrl: withUrl(nats, 'ada:wrong@') }, unwelcome)
  }, 'authorization { user: ada, password: "pass/word" }\n'),
)

asked('with a credentials file', () =>
  withFolder(async (folder) => {
    const accounts = makeAccounts()
    const [own, strange] = [path.join(folder, 'own.creds'), path.join(folder, 'strange.creds')]
    await accounts.credentials(own)
    await accounts.credentials(strange, { isStranger: true })
    await withNats(async (nats) => {
      await letsIn({ natsUrl: nats.url, natsCredentialsFile: own })
      await refuses({ natsUrl: nats.url, natsCredentialsFile: strange }, unwelcome)
      await refuses({ natsUrl: nats.url }, unwelcome)
      await refuses(
        { natsUrl: nats.url, natsCredentialsFile: path.join(folder, 'none.creds') },
        /^NATS_CREDENTIALS_FILE: .*none.creds cannot be read$/,
      )
    }, accounts.configuration)
  }),
)

const byCertificate = hasOpenssl ? asked : asked.skip
if (!hasOpenssl) console.log('# skipped 1: no openssl is installed')

byCertificate('with TLS: who NATS is, and by our own certificate who we are', () =>
  withFolder(async (folder) => {
    await makeCertificates(folder, ['server', 'node', 'elsewhere'])
    const file = (name: string) => path.join(folder, name)
    const tls = `cert_file: "${file('server.pem')}", key_file: "${file('server.key')}", ca_file: "${file('ca.pem')}"`
    const natsCaFile = file('ca.pem')
    await withNats(async (nats) => {
      await letsIn({ natsUrl: withUrl(nats, '', 'tls'), natsCaFile })
      await letsIn({ natsUrl: nats.url, natsCaFile })
      await refuses(
        { natsUrl: withUrl(nats, '', 'tls') },
        /no TLS connection with NATS at .*; check NATS_CA_FILE/,
      )
    }, `tls { ${tls} }\n`)
    await withNats(async (nats) => {
      const own = { natsCertFile: file('node.pem'), natsKeyFile: file('node.key') }
      await letsIn({ natsUrl: nats.url, natsCaFile, ...own })
      // It closes the connection when our certificate is missing, without an explanation.
      await refuses(
        { natsUrl: nats.url, natsCaFile },
        /does not answer .*; if it requires a client certificate, set NATS_CERT_FILE/,
      )
      await refuses(
        { natsUrl: nats.url, natsCaFile, natsCertFile: own.natsCertFile },
        /^NATS_CERT_FILE and NATS_KEY_FILE belong together/,
      )
    }, `tls { ${tls}, verify: true }\n`)
    const strange = tls.replaceAll('server.', 'elsewhere.')
    await withNats(
      (nats) =>
        refuses({ natsUrl: nats.url, natsCaFile }, /does not match certificate's altnames: IP: 127.0.0.1/),
      `tls { ${strange} }\n`,
    )
    // Required, but missing.
    await withNats(
      (nats) =>
        refuses(
          { natsUrl: withUrl(nats, '', 'tls') },
          /no TLS connection with NATS at .*; check .*tls:\/\/ in NATS_URL/,
        ),
      '',
    )
  }),
)

if (hasNats(4)) asked.run()
