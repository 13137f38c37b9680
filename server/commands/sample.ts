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

const drawing = new URL('../../../samples/hexagonal-architecture.excalidraw', import.meta.url)

export async function makeSampleBoard(boardroom: Boardroom): Promise<SampleLinks> {
  const scene = readScene(JSON.parse(await readFile(drawing, 'utf8')))
  if (scene === null) throw new BoardroomError('internal', 'the sample drawing is no drawing')
  const boardId = await boardroom.boards.create({ title: 'Sample: hexagonal architecture' })
  await boardroom.documents.edit(boardId, (doc) => writeElements(doc, scene.elements))
  const linkAt = async (level: 'view' | 'comment' | 'edit'): Promise<string> =>
    (await boardroom.shareLinks.create({ boardId, level, label: `Sample, ${level}` })).url
  return { view: await linkAt('view'), comment: await linkAt('comment'), edit: await linkAt('edit') }
}
