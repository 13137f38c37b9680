// The text that everybody on the instance must accept: read once at the start from BOARDROOM_CONSENT_FILE and stored in the
// database, so that an accepted text remains available as long as the records exist.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { transactionAs } from '../../audit/actor.ts'
import type { Config } from '../../config.ts'
import type { Db } from '../../database/database.ts'
import { BoardroomError } from '../../errors.ts'
import { systemActor } from '../../principal.ts'
import { insertText, textOfVersion } from './queries.ts'

export interface AskedText {
  consentVersion: string
  privacyPolicyVersion: string
  body: string
  requiredCategories: readonly string[]
  optionalCategories: readonly string[]
}

/** Nobody reads a text longer than this. */
const mostCharacters = 200_000
const categoryShape = /^[a-z0-9][a-z0-9_.-]{0,49}$/i

/**
 * @returns null if no file is set: no consent is required.
 * @throws BoardroomError invalid_config, also if this version was published with another text
 */
export async function instanceText(db: Db, config: Config): Promise<AskedText | null> {
  if (config.consentFile === undefined) return null
  const body = await readText(config.consentFile)
  for (const category of [...config.consentRequired, ...config.consentOptional]) {
    if (categoryShape.test(category)) continue
    throw wrong(
      `BOARDROOM_CONSENT_REQUIRED and _OPTIONAL: expected names of letters, digits, _ . -, got ${category}`,
    )
  }
  const consentVersion = config.consentVersion ?? createHash('sha256').update(body).digest('hex').slice(0, 12)
  const text = {
    consentVersion,
    privacyPolicyVersion: config.privacyPolicyVersion ?? consentVersion,
    body,
    requiredCategories: config.consentRequired,
    optionalCategories: config.consentOptional,
  }
  await publish(db, text)
  return text
}

async function readText(path: string): Promise<string> {
  const body = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new BoardroomError(
      'invalid_config',
      `BOARDROOM_CONSENT_FILE: ${path} cannot be read; create the file, or remove the setting`,
      { cause: error },
    )
  })
  const text = body.replace(/^\ufeff/, '').trim()
  if (text === '' || text.length > mostCharacters || text.includes('\u0000')) {
    throw wrong(
      `BOARDROOM_CONSENT_FILE: expected a text of 1 to ${mostCharacters} characters, got ${text.length}`,
    )
  }
  return text
}

async function publish(db: Db, text: AskedText): Promise<void> {
  const known = await textOfVersion(db, null, text)
  if (known === undefined) {
    await transactionAs(db, systemActor, (trx) => insertText(trx, null, text, null))
  } else if (known.body !== text.body) {
    throw wrong(
      `BOARDROOM_CONSENT_VERSION ${text.consentVersion} was published with another text; use a new version for the changed text`,
    )
  }
}

const wrong = (message: string): BoardroomError => new BoardroomError('invalid_config', message)
