// The text of the whole instance, in a browser: everybody must accept it before anything else, and again when it
// changes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { gone } from '../helpers/canvas-server.ts'
import { eventually } from '../helpers/eventually.ts'
import { faultsOf, shoot } from '../helpers/looks.ts'

const folder = mkdtempSync(join(tmpdir(), 'boardroom-consent-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const consentFile = join(folder, 'terms.txt')
writeFileSync(consentFile, 'Be kind to each other.')
const consent = canvasFile('the text of the instance in a browser', {
  consentFile,
  consentRequired: ['terms'],
  consentOptional: ['statistics'],
})
const expected = new RegExp(`451|4451|${gone.source}`)

consent.test(
  'is asked of a member on the list of boards and of a guest on a board, and again once it has changed',
  async ({ server, ada, open }) => {
    const member = await open('/', { cookie: ada.cookie, expected })
    await member.getByText('Be kind to each other.').waitFor()
    assert.is(new URL(member.url()).pathname, '/consent')
    assert.equal(await faultsOf(member), [])
    await shoot(member, 'consent-instance')
    await member.getByLabel(/terms/).check()
    await member.getByRole('button', { name: 'Accept' }).click()
    await member.getByRole('link', { name: 'Continue' }).click()
    await member.getByRole('heading', { name: /Boards|Start with a board/ }).waitFor()

    const board = await ada.board('Plans')
    const { url } = await ada.link(board, 'edit')
    const guest = await open(url, { expected })
    await guest.getByLabel('Your name').fill('Gus')
    await guest.getByRole('button', { name: 'Open the board' }).click()
    await guest.getByRole('link', { name: 'Read and accept' }).click()
    await guest.getByLabel(/terms/).check()
    await guest.getByLabel(/statistics/).check()
    await guest.getByRole('button', { name: 'Accept' }).click()
    await guest.getByRole('link', { name: 'Continue' }).click()
    await saysSync(guest, 'Saved')

    await server.stop()
    writeFileSync(consentFile, 'Be kind to each other, and to the furniture.')
    await server.start()
    await guest.getByRole('link', { name: 'Read and accept' }).click()
    await guest.getByText('and to the furniture').waitFor()
    assert.is(await guest.getByLabel(/statistics/).isChecked(), false, 'a new text is a new choice')
    await guest.getByLabel(/terms/).check()
    await guest.getByRole('button', { name: 'Accept' }).click()
    await guest.getByRole('link', { name: 'Continue' }).click()
    await saysSync(guest, 'Saved')
    await member.goto(server.origin)
    await member.getByText('and to the furniture').waitFor()

    // Withdrawn on its own page: the board closes at once.
    const apart = await guest.context().newPage()
    await apart.goto(`${server.origin}/consent`)
    await apart.getByRole('button', { name: 'Withdraw' }).click()
    await apart.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click()
    await guest.getByText('Your consent was withdrawn').waitFor()
    const records = await eventually(() =>
      server.db
        .selectFrom('consent_records')
        .select(['withdrawn_at'])
        .where('guest_id', 'is not', null)
        .execute(),
    )
    assert.is(records.filter(({ withdrawn_at }) => withdrawn_at === null).length, 0)
  },
)

consent.run()
