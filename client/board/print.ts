// Prints the drawing, or saves it as a PDF, with the browser's own dialog, which offers both.
import './print.css'
import { exportToSvg } from '@excalidraw/excalidraw'
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { menuTexts } from '../texts/board.ts'
import { showProblem, showToast } from '../ui/toast.tsx'

export const printDrawing = async (excalidraw: ExcalidrawImperativeAPI): Promise<void> => {
  const elements = excalidraw.getSceneElements()
  if (elements.length === 0) return showToast(menuTexts.nothingToPrint)
  try {
    const svg = await exportToSvg({
      elements,
      files: excalidraw.getFiles(),
      appState: {
        exportBackground: true,
        viewBackgroundColor: excalidraw.getAppState().viewBackgroundColor,
        exportWithDarkMode: false,
      },
      exportPadding: 16,
      // The page has already loaded the fonts.
      skipInliningFonts: true,
    })
    const sheet = document.createElement('div')
    sheet.className = 'print-sheet'
    // As wide as the paper, whatever the size of the drawing.
    svg.removeAttribute('width')
    svg.removeAttribute('height')
    sheet.append(svg)
    document.body.append(sheet)
    window.addEventListener('afterprint', () => sheet.remove(), { once: true })
    window.print()
  } catch (error) {
    showProblem(error)
  }
}

/** Ctrl-P prints the drawing; on its own the browser would print what is around it. @returns a function that ends this */
export const takePrintKey = (excalidraw: ExcalidrawImperativeAPI): (() => void) => {
  const onKey = (event: KeyboardEvent) => {
    if (event.key.toLowerCase() !== 'p' || !(event.ctrlKey || event.metaKey)) return
    if (event.shiftKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    void printDrawing(excalidraw)
  }
  window.addEventListener('keydown', onKey, true)
  return () => window.removeEventListener('keydown', onKey, true)
}
