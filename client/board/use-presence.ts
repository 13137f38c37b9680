// Presence on the canvas: send our position to the others, show theirs, and follow somebody's view.
import { getVisibleSceneBounds, zoomToFitBounds } from '@excalidraw/excalidraw'
import type { AppState, Collaborator, ExcalidrawImperativeAPI, SocketId } from '@excalidraw/excalidraw/types'
import { useEffect, useRef } from 'react'
import { systemClock } from '../../shared/client/clock.ts'
import { colorKeysOf, OwnPresence, type Person, peopleOf } from '../presence.ts'
import type { BoardSession } from '../session.ts'
import type { SessionState } from '../session-state.ts'
import { canvasTexts } from '../texts/canvas.ts'
import { showToast } from '../ui/toast.tsx'

interface Own {
  presence: OwnPresence
  select(appState: AppState): void
}

/** @returns what the canvas reports about its user, null until there is somebody to send it to. */
export const usePresence = (
  session: BoardSession,
  { hello, isReady }: SessionState,
  excalidraw: ExcalidrawImperativeAPI | null,
  isHandUp = false,
) => {
  const own = useRef<Own | null>(null)
  const followed = useRef<string | null>(null)
  const { awareness } = session
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new hello of the same principal changes nothing here
  useEffect(() => {
    if (excalidraw === null || hello === null || !isReady) return
    const presence = new OwnPresence(awareness, systemClock, hello)
    let selected: AppState['selectedElementIds'] | null = null
    let editing: string | null = null
    let warnedOf: string | null = null
    let lastBounds = ''
    let people: Person[] = []

    const follow = () => {
      const viewport = people.find(({ clientId }) => String(clientId) === followed.current)?.viewport
      if (viewport === undefined || viewport === null || String(viewport) === lastBounds) return
      lastBounds = String(viewport)
      const { appState } = zoomToFitBounds({
        appState: excalidraw.getAppState(),
        bounds: viewport,
        fitToViewport: true,
        viewportZoomFactor: 1,
      })
      const { scrollX, scrollY, zoom } = appState
      excalidraw.updateScene({ appState: { scrollX, scrollY, zoom } })
    }
    /** Once each time that two people type in the same text. */
    const warn = () => {
      const other = editing === null ? undefined : people.find((person) => person.editing === editing)
      const about = other === undefined ? null : `${editing} ${other.clientId}`
      if (other !== undefined && about !== warnedOf) showToast(canvasTexts.typing(other.name))
      warnedOf = about
    }
    own.current = {
      presence,
      select: ({ selectedElementIds, editingTextElement }) => {
        const text = editingTextElement?.id ?? null
        if (text !== editing) {
          editing = text
          presence.update({ editing })
          warn()
        }
        if (selectedElementIds === selected) return
        selected = selectedElementIds
        presence.update({ selection: Object.keys(selectedElementIds) })
      },
    }
    presence.update({ viewport: getVisibleSceneBounds(excalidraw.getAppState()) })

    let frame = 0
    const show = () => {
      frame = 0
      people = peopleOf(awareness)
      const colors = colorKeysOf([...people.map(({ id }) => id), hello.principal.id])
      excalidraw.updateScene({
        collaborators: new Map(
          people.map((person) => [
            String(person.clientId) as SocketId,
            collaboratorOf(person, colors.get(person.id) ?? person.id),
          ]),
        ),
      })
      warn()
      if (followed.current !== null) follow()
    }
    const showSoon = () => {
      if (frame === 0) frame = requestAnimationFrame(show)
    }
    const idle = () => presence.update({ isIdle: document.hidden })
    awareness.on('change', showSoon)
    // The property of the same name is declared but never called in 0.18.
    const stopFollowing = excalidraw.onUserFollow(({ userToFollow, action }) => {
      followed.current = action === 'FOLLOW' ? userToFollow.socketId : null
      lastBounds = ''
      follow()
    })
    document.addEventListener('visibilitychange', idle)
    showSoon()
    return () => {
      cancelAnimationFrame(frame)
      awareness.off('change', showSoon)
      stopFollowing()
      document.removeEventListener('visibilitychange', idle)
      presence.close()
      own.current = null
    }
  }, [awareness, excalidraw, hello?.principal.id, isReady])
  useEffect(() => own.current?.presence.update({ hand: isHandUp }), [isHandUp])
  return own
}

/** @param id one per person, from which Excalidraw derives the colour */
const collaboratorOf = (person: Person, id: string): Collaborator => ({
  socketId: String(person.clientId) as SocketId,
  id,
  username: person.name,
  button: person.button,
  // While typing nothing is selected: the edited text is shown instead.
  selectedElementIds: Object.fromEntries(
    [...person.selection, ...(person.editing === null ? [] : [person.editing])].map((id) => [
      id,
      true as const,
    ]),
  ),
  ...(person.pointer === null || person.isIdle ? {} : { pointer: person.pointer }),
})
