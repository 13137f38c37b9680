// The drawing as a file on this device, and as the picture in the list of boards.
import { exportToBlob, exportToSvg, serializeAsJSON } from '@excalidraw/excalidraw'
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { showProblem, showToast } from '../ui/toast.tsx'

export type ExportFormat = 'excalidraw' | 'png' | 'svg'

/** What file systems refuse in names, and what tells a path. */
const forbidden = /[\\/:*?"<>|\p{Cc}]+/gu

export const fileName = (title: string, extension: string): string =>
  `${title.replace(forbidden, ' ').trim() || 'board'}.${extension}`

export const download = (content: Blob, name: string): void => {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** Whatever the theme, files are light: they are looked at elsewhere. */
const imageState = { exportBackground: true, viewBackgroundColor: '#ffffff', exportWithDarkMode: false }

export const exportDrawing = async (
  excalidraw: ExcalidrawImperativeAPI,
  title: string,
  format: ExportFormat,
): Promise<void> => {
  const elements = excalidraw.getSceneElements()
  const files = excalidraw.getFiles()
  if (elements.length === 0 && format !== 'excalidraw') return showToast('There is nothing to export yet.')
  try {
    download(await contentOf(format), fileName(title, format))
  } catch (error) {
    showProblem(error)
  }

  async function contentOf(wanted: ExportFormat): Promise<Blob> {
    switch (wanted) {
      case 'excalidraw':
        return new Blob([serializeAsJSON(elements, excalidraw.getAppState(), files, 'local')], {
          type: 'application/vnd.excalidraw+json',
        })
      case 'png':
        return exportToBlob({
          elements,
          files,
          appState: imageState,
          mimeType: 'image/png',
          exportPadding: 16,
          getDimensions: (width: number, height: number) => {
            // Browsers refuse canvases far beyond this; twice the size where it fits, for sharp text.
            const scale = Math.min(2, 12_000 / Math.max(width, height))
            return { width: width * scale, height: height * scale, scale }
          },
        })
      case 'svg': {
        const svg = await exportToSvg({ elements, files, appState: imageState, exportPadding: 16 })
        return new Blob([svg.outerHTML], { type: 'image/svg+xml' })
      }
    }
  }
}

const thumbnailPixels = 480

/** A small picture for the list; null of an empty board. */
export const thumbnailOf = async (excalidraw: ExcalidrawImperativeAPI): Promise<Blob | null> => {
  const elements = excalidraw.getSceneElements()
  if (elements.length === 0) return null
  return exportToBlob({
    elements,
    files: excalidraw.getFiles(),
    appState: imageState,
    mimeType: 'image/webp',
    quality: 0.8,
    exportPadding: 16,
    maxWidthOrHeight: thumbnailPixels,
  })
}
