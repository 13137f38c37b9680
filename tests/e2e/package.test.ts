// The package as npm packs it: its contents, and that it works if only the package is installed.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { run, serve, visitor, withFolder } from '../helpers/command-line.ts'

const exec = promisify(execFile)
const packaged = suite('the package')

/**
 * The tarball, unpacked into an empty project with only its dependencies: the packages listed in package.json, as
 * they are installed here, so that no registry is contacted.
 */
async function withInstalled(work: (project: string, files: string[]) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-package-'))
  try {
    const { stdout } = await exec('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder])
    const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[] // npm's own shape
    const project = path.join(folder, 'project')
    const installed = path.join(project, 'node_modules', 'boardroom')
    await mkdir(installed, { recursive: true })
    await exec('tar', [
      '-xzf',
      path.join(folder, packed?.filename ?? ''),
      '--strip-components=1',
      '-C',
      installed,
    ])
    await linkDependencies(path.join(installed, 'node_modules'))
    await linkDependencies(path.join(project, 'node_modules'), [
      '@types/node',
      '@types/pg',
      '@types/ws',
      'typescript',
    ])
    await writeFile(path.join(project, 'package.json'), JSON.stringify({ name: 'app', type: 'module' }))
    await work(
      project,
      (packed?.files ?? []).map((file) => file.path),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function linkDependencies(target: string, names?: readonly string[]): Promise<void> {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const name of names ?? Object.keys(dependencies)) {
    const link = path.join(target, name)
    await mkdir(path.dirname(link), { recursive: true })
    await symlink(path.resolve('node_modules', name), link)
  }
}

packaged('contains what runs, and no sources, tests or fixtures', () =>
  withInstalled(async (_, files) => {
    for (const needed of [
      'bin/boardroom.mjs',
      'dist/server/cli.js',
      'dist/server/index.js',
      'dist/server/index.d.ts',
      'dist/server/documents/fold-worker.js',
      'dist/shared/protocol.js',
      'dist/migrations/index.js',
      'LICENSE',
      'samples/LICENSE',
      ...readdirSync('samples').map((name) => `samples/${name}`),
    ]) {
      assert.ok(files.includes(needed), needed)
    }
    const stray = files.filter((file) =>
      /(^|\/)(tests|fixtures|bench|(?<!shared\/)client|node_modules)\/|\.test\.|(?<!\.d)\.tsx?$/.test(file),
    )
    assert.equal(stray, [])
  }),
)

packaged('can be imported, with its types, and runs as a program', () =>
  withInstalled(async (project) => {
    await writeFile(
      path.join(project, 'app.ts'),
      `import { createServer } from 'node:http'
import { type Boardroom, BoardroomError, CloseCode, createBoardroom } from 'boardroom'
const boardroom: Boardroom = await createBoardroom({ database: process.env.DATABASE_URL ?? '', secret: 'x'.repeat(32) })
createServer((request, response) => { if (!boardroom.handleRequest(request, response)) response.end() })
const level = (await boardroom.access.of('id', null)).level
if (level === 'edit') throw new BoardroomError('access_denied', String(CloseCode.noAccess))
`,
    )
    const compile = [
      'node_modules/typescript/bin/tsc',
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      'node',
      'app.ts',
    ]
    await exec(process.execPath, compile, { cwd: project }).catch((error: { stdout?: string }) => {
      throw new Error(error.stdout)
    })
    const imports = `import('boardroom').then((all) => console.log(typeof all.createBoardroom))`
    assert.is((await exec(process.execPath, ['-e', imports], { cwd: project })).stdout.trim(), 'function')

    const program = path.join(project, 'node_modules', 'boardroom', 'bin', 'boardroom.mjs')
    await withFolder(async (dataDir) => {
      assert.match((await run(dataDir, ['--help'], { program })).stdout, /boardroom serve/)
      const server = await serve(dataDir, { program })
      assert.is(server.lines.length, 5)
      assert.is((await visitor(server.url).ask('GET', '/readyz')).status, 200)
      await server.end()
    })
  }),
)

packaged.run()
