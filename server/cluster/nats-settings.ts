// The settings for NATS, validated before anything is opened, so that errors are reported in one line.
import { readFileSync } from 'node:fs'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { credsAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node'
import type { Config } from '../config.ts'
import { BoardroomError } from '../errors.ts'

export type NatsConfig = Pick<
  Config,
  'natsUrl' | 'natsToken' | 'natsCredentialsFile' | 'natsCaFile' | 'natsCertFile' | 'natsKeyFile'
>

/** @throws BoardroomError invalid_config, naming the setting */
export function natsOptionsOf(config: NatsConfig): NodeConnectionOptions & { servers: string[] } {
  const urls = (config.natsUrl ?? '').split(',').map((url) => new URL(url.trim()))
  const [first] = urls
  const user = first === undefined ? '' : decodeURIComponent(first.username)
  const password = first === undefined ? '' : decodeURIComponent(first.password)
  const usesTls = urls.some(({ protocol }) => protocol === 'tls:') || config.natsCaFile !== undefined
  const { natsToken, natsCredentialsFile, natsCertFile, natsKeyFile } = config
  if ((natsCertFile === undefined) !== (natsKeyFile === undefined))
    throw new BoardroomError(
      'invalid_config',
      'NATS_CERT_FILE and NATS_KEY_FILE belong together: set both, or neither',
    )
  const hosts = urls.map(({ hostname }) => hostname.replace(/^\[|\]$/g, ''))
  const tls = {
    // If the host is an IP address, the library sets no server name, and Node then checks for localhost:
    // https://github.com/nats-io/nats.js/issues/303
    checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
      hosts.some((host) => checkServerIdentity(host, certificate) === undefined)
        ? undefined
        : checkServerIdentity(hosts[0] ?? '', certificate),
    ...(config.natsCaFile === undefined ? {} : { ca: read('NATS_CA_FILE', config.natsCaFile) }),
    ...(natsCertFile === undefined ? {} : { cert: read('NATS_CERT_FILE', natsCertFile) }),
    ...(natsKeyFile === undefined ? {} : { key: read('NATS_KEY_FILE', natsKeyFile) }),
  }
  return {
    servers: urls.map(({ host }) => host),
    ...(natsToken !== undefined
      ? { token: natsToken }
      : user !== '' && password === ''
        ? { token: user }
        : user !== ''
          ? { user, pass: password }
          : {}),
    ...(natsCredentialsFile === undefined
      ? {}
      : {
          authenticator: credsAuthenticator(
            new TextEncoder().encode(read('NATS_CREDENTIALS_FILE', natsCredentialsFile)),
          ),
        }),
    ...(usesTls || natsCertFile !== undefined ? { tls } : {}),
  }
}

/** A URL without credentials, for messages. */
export const shownUrl = (natsUrl: string): string =>
  natsUrl
    .split(',')
    .map((url) => url.trim().replace(/\/\/[^@/]*@/, '//'))
    .join(',')

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new BoardroomError('invalid_config', `${name}: ${path} cannot be read`, { cause: error })
  }
}
