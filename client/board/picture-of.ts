// The picture of an imported drawing that nobody has opened yet, for the list of boards.
import { exportToBlob, restoreElements } from '@excalidraw/excalidraw'
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types'
import type { BinaryFileData, BinaryFiles } from '@excalidraw/excalidraw/types'
import * as api from '../api.ts'
import { blobOf } from '../image-blob.ts'
import type { Imported } from '../import.ts'
import { pictureMade } from '../ui/pictures.ts'
import { dataUrlOf } from './data-url.ts'
import { thumbnailForm } from './export.ts'

export const givePicture = async (
  boardId: string,
  { elements, images, background }: Imported,
): Promise<void> => {
  if (elements.length === 0) return
  const files: BinaryFiles = {}
  for (const [id, image] of images) {
    files[id] = {
      id,
      mimeType: image.type,
      dataURL: await dataUrlOf(blobOf(image)),
      created: Date.now(),
    } as BinaryFileData // Excalidraw's names for what it reads from the image itself
  }
  const picture = await exportToBlob({
    // restoreElements accepts JSON of any quality; its type is stricter.
    elements: restoreElements(elements as unknown as ExcalidrawElement[], null) as never,
    files,
    appState: {
      exportBackground: true,
      viewBackgroundColor: background ?? '#ffffff',
      exportWithDarkMode: false,
    },
    ...thumbnailForm,
  })
  await api.putThumbnail(boardId, picture)
  pictureMade(boardId)
}
