// The library of the team, beside one's own: shapes that everybody with an account draws with and adds to.
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
  // It stays while something is selected on the board, which is what it asks for.
  <Sidebar name={teamLibrary} docked>
    <Sidebar.Header>{texts.title}</Sidebar.Header>
    <Suspense fallback={null}>
      <TeamLibraryItems {...props} />
    </Suspense>
  </Sidebar>
)
