// Passwords, as Better Auth keeps them: scrypt, in libuv's pool, off the event loop. And whether one is worth keeping.
import { BoardroomError } from '../errors.ts'

/** Characters; the upper end keeps hashing from being a way to keep the server busy. */
export const passwordLength = { least: 8, most: 128 }

// Loaded when they are first needed: most processes never set a password or ask for one.
const loadCrypto = () => import('better-auth/crypto')

/** About 70 ms of one core. */
export const hashPassword = async (password: string): Promise<string> =>
  (await loadCrypto()).hashPassword(password)

export const verifyPassword = async (password: string, hash: string): Promise<boolean> =>
  (await loadCrypto()).verifyPassword({ hash, password })

/** Its dictionaries take a while to load. */
let checker: Promise<{ check(password: string, personal: string[]): { score: number } }> | undefined

const loadChecker = async () => {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ])
  return new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })
}

/**
 * Refuses what is guessed within some hundred tries: common passwords, repeats, rows of keys, the own name or address.
 * @throws BoardroomError invalid_request
 */
export async function refuseGuessable(password: string, personal: readonly string[]): Promise<void> {
  checker ??= loadChecker()
  // Longer ones take longer to look at, and are not guessed by their first hundred characters.
  const { score } = (await checker).check(password.slice(0, 100), ['boardroom', ...personal])
  if (score > 0) return
  throw new BoardroomError(
    'invalid_request',
    'password: this one is among the first that somebody would guess; take several words, or more of a mix',
    { details: { in: 'json', issues: [{ path: 'password', message: 'too easy to guess' }] } },
  )
}
