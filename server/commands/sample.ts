// The sample board of the first start: a real drawing, and a link at each level. It belongs to the system actor.
import { readFile } from 'node:fs/promises'
import { readScene, writeElements } from '../../shared/scene.ts'
import type { Boardroom } from '../boardroom.ts'
import { BoardroomError } from '../errors.ts'

export interface SampleLinks {
  view: string
  comment: string
  edit: string
}

const guestNames = [
  'Curious Heron',
  'Patient Otter',
  'Quick Swift',
  'Quiet Lynx',
  'Merry Plover',
  'Bold Marten',
]

/** The sample links come with a guest name, so nobody is asked for one; it can be changed on the page. */
export function withGuestName(url: string, nth: number): string {
  const named = new URL(url)
  named.searchParams.set('as', guestNames[nth % guestNames.length] ?? 'Guest')
  return named.href
}

const drawing = new URL('../../../samples/hexagonal-architecture.excalidraw', import.meta.url)

export async function makeSampleBoard(boardroom: Boardroom): Promise<SampleLinks> {
  const scene = readScene(JSON.parse(await readFile(drawing, 'utf8')))
  if (scene === null) throw new BoardroomError('internal', 'the sample drawing is not a drawing')
  const boardId = await boardroom.boards.create({ title: 'Sample: hexagonal architecture' })
  await boardroom.documents.edit(boardId, (doc) => writeElements(doc, scene.elements))
  const linkAt = async (level: 'view' | 'comment' | 'edit', nth: number): Promise<string> =>
    withGuestName((await boardroom.shareLinks.create({ boardId, level, label: `Sample, ${level}` })).url, nth)
  return { view: await linkAt('view', 0), comment: await linkAt('comment', 1), edit: await linkAt('edit', 2) }
}
