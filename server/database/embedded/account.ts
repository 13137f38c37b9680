// The account that Postgres runs as. It refuses to run as root, so root uses an unprivileged account.
import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import os from 'node:os'
import { promisify } from 'node:util'
import { BoardroomError } from '../../errors.ts'

const run = promisify(execFile)

export interface Account {
  /** The name in the password database, which peer authentication uses. */
  name: string
  uid: number
  gid: number
  /** Not the account of this process: spawning takes `uid` and `gid`, and files must be handed over. */
  other: boolean
}

/**
 * Who runs the Postgres of `clusterDir`: ourselves; as root the owner of the folder where it exists, else
 * `postgres`, else `nobody`.
 * @throws BoardroomError data_folder_unusable where this account has no name, or no account can be used.
 */
export async function serverAccount(clusterDir: string): Promise<Account> {
  const self = starter()
  if (self.uid !== 0) return self
  const owner = await stat(clusterDir).catch(() => null)
  if (owner !== null && owner.uid !== 0) return otherAccount(await accountLine(String(owner.uid)), owner.gid)
  for (const name of ['postgres', 'nobody']) {
    const line = await accountLine(name).catch(() => null)
    if (line !== null) return otherAccount(line, line.gid)
  }
  throw new BoardroomError(
    'data_folder_unusable',
    'Postgres does not run as root, and there is neither a user "postgres" nor "nobody" to run it as; start Boardroom as another user',
  )
}

/** The account of this process. */
export function starter(): Account {
  try {
    const { username, uid, gid } = os.userInfo()
    return { name: username, uid, gid, other: false }
  } catch (cause) {
    throw new BoardroomError(
      'data_folder_unusable',
      `user id ${process.getuid?.()} has no name on this machine, which Postgres needs; add it to /etc/passwd, or set DATABASE_URL to an external Postgres`,
      { cause },
    )
  }
}

interface AccountLine {
  name: string
  uid: number
  gid: number
}

const otherAccount = (line: AccountLine, gid: number): Account => ({
  name: line.name,
  uid: line.uid,
  gid,
  other: true,
})

/** The account of a name or a number, from `id`, which every system has and which asks all its directories. */
async function accountLine(nameOrUid: string): Promise<AccountLine> {
  const field = async (flag: string): Promise<string> =>
    (await run('id', [flag, '--', nameOrUid])).stdout.trim()
  const [name, uid, gid] = await Promise.all([field('-un'), field('-u'), field('-g')])
  return { name, uid: Number(uid), gid: Number(gid) }
}
