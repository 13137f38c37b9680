// A file's content as a data URL, which is how Excalidraw holds images.

import type { DataURL } from '@excalidraw/excalidraw/types'
import { imageTexts } from '../texts/board.ts'

export const dataUrlOf = (blob: Blob): Promise<DataURL> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result) as DataURL)
    reader.onerror = () => reject(reader.error ?? new Error(imageTexts.unreadable))
    reader.readAsDataURL(blob)
  })
