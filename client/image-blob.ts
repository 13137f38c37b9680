// Images between the forms in which canvas, files and server have them.
import { bytesOfDataUrl } from '../shared/data-url.ts'
import type { DrawingImage } from '../shared/drawing.ts'
import { imageTypeOf } from '../shared/image-type.ts'

/** Null where it is no image that a board keeps. Decoded here, because a strict CSP lets nobody fetch a data URL. */
export const imageOfDataUrl = (dataUrl: string): DrawingImage | null => {
  const bytes = bytesOfDataUrl(dataUrl)
  const type = bytes === null ? null : imageTypeOf(bytes)
  return bytes === null || type === null ? null : { bytes, type }
}

export const blobOf = ({ bytes, type }: DrawingImage): Blob => new Blob([new Uint8Array(bytes)], { type })
