// Authentication at a nats-server in the two ways that need files: certificates, and signed accounts with
// credentials.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { nkeys } from '@nats-io/transport-node'

type Keys = ReturnType<typeof nkeys.createUser>

export const hasOpenssl = (process.env.PATH ?? '')
  .split(path.delimiter)
  .some((folder) => existsSync(path.join(folder, 'openssl')))

/**
 * `ca.pem`, and a certificate with its key for each name, in `folder`; for 127.0.0.1, except the one of `elsewhere`.
 */
export async function makeCertificates(folder: string, names: readonly string[]): Promise<void> {
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: folder })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA')
  for (const name of names) {
    await openssl(
      'req',
      ...key.slice(0, 4),
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    )
    await writeFile(
      path.join(folder, `${name}.ext`),
      `subjectAltName=${name === 'elsewhere' ? 'DNS:nats.example' : 'IP:127.0.0.1'}\n`,
    )
    const signed = ['-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
    await openssl('x509', '-req', ...signed, '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`)
  }
}

export interface Accounts {
  /** The configuration for nats-server. */
  configuration: string
  /** Writes a user's `.creds` file; a stranger's is signed by an account that the server does not know. */
  credentials(file: string, options?: { isStranger?: boolean }): Promise<void>
}

/** An operator with one account, as created by `nsc`. */
export function makeAccounts(): Accounts {
  const operator = nkeys.createOperator()
  const account = nkeys.createAccount()
  const stranger = nkeys.createAccount()
  const idOf = (keys: Keys) => keys.getPublicKey()
  const limits = { subs: -1, data: -1, payload: -1 }
  const accountLimits = { ...limits, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }
  const jwtOfAccount = sign(operator, idOf(account), 'account', { limits: accountLimits })
  return {
    configuration: `operator: ${sign(operator, idOf(operator), 'operator', {})}
resolver: MEMORY
resolver_preload: { ${idOf(account)}: ${jwtOfAccount} }
`,
    async credentials(file, { isStranger = false } = {}) {
      const user = nkeys.createUser()
      const jwt = sign(isStranger ? stranger : account, idOf(user), 'user', limits)
      const seed = new TextDecoder().decode(user.getSeed())
      await writeFile(
        file,
        `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
      )
    },
  }
}

function sign(issuer: Keys, subject: string, type: string, more: object): string {
  const claims = {
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    name: type,
    sub: subject,
    nats: { ...more, type, version: 2 },
  }
  const jti = createHash('sha256').update(JSON.stringify(claims)).digest('hex')
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ jti, ...claims })}`
  return `${signed}.${Buffer.from(issuer.sign(new TextEncoder().encode(signed))).toString('base64url')}`
}
