// People who are already signed in. Hashing and checking a password takes two tenths of a second per person, more
// than everything else in most tests; signing in itself is tested separately.
import { randomBytes } from 'node:crypto'
import { sessionKeyOf, signatureOf } from '../../server/accounts/auth-deps.ts'
import { cookieNames } from '../../server/accounts/cookies.ts'
import { hashPassword } from '../../server/accounts/passwords.ts'
import { addUser } from '../../server/accounts/users.ts'
import { transactionAs } from '../../server/audit/actor.ts'
import type { Db } from '../../server/database/database.ts'
import { type Role, systemActor } from '../../server/principal.ts'
import { make } from './factories.ts'

/** Everybody's; hashed once per process. */
export const password = 'correct horse battery staple'
let hashed: Promise<string> | undefined

export interface NewPerson {
  name: string
  email: string
  role?: Role
  /** What the server signs its cookies with, and whether people reach it over https. */
  secret: string
  isHttps?: boolean
}

/** Creates an account with the password above, and a session as the server's own sign-in would. */
export async function signedInPerson(
  db: Db,
  { name, email, role = 'user', secret, isHttps = false }: NewPerson,
): Promise<{ id: number; cookie: string }> {
  hashed ??= hashPassword(password)
  const passwordHash = await hashed
  const token = randomBytes(24).toString('base64url')
  const { id } = await transactionAs(db, systemActor, async (trx) => {
    const user = await addUser(trx, { name, email, role, email_verified: true, passwordHash })
    await make.session(trx, { user_id: user.id, token })
    return user
  })
  const signature = signatureOf(token, sessionKeyOf(secret))
  const { session } = cookieNames(isHttps)
  return { id, cookie: `${session}=${encodeURIComponent(`${token}.${signature}`)}` }
}
