// Hashing passwords like Better Auth does: with scrypt, in libuv's pool, off the event loop. And refusing weak ones.
import { BoardroomError } from '../errors.ts'

/** In characters; the maximum prevents using password hashing to keep the server busy. */
export const passwordLength = { least: 8, most: 128 }

// Loaded on first use: most processes never set or check a password.
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
 * Refuses passwords that are guessed within a few hundred tries: common ones, repetitions, keyboard rows, the person's own name or address.
 * @throws BoardroomError invalid_request
 */
export async function refuseGuessable(password: string, personal: readonly string[]): Promise<void> {
  checker ??= loadChecker()
  // Longer ones take longer to check, and their first hundred characters are enough.
  const { score } = (await checker).check(password.slice(0, 100), ['boardroom', ...personal])
  if (score > 0) return
  throw new BoardroomError(
    'invalid_request',
    'password: this one is easy to guess; use several words, or a more varied mix of characters',
    { details: { in: 'json', issues: [{ path: 'password', message: 'too easy to guess' }] } },
  )
}
