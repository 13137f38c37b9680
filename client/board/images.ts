// Images of a board: files of the server under the hash of their content, never part of the document. What the user
// pastes is uploaded before others hear of it; what others paste is fetched when it is first seen.
import { CaptureUpdateAction, newElementWith } from '@excalidraw/excalidraw'
import type { ExcalidrawImageElement, FileId } from '@excalidraw/excalidraw/element/types'
import type { BinaryFileData, DataURL, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import * as api from '../api.ts'
import type { CanvasElement } from '../canvas.ts'
import { blobOf } from '../import.ts'
import { sha256 } from '../sha256.ts'

const retryMs = 3000
const mostTries = 20
const contentId = /^[0-9a-f]{64}$/

/** `close()` takes its timers away. */
export class BoardImages {
  readonly #boardId: string
  readonly #excalidraw: ExcalidrawImperativeAPI
  readonly #onChange: () => void
  readonly #onProblem: (message: string) => void
  /** Content ids that the server has. */
  readonly #stored = new Set<string>()
  /** File ids under way, in either direction. */
  readonly #busy = new Set<string>()
  readonly #tries = new Map<string, number>()
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  #uploads = 0
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

  get isUploading(): boolean {
    return this.#uploads > 0
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  /** An image as others may have it; null until the server has its file. */
  shareable(element: CanvasElement): CanvasElement | null {
    if (element.type !== 'image') return element
    return typeof element.fileId === 'string' && this.#stored.has(element.fileId)
      ? { ...element, status: 'saved' }
      : null
  }

  /** Look for images that must be sent or fetched. @param mayWrite whether uploading makes sense */
  check(mayWrite: boolean): void {
    const files = this.#excalidraw.getFiles()
    for (const element of this.#excalidraw.getSceneElements()) {
      if (element.type !== 'image' || element.fileId === null) continue
      const { fileId } = element
      if (this.#busy.has(fileId) || (this.#tries.get(fileId) ?? 0) >= mostTries) continue
      const file = files[fileId]
      if (file === undefined) {
        if (contentId.test(fileId)) this.#start(fileId, () => this.#fetch(fileId))
      } else if (!this.#stored.has(fileId) && mayWrite) this.#start(fileId, () => this.#upload(file))
    }
  }

  #start(fileId: string, work: () => Promise<void>): void {
    this.#busy.add(fileId)
    this.#tries.set(fileId, (this.#tries.get(fileId) ?? 0) + 1)
    work().then(
      () => this.#busy.delete(fileId),
      (error: unknown) => {
        const isPassing = error instanceof api.ApiError && (error.status === 0 || error.status >= 429)
        if (!isPassing) {
          this.#tries.set(fileId, mostTries)
          this.#onProblem(error instanceof Error ? error.message : 'An image could not be stored.')
        }
        const timer = setTimeout(() => {
          this.#timers.delete(timer)
          this.#busy.delete(fileId)
          this.#onChange()
        }, retryMs)
        this.#timers.add(timer)
      },
    )
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
    this.#uploads++
    try {
      const blob = blobOf(file.dataURL)
      if (blob === null) throw new Error(`Images of the type ${file.mimeType} cannot be kept on a board.`)
      const id = (await sha256(new Uint8Array(await blob.arrayBuffer()))) as FileId
      await api.putFile(this.#boardId, id, blob)
      if (this.#isClosed) return
      this.#stored.add(id)
      // Excalidraw makes large images smaller after it asked for their id: the content is another one than was hashed.
      if (id !== file.id) this.#rename(file, id)
    } finally {
      this.#uploads--
      this.#onChange()
    }
  }

  #rename(file: BinaryFileData, id: FileId): void {
    this.#excalidraw.addFiles([{ ...file, id }])
    this.#excalidraw.updateScene({
      elements: this.#excalidraw
        .getSceneElementsIncludingDeleted()
        .map((element) =>
          element.type === 'image' && element.fileId === file.id
            ? newElementWith(element as ExcalidrawImageElement, { fileId: id, status: 'saved' })
            : element,
        ),
      captureUpdate: CaptureUpdateAction.NEVER,
    })
  }
}

const dataUrlOf = (blob: Blob): Promise<DataURL> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result) as DataURL)
    reader.onerror = () => reject(reader.error ?? new Error('The image could not be read.'))
    reader.readAsDataURL(blob)
  })
