// The user's own library of shapes: stored with the account; without an account, on this device.
import type { LibraryItem, LibraryItems } from '@excalidraw/excalidraw/types'
import * as api from '../api.ts'

const key = 'boardroom-library'
const pauseMs = 300

/** `close()` writes pending changes. */
export class OwnLibrary {
  readonly #isUser: boolean
  #kept = '[]'
  #waiting: LibraryItems | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  readonly #onProblem: () => void

  /** @param onProblem the last change could not be stored */
  constructor(isUser: boolean, onProblem: () => void) {
    this.#isUser = isUser
    this.#onProblem = onProblem
  }

  async load(): Promise<LibraryItems> {
    const items = this.#isUser ? await accountItems().catch(() => deviceItems()) : deviceItems()
    this.#kept = contentOf(items)
    return items
  }

  changed(items: LibraryItems): void {
    if (contentOf(items) === this.#kept && this.#waiting === null) return
    this.#waiting = items
    this.#timer ??= setTimeout(() => this.close(), pauseMs)
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const items = this.#waiting
    this.#waiting = null
    if (items === null) return
    this.#kept = contentOf(items)
    this.#keep(items).catch(this.#onProblem)
  }

  async #keep(items: LibraryItems): Promise<void> {
    if (!this.#isUser) return localStorage.setItem(key, JSON.stringify(items))
    await api.replaceOwnLibrary({
      items: items.flatMap(({ name, elements }) =>
        elements.length === 0
          ? []
          : { ...(name === undefined || name === '' ? {} : { name }), elements: plain(elements) },
      ),
    })
    // Items stored on this device before the user had an account have now been moved there.
    localStorage.removeItem(key)
  }
}

const plain = (elements: LibraryItem['elements']) => elements as unknown as Record<string, unknown>[]

/** The stored part of it. */
const contentOf = (items: LibraryItems): string =>
  JSON.stringify(
    items.map(({ name, elements }) => [name ?? '', elements.map(({ id, version }) => [id, version])]),
  )

const accountItems = async (): Promise<LibraryItems> => {
  const { items } = await api.ownLibrary()
  const own = items.map(({ id, name, elements, created_at }) => ({
    id,
    status: 'unpublished' as const,
    created: Date.parse(created_at),
    ...(name === null ? {} : { name }),
    elements: elements as unknown as LibraryItem['elements'], // Excalidraw restores each item, whatever it is
  }))
  return [...own, ...deviceItems()]
}

const deviceItems = (): LibraryItems => {
  try {
    const items: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(items) ? (items as LibraryItems) : [] // Excalidraw restores each item, whatever it is
  } catch {
    return []
  }
}
