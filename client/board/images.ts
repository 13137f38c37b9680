// The images of a board: files on the server under the hash of their content, never part of the document. Images that
// the user pastes are uploaded before others see them; images that others paste are fetched when they first appear.

import { CaptureUpdateAction, newElementWith } from '@excalidraw/excalidraw'
import type { ExcalidrawImageElement, FileId } from '@excalidraw/excalidraw/element/types'
import type { BinaryFileData, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import * as api from '../api.ts'
import type { CanvasElement } from '../canvas.ts'
import { blobOf, imageOfDataUrl } from '../image-blob.ts'
import { sha256 } from '../sha256.ts'
import { imageTexts } from '../texts/board.ts'
import { dataUrlOf } from './data-url.ts'

const retryMs = 3000
const longestRetryMs = 30_000
/** If somebody else's client was quick, an image is on the board a moment before its file. */
const mostMisses = 5
const contentId = /^[0-9a-f]{64}$/

/** `close()` cancels its timers. */
export class BoardImages {
  readonly #boardId: string
  readonly #excalidraw: ExcalidrawImperativeAPI
  readonly #onChange: () => void
  readonly #onProblem: (message: string) => void
  /** Content ids that the server has. */
  readonly #stored = new Set<string>()
  /** Files being transferred, in either direction. */
  readonly #busy = new Set<string>()
  readonly #failures = new Map<string, number>()
  /** File ids that are not worth retrying. */
  readonly #givenUp = new Set<string>()
  readonly #waiting = new Set<string>()
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  #isClosed = false

  constructor(
    boardId: string,
    excalidraw: ExcalidrawImperativeAPI,
    { onChange, onProblem }: { onChange: () => void; onProblem: (message: string) => void },
  ) {
    this.#boardId = boardId
    this.#excalidraw = excalidraw
    this.#onChange = onChange
    this.#onProblem = onProblem
  }

  /** Something the user added is not on the server yet: it is being uploaded, or waits for the network. */
  get isUploading(): boolean {
    return this.#waiting.size > 0
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  /** An image in the form that others may see; null until the server has its file. */
  shareable(element: CanvasElement): CanvasElement | null {
    if (element.type !== 'image') return element
    const { fileId } = element
    if (typeof fileId !== 'string') return null
    if (this.#stored.has(fileId)) return { ...element, status: 'saved' }
    // From a drawing imported without its images: nobody has the file, and everybody sees the same empty frame.
    const isHere = fileId in this.#excalidraw.getFiles()
    return !isHere && (element.status === 'saved' || !contentId.test(fileId)) ? element : null
  }

  /** Looks for images that must be uploaded or fetched. @param mayWrite whether uploading makes sense */
  check(mayWrite: boolean): void {
    const files = this.#excalidraw.getFiles()
    for (const element of this.#excalidraw.getSceneElements()) {
      if (element.type !== 'image' || element.fileId === null) continue
      const { fileId } = element
      if (this.#busy.has(fileId) || this.#givenUp.has(fileId)) continue
      const file = files[fileId]
      if (file === undefined) {
        if (contentId.test(fileId)) this.#fetchSoon(fileId)
      } else if (!this.#stored.has(fileId) && mayWrite) this.#uploadSoon(file)
    }
  }

  #fetchSoon(fileId: FileId): void {
    this.#busy.add(fileId)
    this.#fetch(fileId).then(
      () => this.#busy.delete(fileId),
      (error: unknown) => {
        if (isPassing(error) || (this.#failures.get(fileId) ?? 0) < mostMisses) this.#again(fileId)
        else this.#givenUp.add(fileId) // its placeholder on the canvas shows that it is missing
      },
    )
  }

  #uploadSoon(file: BinaryFileData): void {
    this.#busy.add(file.id)
    this.#waiting.add(file.id)
    this.#onChange()
    this.#upload(file).then(
      () => {
        this.#busy.delete(file.id)
        this.#waiting.delete(file.id)
        this.#onChange()
      },
      (error: unknown) => {
        if (isPassing(error)) return this.#again(file.id)
        this.#givenUp.add(file.id)
        this.#waiting.delete(file.id)
        this.#onProblem(error instanceof Error ? error.message : imageTexts.notStored)
        this.#takeAway(file.id)
        this.#onChange()
      },
    )
  }

  #again(fileId: string): void {
    const failures = (this.#failures.get(fileId) ?? 0) + 1
    this.#failures.set(fileId, failures)
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        this.#busy.delete(fileId)
        this.#onChange()
      },
      Math.min(longestRetryMs, retryMs * failures),
    )
    this.#timers.add(timer)
    this.#onChange()
  }

  async #fetch(fileId: FileId): Promise<void> {
    const blob = await api.getFile(this.#boardId, fileId)
    const dataURL = await dataUrlOf(blob)
    if (this.#isClosed) return
    this.#stored.add(fileId)
    this.#excalidraw.addFiles([
      { id: fileId, dataURL, mimeType: blob.type as BinaryFileData['mimeType'], created: Date.now() },
    ])
  }

  async #upload(file: BinaryFileData): Promise<void> {
    const image = imageOfDataUrl(file.dataURL)
    if (image === null) throw new Error(imageTexts.otherType(file.mimeType))
    const blob = blobOf(image)
    const id = (await sha256(new Uint8Array(await blob.arrayBuffer()))) as FileId
    await api.putFile(this.#boardId, id, blob)
    if (this.#isClosed) return
    this.#stored.add(id)
    // Excalidraw shrinks large images after it asked for their id: the content is no longer what was hashed.
    if (id !== file.id) this.#rename(file, id)
  }

  #rename(file: BinaryFileData, id: FileId): void {
    this.#excalidraw.addFiles([{ ...file, id }])
    this.#changeImages(file.id, { fileId: id, status: 'saved' })
  }

  /** An image that nobody else will ever see must not look as if they could. */
  #takeAway(fileId: FileId): void {
    if (!this.#isClosed) this.#changeImages(fileId, { isDeleted: true })
  }

  #changeImages(fileId: FileId, change: Partial<ExcalidrawImageElement>): void {
    this.#excalidraw.updateScene({
      elements: this.#excalidraw
        .getSceneElementsIncludingDeleted()
        .map((element) =>
          element.type === 'image' && element.fileId === fileId
            ? newElementWith(element as ExcalidrawImageElement, change)
            : element,
        ),
      captureUpdate: CaptureUpdateAction.NEVER,
    })
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof api.ApiError && (error.status === 0 || error.status >= 429)
