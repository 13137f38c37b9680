// Passwords, as Better Auth keeps them: scrypt, in libuv's pool, off the event loop.
import { hashPassword as hash, verifyPassword as verify } from 'better-auth/crypto'

/** Characters; the upper end keeps hashing from being a way to keep the server busy. */
export const passwordLength = { least: 8, most: 128 }

/** About 70 ms of one core. */
export const hashPassword = (password: string): Promise<string> => hash(password)

export const verifyPassword = (password: string, passwordHash: string): Promise<boolean> =>
  verify({ hash: passwordHash, password })
