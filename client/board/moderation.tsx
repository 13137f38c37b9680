// Who may write at the moment: view only for everybody, the pen for some, raised hands, showing everybody the same
// view.
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { ModerationResponse } from '../../shared/api/folders.ts'
import { mayWrite } from '../../shared/levels.ts'
import * as api from '../api.ts'
import { peopleOf } from '../presence.ts'
import type { BoardSession } from '../session.ts'
import type { SessionState } from '../session-state.ts'
import { moderationTexts as texts } from '../texts/moderation.ts'
import { Icon } from '../ui/icons.tsx'
import { Menu } from '../ui/menu.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'

export interface Moderating {
  isViewOnly: boolean
  /** Ids of people who have the pen during moderation. */
  speakers: ReadonlySet<string>
  /** Ids of people who raised a hand. */
  hands: ReadonlySet<string>
  setViewOnly(isViewOnly: boolean): void
  /** @param id of a person on this board. */
  handPen(id: string, hasPen: boolean): void
  summon(): void
}

const open: ModerationResponse = { mode: 'open', speakers: [] }

export const useModeration = (
  boardId: string,
  session: BoardSession,
  { mayManage, isReady, hello }: SessionState,
  excalidraw: ExcalidrawImperativeAPI | null,
): Moderating => {
  const [{ mode, speakers }, setModeration] = useState<ModerationResponse>(open)
  const hands = useHands(session, mayManage && isReady)
  const summoned = useRef(false)
  const load = useCallback(() => {
    api.readModeration(boardId).then(setModeration, () => {}) // the effective level arrives over the socket
  }, [boardId])
  useEffect(() => {
    if (isReady) load()
  }, [load, isReady])
  useEffect(
    () =>
      session.onEvent((event) => {
        if (event.type === 'moderation') load()
        if (event.type !== 'summon' || excalidraw === null) return
        if (summoned.current) {
          summoned.current = false
          return
        }
        const { width, height } = excalidraw.getAppState()
        // A number within the bounds of Excalidraw's own zoom, as the route checks.
        const zoom = { value: event.zoom } as ReturnType<typeof excalidraw.getAppState>['zoom']
        excalidraw.updateScene({
          appState: {
            zoom,
            scrollX: width / 2 / event.zoom - event.x,
            scrollY: height / 2 / event.zoom - event.y,
          },
        })
        showToast(texts.broughtBy(event.by))
      }),
    [session, load, excalidraw],
  )

  const moderate = async (isViewOnly: boolean, people: ReadonlySet<string>) => {
    try {
      // The server expects connections instead of people: for each person, any of their connections.
      const { items } = people.size === 0 ? { items: [] } : await api.listConnections(boardId)
      const named = [...people].flatMap((id) => items.find(({ principal }) => principal.id === id)?.id ?? [])
      setModeration(
        await api.moderate(boardId, {
          mode: isViewOnly ? 'view_only' : 'open',
          speakers: isViewOnly ? named : [],
        }),
      )
    } catch (error) {
      showProblem(error)
    }
  }
  const now = new Set(speakers.map(({ principal }) => principal))
  const handPen = (id: string, hasPen: boolean) => {
    const next = new Set(now)
    if (hasPen) next.add(id)
    else next.delete(id)
    void moderate(true, next)
  }

  // A raised hand is announced to people who can hand over the pen.
  const said = useRef<ReadonlySet<string>>(new Set())
  const handPenNow = useRef(handPen)
  handPenNow.current = handPen
  useEffect(() => {
    for (const [id, name] of hands) {
      if (said.current.has(id) || id === hello?.principal.id) continue
      const action = { label: texts.pen, onSelect: () => handPenNow.current(id, true) }
      showToast(texts.raised(name), false, mode === 'view_only' ? action : null)
    }
    said.current = new Set(hands.keys())
  }, [hands, hello, mode])

  return {
    isViewOnly: mode === 'view_only',
    speakers: now,
    hands: new Set(hands.keys()),
    setViewOnly: (isViewOnly) => void moderate(isViewOnly, new Set()),
    handPen,
    summon: () => {
      if (excalidraw === null) return
      const { width, height, scrollX, scrollY, zoom } = excalidraw.getAppState()
      summoned.current = true
      const x = width / 2 / zoom.value - scrollX
      const y = height / 2 / zoom.value - scrollY
      api.summon(boardId, { x, y, zoom: zoom.value }).then(() => showToast(texts.summoned), showProblem)
    },
  }
}

/** Names of people with a raised hand, by id; only for people who manage the board. */
const useHands = (session: BoardSession, isWanted: boolean): ReadonlyMap<string, string> => {
  const [hands, setHands] = useState<ReadonlyMap<string, string>>(new Map())
  const { awareness } = session
  useEffect(() => {
    if (!isWanted) return
    let before = ''
    const look = () => {
      const raised = peopleOf(awareness).filter(({ hasHandUp }) => hasHandUp)
      const key = raised.map(({ id }) => id).join(' ')
      if (key === before) return
      before = key
      setHands(new Map(raised.map(({ id, name }) => [id, name])))
    }
    awareness.on('change', look)
    look()
    return () => awareness.off('change', look)
  }, [awareness, isWanted])
  return hands
}

interface BarProps {
  state: SessionState
  moderating: Moderating
  isHandUp: boolean
  onHand: (isUp: boolean) => void
}

/** In the bar above the board. */
export const ModerationBar = ({ state, moderating, isHandUp, onHand }: BarProps) => {
  const { isViewOnly, setViewOnly, summon } = moderating
  if (state.mayManage) {
    return (
      <>
        {isViewOnly && (
          <span className="view-only">
            <span className="wide-only">{texts.isViewOnly}</span>
            <button type="button" onClick={() => setViewOnly(false)} title={texts.open}>
              {texts.end}
            </button>
          </span>
        )}
        <Menu
          label={texts.menu}
          items={[
            {
              label: isViewOnly ? texts.open : texts.viewOnly,
              icon: <Icon name="eye" />,
              onSelect: () => setViewOnly(!isViewOnly),
            },
            { label: texts.summon, icon: <Icon name="people" />, onSelect: summon },
          ]}
        >
          <Icon name="eye" />
        </Menu>
      </>
    )
  }
  if (!isViewOnly) return null
  return (
    <span className="view-only" title={texts.isViewOnlyForYou}>
      {mayWrite(state.level) ? (
        <span className="wide-only">{texts.penIsYours}</span>
      ) : (
        <button
          type="button"
          aria-pressed={isHandUp}
          aria-label={isHandUp ? texts.lower : texts.raise}
          onClick={() => onHand(!isHandUp)}
        >
          <Icon name="hand" /> <span className="wide-only">{isHandUp ? texts.lower : texts.raise}</span>
        </button>
      )}
    </span>
  )
}
