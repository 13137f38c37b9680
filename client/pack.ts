// A drawing in the form in which a board takes it: its images under the hash of their content, its elements as one
// body.
import type { Drawing } from '../shared/drawing.ts'
import { blobOf } from './image-blob.ts'
import { sha256 } from './sha256.ts'

export interface Packed {
  /** By the hash of their content. */
  images: ReadonlyMap<string, Blob>
  /** An `.excalidraw` file without the images. */
  scene: Blob
  count: number
}

export const packed = async ({
  elements,
  images,
  background,
}: Pick<Drawing, 'elements' | 'images' | 'background'>): Promise<Packed> => {
  const contentIds = new Map<string, string>()
  const blobs = new Map<string, Blob>()
  for (const fileId of new Set(elements.map((element) => element.fileId))) {
    const image = typeof fileId === 'string' ? images.get(fileId) : undefined
    if (typeof fileId !== 'string' || image === undefined) continue
    const id = await sha256(new Uint8Array(image.bytes))
    contentIds.set(fileId, id)
    blobs.set(id, blobOf(image))
  }
  const scene = {
    type: 'excalidraw',
    version: 2,
    source: 'boardroom',
    elements: elements.map((element) => {
      const id = typeof element.fileId === 'string' ? contentIds.get(element.fileId) : undefined
      return id === undefined ? element : { ...element, fileId: id, status: 'saved' }
    }),
    appState: background === null ? {} : { viewBackgroundColor: background },
    files: {},
  }
  return { images: blobs, scene: new Blob([JSON.stringify(scene)]), count: elements.length }
}
