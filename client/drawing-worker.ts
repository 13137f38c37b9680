// Reads one file in a worker, so that the page remains responsive. @see read-file.ts
import { contentForBoard, contentForCanvas } from './drawing-in-file.ts'
import type { Asked } from './read-file.ts'

self.onmessage = async ({ data }: MessageEvent<Asked>) => {
  const { file, use } = data
  self.postMessage(
    use === 'board' ? await contentForBoard(file) : await contentForCanvas(file, data.mostElements),
  )
}
