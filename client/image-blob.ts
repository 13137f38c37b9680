// Converts images between the forms used by canvas, files and server.
import { bytesOfDataUrl } from '../shared/data-url.ts'
import type { DrawingImage } from '../shared/drawing.ts'
import { imageTypeOf } from '../shared/image-type.ts'

/**
 * Null if it is not an image that a board can hold. Decoded here, because a strict CSP does not allow fetching a data
 * URL.
 */
export const imageOfDataUrl = (dataUrl: string): DrawingImage | null => {
  const bytes = bytesOfDataUrl(dataUrl)
  const type = bytes === null ? null : imageTypeOf(bytes)
  return bytes === null || type === null ? null : { bytes, type }
}

export const blobOf = ({ bytes, type }: DrawingImage): Blob => new Blob([new Uint8Array(bytes)], { type })
