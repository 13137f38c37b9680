// Which page an address shows, and who is viewing it.

import { lazy, Suspense } from 'react'
import { PaletteHost } from './palette/host.tsx'
import { Link, usePath } from './router.tsx'
import { appTexts } from './texts/app.ts'
import { Loading, MessagePage } from './ui/message.tsx'
import { Reports } from './ui/report.tsx'
import { Toasts } from './ui/toast.tsx'

/** Excalidraw is ten times as large as everything else: only board pages load it. */
const BoardPage = lazy(() => import('./pages/board.tsx'))
const EmbedPage = lazy(() => import('./pages/embed.tsx'))
/** Each page loads only what it needs, so that a board does not wait for the others. */
const AgentsPage = lazy(() => import('./pages/agents.tsx').then((page) => ({ default: page.AgentsPage })))
const AuditPage = lazy(() => import('./pages/audit.tsx').then((page) => ({ default: page.AuditPage })))
const BoardsPage = lazy(() => import('./pages/boards.tsx').then((page) => ({ default: page.BoardsPage })))
const SetupPage = lazy(() => import('./pages/setup.tsx').then((page) => ({ default: page.SetupPage })))
const SignInPage = lazy(() => import('./pages/sign-in.tsx').then((page) => ({ default: page.SignInPage })))
const InvitePage = lazy(() => import('./pages/invite.tsx').then((page) => ({ default: page.InvitePage })))
const ResetPage = lazy(() => import('./pages/invite.tsx').then((page) => ({ default: page.ResetPage })))
const AccountPage = lazy(() => import('./pages/account.tsx'))
const AdminPage = lazy(() => import('./pages/admin.tsx'))

const ConsentPage = lazy(() => import('./pages/consent.tsx').then((page) => ({ default: page.ConsentPage })))
const TemplatesPage = lazy(() =>
  import('./pages/templates.tsx').then((page) => ({ default: page.TemplatesPage })),
)
const RecordsPage = lazy(() => import('./pages/records.tsx').then((page) => ({ default: page.RecordsPage })))
const RecordPage = lazy(() => import('./pages/records.tsx').then((page) => ({ default: page.RecordPage })))

export const App = () => (
  <>
    <Suspense fallback={<Loading text={appTexts.opening} />}>
      <CurrentPage path={usePath()} />
    </Suspense>
    <PaletteHost />
    <Reports />
    <Toasts />
  </>
)

const CurrentPage = ({ path }: { path: string }) => {
  const [, first, second, third] = path.replace(/\/+$/, '').split('/')
  if (first === undefined || first === '') return <BoardsPage />
  if (first === 'folders' && second !== undefined) return <BoardsPage key={second} folderId={second} />
  if (first === 'trash') return <BoardsPage trash />
  if (first === 'sign-in' || first === 'sign-up') return <SignInPage isNew={first === 'sign-up'} />
  if (first === 'setup') return <SetupPage />
  if (first === 'agents' && second === undefined) return <AgentsPage />
  if (first === 'consent') return <ConsentPage />
  if (first === 'templates') return <TemplatesPage />
  if (first === 'records') return <RecordsPage />
  if (first === 'boards' && second !== undefined && third === 'record')
    return <RecordPage key={second} boardId={second} />
  if (first === 'invite') return <InvitePage />
  if (first === 'reset') return <ResetPage />
  if (first === 'account') return <AccountPage />
  if (first === 'admin') return <AdminPage tab={second ?? 'people'} />
  if (first === 'audit') return <AuditPage boardId={null} />
  if (first === 'boards' && second !== undefined && third === 'audit') return <AuditPage boardId={second} />
  if (first === 'embed' && second !== undefined && third === undefined) {
    return (
      <Suspense fallback={<Loading text={appTexts.openingBoard} />}>
        <EmbedPage key={second} boardId={second} />
      </Suspense>
    )
  }
  if (first === 'b' && second !== undefined && third === undefined) {
    return (
      <Suspense fallback={<Loading text={appTexts.openingBoard} />}>
        <BoardPage key={second} boardId={second} />
      </Suspense>
    )
  }
  return (
    <MessagePage title={appTexts.nothingHereTitle} text={appTexts.nothingHere}>
      <Link href="/" className="button">
        {appTexts.allBoards}
      </Link>
    </MessagePage>
  )
}
