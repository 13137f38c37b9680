// The threads of an open board as this page knows them: loaded in pages, kept up to date by the board's events;
// comments written here are shown at once and sent when the server is reachable. Nothing here renders.
import type { CommentResponse, ThreadResponse } from '../../shared/api/comments.ts'
import type { BoardEvent } from '../../shared/protocol.ts'
import * as api from '../api.ts'
import { storePrefix } from '../board/device.ts'
import type { BoardSession } from '../session.ts'
import { CommentOutbox, type Shelf, type Waiting } from './outbox.ts'

export interface CommentsState {
  /** Newest first. */
  threads: readonly ThreadResponse[]
  waiting: readonly Waiting[]
  /** Everything is loaded. */
  isLoaded: boolean
  problem: string | null
}

const pageSize = 200
const patienceMs = 150

export class CommentStore {
  readonly #boardId: string
  readonly #session: BoardSession
  readonly #principal: string
  readonly #threads = new Map<string, ThreadResponse>()
  readonly #listeners = new Set<() => void>()
  /** The sequence number of the last event of each thread: requests made before it are outdated. */
  readonly #newsOf = new Map<string, number>()
  #newsCount = 0
  readonly #asked = new Map<string, ReturnType<typeof setTimeout>>()
  readonly #undo: (() => void)[] = []
  readonly #outbox: CommentOutbox
  readonly #shelf: Shelf
  #state: CommentsState = { threads: [], waiting: [], isLoaded: false, problem: null }
  #isSending = false
  #isLoading = false
  #wasAway = true
  #isClosed = false

  constructor(options: { boardId: string; session: BoardSession; shelf: Shelf; principal: string }) {
    this.#boardId = options.boardId
    this.#session = options.session
    this.#principal = options.principal
    this.#shelf = options.shelf
    this.#outbox = new CommentOutbox(options.shelf, storeKey(options.boardId, options.principal, 'waiting'))
    this.#undo.push(options.session.onEvent(this.#heard), options.session.subscribe(this.#connected))
    this.#tell()
    this.#connected()
  }

  get state(): CommentsState {
    return this.#state
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#isClosed = true
    for (const undo of this.#undo) undo()
    for (const timer of this.#asked.values()) clearTimeout(timer)
  }

  thread(id: string): ThreadResponse | undefined {
    return this.#threads.get(id)
  }

  /** Shown at once, sent in order. @returns its temporary id */
  write(entry: Pick<Waiting, 'threadId' | 'anchor' | 'place' | 'body' | 'mentions'>): string {
    const id = newId()
    this.#outbox.add({ ...entry, id, writtenAt: new Date().toISOString(), refused: null })
    this.#tell()
    void this.#send()
    return id
  }

  retry(id: string): void {
    this.#outbox.change(id, { refused: null })
    this.#tell()
    void this.#send()
  }

  discard(id: string): void {
    this.#outbox.discard(id)
    this.#tell()
  }

  async resolve(id: string, resolved: boolean): Promise<void> {
    const thread = await api.resolveThread(this.#boardId, id, resolved)
    this.#hasNews(id)
    this.#keep(thread)
  }

  async edit(comment: CommentResponse, body: string, mentions: string[]): Promise<void> {
    await api.editComment(this.#boardId, comment.id, { body, mentions })
    await this.refresh(comment.thread_id)
  }

  async remove(comment: CommentResponse): Promise<void> {
    await api.deleteComment(this.#boardId, comment.id)
    await this.refresh(comment.thread_id)
  }

  /** Marks the whole thread as read; the mark is not essential, so a failure is ignored. */
  async markRead(id: string): Promise<void> {
    const thread = this.#threads.get(id)
    if (thread === undefined || thread.unread_count === 0) return
    this.#keep({ ...thread, unread_count: 0 })
    await api.readThread(this.#boardId, id).catch(() => {})
  }

  /** One thread with all its comments. */
  async refresh(id: string): Promise<void> {
    const asked = this.#newsCount
    try {
      const thread = await api.getThread(this.#boardId, id)
      let cursor = thread.comments_cursor
      while (cursor !== null && !this.#isClosed) {
        const page = await api.listComments(this.#boardId, id, cursor)
        thread.comments.push(...page.items)
        cursor = page.next_cursor
      }
      if (this.#isOlder(id, asked)) return await this.refresh(id)
      this.#keep({ ...thread, comments_cursor: null })
    } catch (error) {
      if (!(error instanceof api.ApiError) || error.status !== 404) throw error
      this.#threads.delete(id)
      this.#tell()
    }
  }

  #heard = (event: BoardEvent): void => {
    if (event.type !== 'comment' || this.#takesIn(event)) return
    // Several at once are combined into one request.
    if (this.#asked.has(event.thread_id)) return
    const ask = () => {
      this.#asked.delete(event.thread_id)
      this.refresh(event.thread_id).catch(() => {}) // requested again with the next event, or after an outage
    }
    this.#asked.set(event.thread_id, setTimeout(ask, this.#threads.has(event.thread_id) ? patienceMs : 0))
  }

  /** Most events include what is new. @returns false if it must be requested */
  #takesIn({ change, thread }: Extract<BoardEvent, { type: 'comment' }>): boolean {
    const [comment] = thread?.comments ?? []
    // Comments written here wait for their own answer; for those that were loaded, only the server knows whether they
    // are deleted.
    if (thread === undefined || change === 'deleted' || comment?.author === this.#principal) return false
    this.#hasNews(thread.id)
    const known = this.#threads.get(thread.id)
    if (known === undefined) {
      if (change !== 'created' || thread.comment_count !== 1) return false
      this.#keep({ ...thread, unread_count: 1, mine: this.#isNamed(comment) })
      return true
    }
    const has = known.comments.some(({ id }) => id === comment?.id)
    const isNew = change === 'created' && comment !== undefined && !has
    // If only a part of a thread is known, the rest is requested when it is opened.
    const isWhole = known.comments_cursor === null
    const comments = known.comments.map((old) => (old.id === comment?.id ? comment : old))
    this.#threads.set(thread.id, {
      ...thread,
      client_id: known.client_id,
      unread_count: known.unread_count + (isNew ? 1 : 0),
      mine: known.mine || this.#isNamed(comment),
      comments: isNew && isWhole ? [...comments, comment] : comments,
      comments_cursor: known.comments_cursor,
    })
    this.#tell()
    return true
  }

  #hasNews(id: string): void {
    this.#newsOf.set(id, ++this.#newsCount)
  }

  /**
   * Whether an answer to a request made when there had been `asked` events knows less about the thread than this
   * page.
   */
  #isOlder(id: string, asked: number): boolean {
    return (this.#newsOf.get(id) ?? 0) > asked
  }

  #isNamed = (comment: CommentResponse | undefined): boolean =>
    comment?.mentions.some(({ id }) => id === this.#principal) === true

  #connected = (): void => {
    const { sync, isReady, ended } = this.#session.state
    const isHere = isReady && ended === null && sync.name !== 'offline' && sync.name !== 'connecting'
    if (isHere && this.#wasAway) {
      this.#wasAway = false
      void this.#load()
    }
    if (!isHere) this.#wasAway = true
    // The element that a comment is pinned to may have been drawn a moment ago: it is sent first.
    if (isHere && sync.name === 'saved') void this.#send()
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return
    this.#isLoading = true
    const before = [...this.#threads.keys()]
    const seen = new Set<string>()
    try {
      let cursor: string | undefined
      do {
        const question = { comments: 1, limit: pageSize, ...(cursor === undefined ? {} : { cursor }) }
        const asked = this.#newsCount
        const page = await api.listThreads(this.#boardId, question)
        if (this.#isClosed) return
        for (const thread of page.items) {
          seen.add(thread.id)
          const known = this.#threads.get(thread.id)
          // An event arrived while the page was being requested.
          if (known !== undefined && this.#isOlder(thread.id, asked)) continue
          // Complete and unchanged threads are kept.
          const isSame = known?.last_comment_at === thread.last_comment_at && known.comments_cursor === null
          this.#threads.set(
            thread.id,
            isSame ? { ...thread, comments: known.comments, comments_cursor: null } : thread,
          )
        }
        cursor = page.next_cursor ?? undefined
        this.#tell()
      } while (cursor !== undefined)
      for (const id of before) if (!seen.has(id)) this.#threads.delete(id)
      this.#tell({ isLoaded: true, problem: null })
    } catch (error) {
      this.#tell({ problem: error instanceof Error ? error.message : String(error) })
    } finally {
      this.#isLoading = false
    }
  }

  async #send(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    try {
      for (let entry = this.#outbox.next; entry !== undefined && !this.#isClosed; entry = this.#outbox.next) {
        const { sync } = this.#session.state
        if (sync.name !== 'saved' && (sync.name !== 'saving' || entry.anchor?.element_id !== undefined))
          return
        if (!(await this.#sendOne(entry))) return
      }
    } finally {
      this.#isSending = false
    }
  }

  /** @returns whether to continue with the next one. */
  async #sendOne(entry: Waiting): Promise<boolean> {
    const words = { body: entry.body, mentions: entry.mentions.map(({ id }) => id), client_id: entry.id }
    try {
      let threadId = entry.threadId
      if (threadId === null) {
        const anchor = entry.anchor ?? { x: 0, y: 0 }
        const place = entry.place === null ? {} : { place: entry.place }
        threadId = (await api.createThread(this.#boardId, { anchor, ...place, ...words })).id
      } else await api.createComment(this.#boardId, threadId, words)
      await this.refresh(threadId).catch(() => {}) // its event arrives too
      this.#outbox.sent(entry.id, threadId)
      if (entry.threadId === null) this.#moveDraft(entry.id, threadId)
      this.#tell()
      return true
    } catch (error) {
      if (!(error instanceof api.ApiError) || error.status === 0 || error.status >= 500) return false
      if (error.status === 429) {
        setTimeout(() => void this.#send(), 5000)
        return false
      }
      // The element it was pinned to never reached the server: the place still exists.
      if (error.message.includes('element_id') && entry.anchor?.element_id !== undefined) {
        this.#outbox.change(entry.id, { anchor: { x: entry.anchor.x, y: entry.anchor.y }, place: null })
        return true
      }
      this.#outbox.change(entry.id, { refused: error.message })
      this.#tell()
      return true
    }
  }

  /** A reply that somebody had begun while the thread was waiting. */
  #moveDraft(from: string, to: string): void {
    const keyOf = (id: string) => storeKey(this.#boardId, this.#principal, `draft:${id}`)
    const draft = this.#shelf.getItem(keyOf(from))
    if (draft === null) return
    this.#shelf.removeItem(keyOf(from))
    this.#shelf.setItem(keyOf(to), draft)
  }

  #keep(thread: ThreadResponse): void {
    const known = this.#threads.get(thread.id)
    const comments = thread.comments_cursor === null || known === undefined ? thread.comments : known.comments
    this.#threads.set(thread.id, { ...thread, comments })
    this.#tell()
  }

  #tell(change: Partial<CommentsState> = {}): void {
    if (this.#isClosed) return
    const threads = [...this.#threads.values()].sort((a, b) => (a.created_at < b.created_at ? 1 : -1))
    this.#state = { ...this.#state, threads, waiting: this.#outbox.entries, ...change }
    for (const listener of [...this.#listeners]) listener()
  }
}

export const storeKey = (boardId: string, principal: string, what: string): string =>
  `${storePrefix}${boardId}:${principal}:${what}`

/** Plain http on a LAN has no randomUUID. */
const newId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
