// The drawing as a file on this device, and as the picture in the list of boards.

import { exportToBlob, exportToSvg, serializeAsJSON } from '@excalidraw/excalidraw'
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { menuTexts } from '../texts/board.ts'
import { showProblem, showToast } from '../ui/toast.tsx'
import { saveFile } from './save-file.ts'

export type ExportFormat = 'excalidraw' | 'png' | 'svg'

/** Files are always light, whatever the theme: they are viewed elsewhere. */
const imageStateOf = (excalidraw: ExcalidrawImperativeAPI) => ({
  exportBackground: true,
  viewBackgroundColor: excalidraw.getAppState().viewBackgroundColor,
  exportWithDarkMode: false,
})

export const exportDrawing = async (
  excalidraw: ExcalidrawImperativeAPI,
  title: string,
  format: ExportFormat,
): Promise<void> => {
  const elements = excalidraw.getSceneElements()
  const files = excalidraw.getFiles()
  if (elements.length === 0 && format !== 'excalidraw') return showToast(menuTexts.nothingToExport)
  try {
    saveFile(await contentOf(format), title, format)
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
          appState: imageStateOf(excalidraw),
          mimeType: 'image/png',
          exportPadding: 16,
          getDimensions: (width: number, height: number) => {
            // Browsers refuse canvases far larger than this; twice the size if it fits, for sharp text.
            const scale = Math.min(2, 12_000 / Math.max(width, height))
            return { width: width * scale, height: height * scale, scale }
          },
        })
      case 'svg': {
        const svg = await exportToSvg({
          elements,
          files,
          appState: imageStateOf(excalidraw),
          exportPadding: 16,
        })
        return new Blob([svg.outerHTML], { type: 'image/svg+xml' })
      }
    }
  }
}

export const thumbnailForm = {
  mimeType: 'image/webp',
  quality: 0.8,
  exportPadding: 16,
  maxWidthOrHeight: 480,
}

/** A small picture for the list; null for an empty board. */
export const thumbnailOf = async (excalidraw: ExcalidrawImperativeAPI): Promise<Blob | null> => {
  const elements = excalidraw.getSceneElements()
  if (elements.length === 0) return null
  return exportToBlob({
    elements,
    files: excalidraw.getFiles(),
    appState: imageStateOf(excalidraw),
    ...thumbnailForm,
  })
}
