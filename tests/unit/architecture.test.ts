// The layers of the code: every file imports only from its own folder or from layers below. Parsed as text, so it
// needs no compiler.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = process.cwd()
const architecture = suite('architecture')

const sourcesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => join(folder, path))

/** Project-relative paths of our own files that `file` imports. */
const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map(
    ([, path]) => relative(root, resolve(root, dirname(file), path ?? '')),
  )

/** From the top down; a file may import from the folder of its own row and from rows below. */
const floors: readonly (readonly string[])[] = [
  ['server/cli.ts', 'server/index.ts'],
  ['server/commands'],
  ['server/boardroom.ts', 'server/services.ts', 'server/parts'],
  ['server/http'],
  ['server/agents'],
  ['server/privacy'],
  ['server/comments', 'server/webhooks'],
  ['server/boards'],
  ['server/storage', 'server/accounts'],
  ['server/audit', 'server/cluster'],
  ['server/routing', 'server/mail'],
  ['server/rooms', 'server/database'],
  ['server/documents', 'server/principal.ts'],
  [
    'server/errors.ts',
    'server/config.ts',
    'server/did-you-mean.ts',
    'server/retention.ts',
    'server/version.ts',
    'shared',
    'migrations',
  ],
]

const floorOf = (file: string): number => {
  let best = -1
  let length = 0
  floors.forEach((folders, floor) => {
    for (const folder of folders) {
      const inside = file === folder || file.startsWith(`${folder}/`)
      if (inside && folder.length > length) [best, length] = [floor, folder.length]
    }
  })
  return best
}

architecture('every server file belongs to a layer and imports only downwards', () => {
  const wrong: string[] = []
  for (const file of sourcesUnder('server')) {
    const floor = floorOf(file)
    if (floor === -1) wrong.push(`${file} stands on no floor`)
    for (const imported of importsOf(file)) {
      if (imported === 'package.json') continue
      if (floorOf(imported) < floor) wrong.push(`${file} -> ${imported}`)
    }
  }
  assert.equal(wrong, [])
})

architecture(
  'rooms and documents know neither HTTP nor SQL: they import only shared, errors and each other',
  () => {
    const allowed = /^server\/(rooms|documents)\/|^shared\/|^server\/errors\.ts$/
    const wrong = ['server/rooms', 'server/documents'].flatMap(sourcesUnder).flatMap((file) =>
      importsOf(file)
        .filter((path) => !allowed.test(path))
        .map((path) => `${file} -> ${path}`),
    )
    assert.equal(wrong, [])
  },
)

architecture('no file of rooms or documents has circular imports, not even of types', () => {
  const files = ['server/rooms', 'server/documents'].flatMap(sourcesUnder)
  const imports = new Map(files.map((file) => [file, importsOf(file)]))
  const circles: string[] = []
  const done = new Set<string>()
  const follow = (file: string, path: readonly string[]): void => {
    const before = path.indexOf(file)
    if (before >= 0) circles.push([...path.slice(before), file].join(' -> '))
    if (before >= 0 || done.has(file)) return
    for (const imported of imports.get(file) ?? []) follow(imported, [...path, file])
    done.add(file)
  }
  for (const file of files) follow(file, [])
  assert.equal(circles, [])
})

architecture('the client imports only the client and shared', () => {
  const wrong = sourcesUnder('client').flatMap((file) =>
    importsOf(file)
      .filter(
        (path) =>
          !path.startsWith('client/') && !path.startsWith('shared/') && !path.startsWith('node_modules/'),
      )
      .map((path) => `${file} -> ${path}`),
  )
  assert.equal(wrong, [])
})

architecture('shared needs neither node nor the DOM, and migrations need only kysely', () => {
  const packagesOf = (file: string) =>
    [
      ...readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export|\}) .*from '([^.'][^']*)'$/gm),
    ].map(([, name]) => name ?? '')
  const wrong = [
    ...sourcesUnder('shared').flatMap((file) =>
      packagesOf(file)
        .filter((name) => name.startsWith('node:'))
        .map((name) => `${file} -> ${name}`),
    ),
    ...sourcesUnder('migrations').flatMap((file) =>
      packagesOf(file)
        .filter((name) => name !== 'kysely')
        .map((name) => `${file} -> ${name}`),
    ),
  ]
  assert.equal(wrong, [])
})

architecture('a server loads rarely needed modules on demand', () => {
  const statically = /^(?:import|export|\}) (?!type )(?:[^'\n]* )?from '([^']+)'$|^import '([^']+)'$/gm
  const packages = new Set<string>()
  const seen = new Set<string>()
  const follow = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const [, from, bare] of readFileSync(join(root, file), 'utf8').matchAll(statically)) {
      const name = from ?? bare ?? ''
      if (name.startsWith('.')) follow(relative(root, resolve(root, dirname(file), name)))
      else if (!name.startsWith('node:')) packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name)
    }
  }
  follow('server/boardroom.ts')
  assert.ok(packages.has('kysely') && packages.has('ws') && packages.has('yjs'), [...packages].join(' '))
  const late = [
    ...['better-auth', '@modelcontextprotocol/sdk', '@resvg/resvg-js', '@dagrejs/dagre', 'ajv', 're2js'],
    ...['nodemailer', '@nats-io/transport-node', '@zxcvbn-ts/core'],
  ]
  assert.equal(
    late.filter((name) => packages.has(name)),
    [],
  )
})

architecture('only the program reads the environment, prints or ends the process', () => {
  const wrong = sourcesUnder('server')
    .filter((file) => file !== 'server/cli.ts' && !file.startsWith('server/commands/'))
    // PATH, for the processes of Postgres.
    .filter((file) => file !== 'server/database/embedded/folder.ts')
    .filter((file) =>
      /process\.(env|argv|exit|stdout|stderr|on)\b|console\./.test(readFileSync(join(root, file), 'utf8')),
    )
  assert.equal(wrong, [])
})

architecture('SQL is written only where it belongs: queries, database, migrations', () => {
  const allowed =
    /\/(queries|[a-z-]+-queries)\.ts$|^server\/database\/|^migrations\/|^server\/audit\/actor\.ts$/
  const wrong = sourcesUnder('server')
    .filter((file) => !allowed.test(file))
    .filter((file) =>
      /\.(selectFrom|insertInto|updateTable|deleteFrom)\(|\bsql`|\bsql</.test(
        readFileSync(join(root, file), 'utf8'),
      ),
    )
  assert.equal(wrong, [])
})

architecture.run()
