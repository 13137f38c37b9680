// Pins over the canvas, and the tool that places new ones. The layer lets everything through except on its pins; pins
// out of view are not rendered.
import type { AppState, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import {
  type PointerEvent,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import { type Box, placeOn } from '../../shared/anchor.ts'
import type { ThreadResponse } from '../../shared/api/comments.ts'
import './comments.css'
import { texts } from '../texts/comments.ts'
import { initials } from '../ui/initials.ts'
import type { Waiting } from './outbox.ts'
import { type Elements, elementAt, type Pinned, placePins, pointOf, type View } from './pin-places.ts'
import type { Comments } from './use-comments.ts'

type Scene = readonly (Box & { id: string; isDeleted?: boolean })[]

export interface PinItem extends Pinned {
  name: string
  excerpt: string
  unread: number
  isResolved: boolean
  isWaiting: boolean
}

export const CommentsLayer = ({ comments }: { comments: Comments }) => {
  const { state, excalidraw, selected, isPlacing, draft, showsResolved } = comments
  const { threads, waiting } = state
  const items = useMemo(
    () => [
      ...threads.flatMap((thread) => {
        const isShown = (showsResolved || !thread.resolved) && thread.comment_count > 0
        return isShown || thread.id === selected ? [pinOfThread(thread)] : []
      }),
      ...waiting.flatMap((entry) =>
        entry.threadId === null && entry.anchor !== null ? [pinOfWaiting(entry, entry.anchor)] : [],
      ),
      ...(draft === null ? [] : [pinOfDraft(draft)]),
    ],
    [threads, waiting, draft, showsResolved, selected],
  )
  const moving = useRef<HTMLDivElement>(null)
  const scene = useScene(excalidraw, items.length > 0 || isPlacing, moving)
  useShortcut(comments)
  if (excalidraw === null || scene === null) return null
  const { pins, clusters } = placePins(items, scene.elements, scene.view)

  return (
    <>
      <div className="pins" data-testid="pins" ref={wheelThrough}>
        <div ref={moving}>
          {pins.map(({ item, left, top }) => (
            <button
              key={item.id}
              type="button"
              className={`pin${item.id === selected || item.id === 'draft' ? ' is-open' : ''}${item.isResolved ? ' is-resolved' : ''}${item.isWaiting ? ' is-waiting' : ''}${item.unread > 0 ? ' is-unread' : ''}`}
              style={{ transform: `translate(${left}px, ${top}px)` }}
              aria-label={texts.pin(item.name, item.excerpt, item.unread)}
              title={item.excerpt}
              onClick={() => item.id !== 'draft' && comments.select(item.id)}
            >
              <span>{initials(item.name) || '•'}</span>
            </button>
          ))}
          {clusters.map(({ key, count, left, top, x, y }) => (
            <button
              key={key}
              type="button"
              className="pin is-cluster"
              style={{ transform: `translate(${left}px, ${top}px)` }}
              aria-label={texts.cluster(count)}
              onClick={() => lookAt(excalidraw, { x, y }, 3)}
            >
              <span>{count}</span>
            </button>
          ))}
        </div>
      </div>
      {isPlacing && <PlacingLayer comments={comments} excalidraw={excalidraw} />}
    </>
  )
}

/**
 * Wheel events over a pin are meant for the canvas: React's listener comes too late to prevent the page from zooming.
 */
const wheelThrough = (layer: HTMLElement | null): (() => void) => {
  const turn = (event: WheelEvent) => {
    event.preventDefault()
    document.querySelector('.excalidraw canvas.interactive')?.dispatchEvent(new WheelEvent('wheel', event))
  }
  layer?.addEventListener('wheel', turn, { passive: false })
  return () => layer?.removeEventListener('wheel', turn)
}

const PlacingLayer = ({
  comments,
  excalidraw,
}: {
  comments: Comments
  excalidraw: ExcalidrawImperativeAPI
}) => {
  const begin = (left: number, top: number) => {
    const view = viewOf(excalidraw.getAppState())
    const point = { x: left / view.zoom - view.scrollX, y: top / view.zoom - view.scrollY }
    const on = elementAt(excalidraw.getSceneElements() as unknown as Scene, point, placeOn)
    comments.setDraft({
      anchor: { x: round(point.x), y: round(point.y), ...(on === null ? {} : { element_id: on.id }) },
      place: on?.place ?? null,
    })
    comments.select(null)
    comments.setOpen(true)
    comments.setPlacing(false)
  }
  const place = (event: PointerEvent<HTMLDivElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect()
    begin(event.clientX - left, event.clientY - top)
  }
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === 'Enter' && !isTyping(event)) {
        const { width, height } = viewOf(excalidraw.getAppState())
        begin(width / 2, height / 2)
      } else if (event.key === 'Escape') comments.setPlacing(false)
      else return
      event.preventDefault()
      event.stopPropagation()
    }
    window.addEventListener('keydown', press, true)
    return () => window.removeEventListener('keydown', press, true)
  })
  return (
    // Keys do the same: Enter places a pin in the middle.
    <div className="placing" data-testid="placing" onPointerUp={place} ref={wheelThrough}>
      <p role="status">{texts.toolOn}</p>
    </div>
  )
}

const round = (value: number): number => Math.round(value * 100) / 100

const pinOfThread = (thread: ThreadResponse): PinItem => ({
  id: thread.id,
  anchor: thread.anchor,
  place: thread.place,
  name: thread.created_by_name,
  excerpt: (thread.comments.find(({ deleted_at }) => deleted_at === null)?.body ?? '').slice(0, 80),
  unread: thread.unread_count,
  isResolved: thread.resolved,
  isWaiting: false,
})

const pinOfWaiting = (entry: Waiting, anchor: Pinned['anchor']): PinItem => ({
  id: entry.id,
  anchor,
  place: entry.place,
  name: '…',
  excerpt: entry.body.slice(0, 80),
  unread: 0,
  isResolved: false,
  isWaiting: true,
})

const pinOfDraft = (draft: NonNullable<Comments['draft']>): PinItem => ({
  id: 'draft',
  anchor: draft.anchor,
  place: draft.place,
  name: '+',
  excerpt: texts.newThread,
  unread: 0,
  isResolved: false,
  isWaiting: true,
})

const viewOf = ({ scrollX, scrollY, zoom, width, height }: AppState): View => ({
  scrollX,
  scrollY,
  zoom: zoom.value,
  width,
  height,
})

interface SceneView {
  view: View
  elements: Elements
}

/** How far the canvas moves, in pixels, before pins are placed again; until then all of them move as one. */
const farAway = 150
const restMs = 120

/**
 * View and elements at the time when the pins were last placed, while there is something to place. In between,
 * `moving` follows the canvas, so that scrolling costs one transform however many pins there are.
 */
const useScene = (
  excalidraw: ExcalidrawImperativeAPI | null,
  isNeeded: boolean,
  moving: RefObject<HTMLDivElement | null>,
): SceneView | null => {
  const [scene, setScene] = useState<SceneView | null>(null)
  // Newly placed pins need no offset.
  // biome-ignore lint/correctness/useExhaustiveDependencies: with every placing, not with what it reads
  useLayoutEffect(() => {
    if (moving.current !== null) moving.current.style.transform = ''
  }, [scene])
  useEffect(() => {
    if (excalidraw === null || !isNeeded) return
    let frame = 0
    let rest: ReturnType<typeof setTimeout> | undefined
    let last: unknown = null
    let lastVersions = 0
    let elements: Elements = new Map()
    let placed: View | null = null
    const place = (view: View) => {
      clearTimeout(rest)
      placed = view
      setScene({ view, elements })
    }
    const look = () => {
      frame = 0
      const all = excalidraw.getSceneElementsIncludingDeleted()
      const view = viewOf(excalidraw.getAppState())
      // Elements change in place and increase their version; the list is replaced.
      let versions = 0
      for (const { version } of all) versions += version
      const isSame = all === last && versions === lastVersions
      if (all !== last) elements = new Map((all as unknown as Scene).map((element) => [element.id, element]))
      last = all
      lastVersions = versions
      const moved = isSame && placed !== null ? movedBy(placed, view) : null
      if (moved === null || moving.current === null) return place(view)
      moving.current.style.transform = `translate(${moved.x}px, ${moved.y}px)`
      clearTimeout(rest)
      if (moved.x !== 0 || moved.y !== 0) rest = setTimeout(() => place(view), restMs)
    }
    const changed = () => {
      if (frame === 0) frame = requestAnimationFrame(look)
    }
    const undo = [excalidraw.onScrollChange(changed), excalidraw.onChange(changed)]
    window.addEventListener('resize', changed)
    look()
    return () => {
      cancelAnimationFrame(frame)
      clearTimeout(rest)
      for (const stop of undo) stop()
      window.removeEventListener('resize', changed)
    }
  }, [excalidraw, isNeeded, moving])
  return scene
}

/** Pixels from one view to the other; null if it is more than a short distance. */
const movedBy = (from: View, to: View): { x: number; y: number } | null => {
  const x = (to.scrollX - from.scrollX) * to.zoom
  const y = (to.scrollY - from.scrollY) * to.zoom
  const isFrame = from.zoom === to.zoom && from.width === to.width && from.height === to.height
  return isFrame && Math.abs(x) < farAway && Math.abs(y) < farAway ? { x, y } : null
}

const isTyping = (event: KeyboardEvent): boolean =>
  event.target instanceof HTMLElement &&
  (event.target.isContentEditable || /^(INPUT|TEXTAREA|SELECT|BUTTON|A)$/.test(event.target.tagName))

/** C, for every level that has the tool. */
const useShortcut = ({ mayComment, isPlacing, setPlacing }: Comments): void => {
  useEffect(() => {
    if (!mayComment) return
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'c' || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey)
        return
      if (
        event.target instanceof HTMLElement &&
        (event.target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName))
      )
        return
      event.preventDefault()
      event.stopPropagation()
      setPlacing(!isPlacing)
    }
    window.addEventListener('keydown', press, true)
    return () => window.removeEventListener('keydown', press, true)
  }, [mayComment, isPlacing, setPlacing])
}

/** Scrolls a point of the board into the middle. */
function lookAt(excalidraw: ExcalidrawImperativeAPI, point: { x: number; y: number }, closer = 1): void {
  const { width, height, zoom } = excalidraw.getAppState()
  const value = Math.min(4, zoom.value * closer)
  excalidraw.updateScene({
    appState: {
      zoom: { value: value as AppState['zoom']['value'] }, // a number with a branded type
      scrollX: width / 2 / value - point.x,
      scrollY: height / 2 / value - point.y,
    },
  })
}

/** Scrolls a thread into view; null if its element is deleted. */
export function lookAtThread(excalidraw: ExcalidrawImperativeAPI, pinned: Pinned): boolean {
  const all = excalidraw.getSceneElementsIncludingDeleted() as unknown as Scene
  const point = pointOf(pinned, new Map(all.map((element) => [element.id, element])))
  if (point === null) return false
  const { scrollX, scrollY, zoom, width, height } = excalidraw.getAppState()
  const [left, top] = [(point.x + scrollX) * zoom.value, (point.y + scrollY) * zoom.value]
  const panel = width > 700 ? 380 : 0
  if (left < 30 || top < 60 || left > width - panel - 30 || top > height - 60) lookAt(excalidraw, point)
  return true
}
