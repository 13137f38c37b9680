// Pins over the canvas, and the tool that places new ones. The layer lets everything through but its pins; pins out of view
// are not there at all.
import type { AppState, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { type PointerEvent, useEffect, useMemo, useState } from 'react'
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
  const scene = useScene(excalidraw, items.length > 0 || isPlacing)
  useShortcut(comments)
  if (excalidraw === null || scene === null) return null
  const { pins, clusters } = placePins(items, scene.elements, scene.view)

  return (
    <>
      <div className="pins" data-testid="pins">
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
      {isPlacing && <PlacingLayer comments={comments} excalidraw={excalidraw} />}
    </>
  )
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
    // Keys do the same: Enter places in the middle.
    <div
      className="placing"
      data-testid="placing"
      onPointerUp={place}
      onWheel={(event) => {
        const canvas = document.querySelector('.excalidraw canvas.interactive')
        canvas?.dispatchEvent(new WheelEvent('wheel', event.nativeEvent))
      }}
    >
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

/** View and elements as they are, once a frame, while there is something to place. */
const useScene = (excalidraw: ExcalidrawImperativeAPI | null, isNeeded: boolean): SceneView | null => {
  const [scene, setScene] = useState<SceneView | null>(null)
  useEffect(() => {
    if (excalidraw === null || !isNeeded) return
    let frame = 0
    let last: unknown = null
    let elements: Elements = new Map()
    const look = () => {
      frame = 0
      const all = excalidraw.getSceneElementsIncludingDeleted()
      // Excalidraw changes elements in place and its list by another: the index holds for as long as the list.
      if (all !== last) elements = new Map((all as unknown as Scene).map((element) => [element.id, element]))
      last = all
      setScene({ view: viewOf(excalidraw.getAppState()), elements })
    }
    const changed = () => {
      if (frame === 0) frame = requestAnimationFrame(look)
    }
    const undo = [excalidraw.onScrollChange(changed), excalidraw.onChange(changed)]
    window.addEventListener('resize', changed)
    look()
    return () => {
      cancelAnimationFrame(frame)
      for (const stop of undo) stop()
      window.removeEventListener('resize', changed)
    }
  }, [excalidraw, isNeeded])
  return scene
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

/** Brings a point of the board into the middle. */
export function lookAt(
  excalidraw: ExcalidrawImperativeAPI,
  point: { x: number; y: number },
  closer = 1,
): void {
  const { width, height, zoom } = excalidraw.getAppState()
  const value = Math.min(4, zoom.value * closer)
  excalidraw.updateScene({
    appState: {
      zoom: { value: value as AppState['zoom']['value'] }, // a number with a brand
      scrollX: width / 2 / value - point.x,
      scrollY: height / 2 / value - point.y,
    },
  })
}

/** Brings a thread into view; null where its element is deleted. */
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
