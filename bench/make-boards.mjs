// Creates the boards of a benchmark on a running server: reads one name per line from standard input, and answers
// each with `name<TAB>url`, the URL of the board's socket with a ticket in it. Started by serve.sh's benchmark with
// the same PORT and DATA_DIR; the boards are created over HTTP by an account made for this purpose.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const names = readFileSync(0, 'utf8').split('\n').filter(Boolean)
const { PORT, DATA_DIR } = process.env
const origin = `http://127.0.0.1:${PORT}`
const account = { email: 'bench@example.org', password: randomBytes(16).toString('base64url') }

const program = fileURLToPath(new URL('../bin/boardroom.mjs', import.meta.url))
execFileSync(process.execPath, [program, 'user', 'create', '--email', account.email, '--name', 'Bench'], {
  input: `${account.password}\n`,
  env: { ...process.env, BOARDROOM_DATA_DIR: `${DATA_DIR}/boardroom` },
})

const signedIn = await fetch(`${origin}/api/auth/sign-in/email`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', origin },
  body: JSON.stringify(account),
})
if (!signedIn.ok) throw new Error(`sign-in: ${signedIn.status} ${await signedIn.text()}`)
const cookie = signedIn.headers
  .getSetCookie()
  .map((line) => line.split(';')[0])
  .join('; ')

/** Posts, and waits when it is rate-limited. */
async function post(path, body) {
  for (;;) {
    const answer = await fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin, cookie },
      body: JSON.stringify(body),
    })
    if (answer.ok) return answer.json()
    if (answer.status !== 429) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

for (const name of names) {
  const { id } = await post('/api/boards', { title: name })
  const { ticket } = await post(`/api/boards/${id}/tickets`, {})
  console.log(`${name}\tws://127.0.0.1:${PORT}/ws/${id}?ticket=${ticket}`)
}
