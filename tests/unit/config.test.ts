import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fields, flagOf, readConfig } from '../../server/config.ts'

const config = suite('configuration')
const messageOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'nothing was thrown'
}

config('a flag beats the environment, which beats the default', () => {
  assert.is(readConfig({}).port, 4400)
  assert.is(readConfig({ PORT: '5000' }).port, 5000)
  assert.is(readConfig({ PORT: '5000' }, { port: '6000' }).port, 6000)
})

config('an empty environment value counts as not set', () => {
  assert.is(readConfig({ PORT: '', DATABASE_URL: '' }).port, 4400)
  assert.is(readConfig({ DATABASE_URL: '' }).databaseUrl, undefined)
})

config('all invalid settings are reported at once', () => {
  assert.match(
    messageOf(() => readConfig({ PORT: '70000' })),
    /PORT.*expected a whole number from 0 to 65535/,
  )
  const message = messageOf(() => readConfig({ PORT: 'many', DATABASE_URL: 'mysql://x' }))
  assert.match(message, 'PORT')
  assert.match(message, 'DATABASE_URL')
  assert.match(message, 'postgres://user:password@host')
})

config('an unknown flag names the nearest one', () => {
  assert.match(
    messageOf(() => readConfig({}, { 'max-frame-byte': '1' })),
    '--max-frame-bytes',
  )
})

config('NATS is one URL or several, of NATS', () => {
  assert.is(readConfig({ NATS_URL: 'nats://a:4222,tls://b:4222' }).natsUrl, 'nats://a:4222,tls://b:4222')
  assert.match(
    messageOf(() => readConfig({ NATS_URL: 'http://localhost:4222' })),
    'NATS_URL: expected a URL like nats://127.0.0.1:4222, or several separated by commas',
  )
})

config('retention is set by category, and overrides the defaults', () => {
  const { retention } = readConfig({ BOARDROOM_RETENTION: 'trash=90d, webhooks=for-ever' })
  assert.equal([retention.trash, retention.webhooks, retention.guests], [90, null, 30])
  assert.is(readConfig({}).retention.trash, null)
  for (const wrong of ['trash', 'trash=90', 'bin=90d', 'trash=-1d', 'trash=99999d', 'toString=1d'])
    assert.match(
      messageOf(() => readConfig({ BOARDROOM_RETENTION: wrong })),
      /BOARDROOM_RETENTION: expected category=DAYSd.*categories are sessions, guests/,
      wrong,
    )
})

config('.env.example lists every setting with its default and its sentence, and nothing else', () => {
  const example = readFileSync('.env.example', 'utf8')
  for (const [name, field] of Object.entries(fields)) {
    assert.match(example, new RegExp(`^#${name}=`, 'm'), `${name} is missing`)
    assert.ok(example.includes(field.description ?? 'no description'), `the sentence of ${name} is missing`)
  }
  const listed = [...example.matchAll(/^#?([A-Z0-9_]+)=/gm)].map(([, name]) => name)
  assert.equal(listed.sort(), Object.keys(fields).sort())
})

config('the README table lists every setting', () => {
  const readme = readFileSync('README.md', 'utf8')
  const missing = Object.keys(fields).filter((name) => !readme.includes(`\`${name}\``))
  assert.equal(missing, [])
})

config('flags are the names in small letters', () => {
  assert.is(flagOf('BOARDROOM_DATA_DIR'), '--data-dir')
  assert.is(flagOf('HOST'), '--host')
})

config.run()
