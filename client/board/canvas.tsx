// Excalidraw, bound to a session: the document, the other people, the images. The level decides what is allowed.

import {
  CaptureUpdateAction,
  Excalidraw,
  getVisibleSceneBounds,
  MainMenu,
  restoreElements,
} from '@excalidraw/excalidraw'
import { imageTexts, menuTexts as texts } from '../texts/board.ts'
import '@excalidraw/excalidraw/index.css'
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types'
import type {
  AppState,
  ExcalidrawImperativeAPI,
  ExcalidrawInitialDataState,
} from '@excalidraw/excalidraw/types'
import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'
import type { SceneElement } from '../../shared/element.ts'
import { mayWrite } from '../../shared/levels.ts'
import { migrateElement } from '../../shared/migrate.ts'
import { signOut } from '../api.ts'
import { type Canvas as BoundCanvas, type CanvasElement, moveTo } from '../canvas.ts'
import type { BoardSession } from '../session.ts'
import type { SessionState } from '../session-state.ts'
import { sha256 } from '../sha256.ts'
import { libraryTexts } from '../texts/library.ts'
import { setTheme, useTheme } from '../theme.ts'
import { Icon } from '../ui/icons.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { useBackground } from './background.ts'
import { forgetDevice } from './device.ts'
import { importFiles, takeDroppedFiles } from './dropped-files.ts'
import { type ExportFormat, exportDrawing } from './export.ts'
import { endFirstLook } from './first-look.ts'
import { BoardImages } from './images.ts'
import { OwnLibrary } from './library.ts'
import { printDrawing, takePrintKey } from './print.ts'
import { keepView, showKeptView, showStartView } from './start-view.ts'
import { TeamLibrary, teamLibrary } from './team-library.tsx'
import { takeUndoPresses } from './undo-presses.ts'
import { usePresence } from './use-presence.ts'

export interface CanvasProps {
  boardId: string
  title: string
  session: BoardSession
  state: SessionState
  onReady: (excalidraw: ExcalidrawImperativeAPI) => void
  onUploading: (isUploading: boolean) => void
  onVersions: (() => void) | null
  /** Inside a page of another site there is nowhere to go. */
  mayLeave: boolean
  isHandUp: boolean
  /** The background colour; null: white; undefined: not known yet. */
  background: string | null | undefined
}

export const Canvas = ({
  boardId,
  title,
  session,
  state,
  onReady,
  onUploading,
  onVersions,
  mayLeave,
  isHandUp,
  background,
}: CanvasProps) => {
  const theme = useTheme()
  const [excalidraw, setExcalidraw] = useState<ExcalidrawImperativeAPI | null>(null)
  const isEditor = mayWrite(state.level)
  const isShown = useRef(false)
  const images = useBinding(boardId, session, excalidraw, { isEditor, onUploading, isShown })
  const own = usePresence(session, state, excalidraw, isHandUp)
  const backgroundChanged = useBackground(boardId, background, excalidraw, isEditor)
  // Nothing can be drawn before the document is loaded.
  const library = useRef<OwnLibrary | null>(null)
  const [initialData] = useState(() => initialDataOf(session, library))
  useEffect(() => () => library.current?.close(), [])
  const maxFileBytes = state.hello?.limits.max_file_bytes ?? Number.POSITIVE_INFINITY

  const onChange = useCallback(
    (_elements: readonly ExcalidrawElement[], appState: AppState) => {
      session.canvasChanged()
      images.current?.check(isEditor)
      own.current?.select(appState)
      backgroundChanged(appState)
    },
    [session, images, isEditor, own, backgroundChanged],
  )

  const exportAs = (format: ExportFormat) => () => {
    if (excalidraw !== null) void exportDrawing(excalidraw, title, format)
  }

  return (
    <Excalidraw
      excalidrawAPI={(ready) => {
        setExcalidraw(ready)
        onReady(ready)
      }}
      initialData={initialData}
      onChange={onChange}
      onPointerUpdate={({ pointer, button }) => own.current?.presence.update({ pointer, button })}
      // After Excalidraw has processed the pointer event.
      onPointerUp={() => setTimeout(session.flush, 0)}
      onScrollChange={() => {
        if (excalidraw === null) return
        own.current?.presence.update({ viewport: getVisibleSceneBounds(excalidraw.getAppState()) })
        if (isShown.current) keepView(boardId, excalidraw.getAppState())
      }}
      generateIdForFile={async (file) => {
        if (file.size > maxFileBytes) {
          throw new Error(imageTexts.tooLarge(file.name, maxFileBytes))
        }
        return sha256(new Uint8Array(await file.arrayBuffer()))
      }}
      onLibraryChange={(items) => library.current?.changed(items)}
      // Its shortcuts work from the first key press.
      autoFocus
      isCollaborating
      viewModeEnabled={!isEditor}
      theme={theme}
      name={title}
      aiEnabled={false}
      // Whatever the link points at, the board stays open, and the new page gets no reference to it.
      onLinkOpen={(element, event) => {
        event.preventDefault()
        openLink(element.link)
      }}
      // Embedded pages would cause requests to other hosts; a link stays a link.
      validateEmbeddable={false}
      UIOptions={{
        // Next to the drawing if there is room for both: the team library asks the user to select something there.
        dockedSidebarBreakpoint: 800,
        canvasActions: {
          changeViewBackgroundColor: isEditor,
          loadScene: false,
          saveToActiveFile: false,
          toggleTheme: true,
          export: false,
        },
      }}
    >
      <MainMenu>
        <MainMenu.Item icon={<Icon name="download" />} onSelect={exportAs('excalidraw')}>
          {texts.exportFile}
        </MainMenu.Item>
        <MainMenu.Item icon={<Icon name="download" />} onSelect={exportAs('png')}>
          {texts.exportPng}
        </MainMenu.Item>
        <MainMenu.Item icon={<Icon name="download" />} onSelect={exportAs('svg')}>
          {texts.exportSvg}
        </MainMenu.Item>
        <MainMenu.DefaultItems.SaveAsImage />
        <MainMenu.Item
          icon={<Icon name="download" />}
          onSelect={() => excalidraw !== null && void printDrawing(excalidraw)}
        >
          {texts.print}
        </MainMenu.Item>
        {isEditor && (
          <MainMenu.Item icon={<Icon name="upload" />} onSelect={() => chooseFiles(excalidraw)}>
            {texts.import}
          </MainMenu.Item>
        )}
        <MainMenu.Separator />
        {onVersions !== null && (
          <MainMenu.Item icon={<Icon name="clock" />} onSelect={onVersions}>
            {texts.versions}
          </MainMenu.Item>
        )}
        {mayLeave && state.hello?.principal.kind === 'user' && (
          <MainMenu.Item
            icon={<Icon name="people" />}
            onSelect={() => excalidraw?.toggleSidebar({ name: teamLibrary, force: true })}
          >
            {libraryTexts.title}
          </MainMenu.Item>
        )}
        <MainMenu.DefaultItems.SearchMenu />
        <MainMenu.DefaultItems.Help />
        {isEditor && <MainMenu.DefaultItems.ClearCanvas />}
        <MainMenu.Separator />
        {isEditor && <MainMenu.DefaultItems.ChangeCanvasBackground />}
        <MainMenu.DefaultItems.ToggleTheme
          allowSystemTheme={false}
          onSelect={(next) => setTheme(next === 'dark' ? 'dark' : 'light')}
        />
        {mayLeave && state.hello?.principal.kind === 'guest' && (
          <MainMenu.Item icon={<Icon name="out" />} onSelect={leave}>
            {texts.leave}
          </MainMenu.Item>
        )}
      </MainMenu>
      {excalidraw !== null && mayLeave && state.hello?.principal.kind === 'user' && (
        <TeamLibrary excalidraw={excalidraw} session={session} mayDraw={isEditor} />
      )}
    </Excalidraw>
  )
}

/** Resolves when the document has been loaded for the first time. */
const initialDataOf = (
  session: BoardSession,
  library: RefObject<OwnLibrary | null>,
): Promise<ExcalidrawInitialDataState> =>
  new Promise((resolve) => {
    const done = () => {
      if (!session.state.isReady) return false
      const isUser = session.state.hello?.principal.kind === 'user'
      library.current = new OwnLibrary(isUser, () => showToast(libraryTexts.noRoom, true))
      // Empty: the binding shows the document once Excalidraw has stopped discarding what it is given.
      resolve({ libraryItems: library.current.load() })
      return true
    }
    if (done()) return
    const stop = session.subscribe(() => {
      if (done()) stop()
    })
  })

const useBinding = (
  boardId: string,
  session: BoardSession,
  excalidraw: ExcalidrawImperativeAPI | null,
  {
    isEditor,
    onUploading,
    isShown,
  }: {
    isEditor: boolean
    onUploading: (isUploading: boolean) => void
    /** Its scroll position is where its user wants to be. */
    isShown: RefObject<boolean>
  },
) => {
  const images = useRef<BoardImages | null>(null)
  const mayUpload = useRef(isEditor)
  mayUpload.current = isEditor

  useEffect(() => {
    if (excalidraw === null) return
    const boardImages = new BoardImages(boardId, excalidraw, {
      onChange: () => {
        onUploading(boardImages.isUploading)
        session.canvasChanged()
        boardImages.check(mayUpload.current)
      },
      onProblem: (message) => showToast(message, true),
    })
    images.current = boardImages
    const stopDrops = takeDroppedFiles(excalidraw, () => mayUpload.current)
    const stopUndo = takeUndoPresses(excalidraw, session)
    const stopPrint = takePrintKey(excalidraw)
    const attach = () => {
      session.attach(boundCanvas(excalidraw, boardImages))
      if (!showKeptView(excalidraw, boardId)) showStartView(excalidraw)
      isShown.current = true
      endFirstLook()
    }
    // While it loads, Excalidraw discards what it is given.
    let stopWaiting: (() => void) | null = null
    if (excalidraw.getAppState().isLoading) {
      stopWaiting = excalidraw.onChange(() => {
        stopWaiting?.()
        stopWaiting = null
        attach()
      })
    } else attach()
    return () => {
      stopWaiting?.()
      stopDrops()
      stopUndo()
      stopPrint()
      session.detach()
      boardImages.close()
      images.current = null
    }
  }, [boardId, session, excalidraw, onUploading, isShown])
  return images
}

/**
 * Excalidraw with the interface that the binding needs. Its element types are narrower than what JSON from a document
 * can guarantee.
 */
const boundCanvas = (excalidraw: ExcalidrawImperativeAPI, images: BoardImages): BoundCanvas => ({
  elements: () => excalidraw.getSceneElementsIncludingDeleted() as unknown as readonly CanvasElement[],
  show: (elements, moved) => {
    const had = new Map(excalidraw.getSceneElementsIncludingDeleted().map((element) => [element.id, element]))
    const scene = elements as unknown as readonly ExcalidrawElement[]
    excalidraw.updateScene({ elements: scene, captureUpdate: CaptureUpdateAction.NEVER })
    if (moved.size === 0) return
    // Excalidraw caches the rendering of an element by its object, and redrawing five hundred takes seconds: elements
    // that only moved keep their objects. They are mutated only now, because an object that has already changed,
    // other than by the line above, would count as a change by the user and become an undo step.
    excalidraw.updateScene({
      elements: scene.map((element) => (moved.has(element.id) ? kept(element, had) : element)),
    })
  },
  restore: (elements) =>
    restoreElements(
      elements.map(withSize) as unknown as readonly ExcalidrawElement[],
      null,
    ) as unknown as CanvasElement[],
  busy: () => busyIds(excalidraw.getAppState()),
  shareable: (element) => images.shareable(element),
  measured: (text) => {
    const container = excalidraw.getSceneElements().find(({ id }) => id === text.containerId)
    const own = withSize({ ...text, text: text.originalText }) as unknown as ExcalidrawElement
    const restored = restoreElements(container === undefined ? [own] : [container, own], null, {
      refreshDimensions: true,
    })
    return (restored.find(({ id }) => id === text.id) ?? text) as unknown as SceneElement
  },
})

/** A text without a size, as other programs write it, would be taken away: one as for drawings in files. */
const withSize = (element: SceneElement): SceneElement =>
  element.type === 'text' && element.width === 0 && element.height === 0
    ? (migrateElement(element) as SceneElement) // the same element with a size
    : element

const kept = (element: ExcalidrawElement, had: ReadonlyMap<string, ExcalidrawElement>): ExcalidrawElement => {
  const own = had.get(element.id)
  if (own === undefined) return element
  moveTo(own as unknown as CanvasElement, element as unknown as CanvasElement)
  return own
}

const busyIds = (appState: AppState): ReadonlySet<string> => {
  const ids = new Set<string>()
  for (const element of [
    appState.newElement,
    appState.multiElement,
    appState.resizingElement,
    appState.editingTextElement,
  ]) {
    if (element !== null) ids.add(element.id)
  }
  if (appState.editingLinearElement !== null) ids.add(appState.editingLinearElement.elementId)
  if (appState.croppingElementId !== null) ids.add(appState.croppingElementId)
  if (appState.cursorButton === 'down') for (const id of Object.keys(appState.selectedElementIds)) ids.add(id)
  return ids
}

/** In a new window. Only web and mail addresses are opened. */
function openLink(link: string | null): void {
  if (link === null || !URL.canParse(link, location.href)) return
  const { protocol, href } = new URL(link, location.href)
  if (['http:', 'https:', 'mailto:'].includes(protocol)) window.open(href, '_blank', 'noopener,noreferrer')
}

/** Signing out a guest is final: this browser forgets the guest, and its copy of the board. */
function leave(): void {
  forgetDevice()
    .then(signOut)
    .then((redirect) => location.assign(redirect ?? '/'), showProblem)
}

/** The same file types as when files are dropped. */
function chooseFiles(excalidraw: ExcalidrawImperativeAPI | null): void {
  if (excalidraw === null) return
  const input = document.createElement('input')
  input.type = 'file'
  input.multiple = true
  input.accept = '.excalidraw,.json,.md,.excalidrawlib,image/*'
  input.addEventListener('change', () => importFiles(excalidraw, [...(input.files ?? [])]), { once: true })
  input.click()
}
