// Installs what the comparison needs into separate folders, outside the product.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Does nothing if everything is there. @throws if a package cannot be installed */
export function installServers() {
  const folders = [
    here,
    ...readdirSync(`${here}servers`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${here}servers/${name}`),
  ].filter((folder) => existsSync(`${folder}/package.json`))
  for (const folder of folders) {
    const wanted = createHash('sha256')
      .update(readFileSync(`${folder}/package.json`))
      .digest('hex')
    const mark = `${folder}/node_modules/.installed`
    if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) continue
    console.error(`installing ${folder.slice(here.length) || 'the generator'}`)
    const { status } = spawnSync(
      'npm',
      ['install', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'],
      {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'inherit'],
        // The Node version of the servers is newer than the one that may run this.
        env: { ...process.env, npm_config_engine_strict: 'false' },
      },
    )
    if (status !== 0) throw new Error(`npm install failed in ${folder}`)
    writeFileSync(mark, wanted)
  }
}
