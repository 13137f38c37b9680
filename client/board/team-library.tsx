// The team library, next to the user's own: shapes that everybody with an account can use and add to.
import { Sidebar } from '@excalidraw/excalidraw'
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { lazy, Suspense } from 'react'
import type { BoardSession } from '../session.ts'
import { libraryTexts as texts } from '../texts/library.ts'

const TeamLibraryItems = lazy(() =>
  import('./team-library-items.tsx').then((module) => ({ default: module.TeamLibraryItems })),
)

export const teamLibrary = 'team-library'

export interface TeamLibraryProps {
  excalidraw: ExcalidrawImperativeAPI
  session: BoardSession
  mayDraw: boolean
}

export const TeamLibrary = (props: TeamLibraryProps) => (
  // It stays open while something is selected on the board, because it asks for a selection.
  <Sidebar name={teamLibrary} docked>
    <Sidebar.Header>{texts.title}</Sidebar.Header>
    <Suspense fallback={null}>
      <TeamLibraryItems {...props} />
    </Suspense>
  </Sidebar>
)
