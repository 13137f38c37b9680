// Whole pages with one message: what happened, and what to do.

import type { ReactNode } from 'react'
import { Link } from '../router.tsx'
import { appTexts } from '../texts/app.ts'
import { Mark } from './icons.tsx'

export const MessagePage = ({
  title,
  text,
  children,
}: {
  title: string
  text: ReactNode
  children?: ReactNode
}) => (
  <MessageCard
    title={title}
    text={text}
    brand={
      <Link href="/" className="brand" aria-label={appTexts.home}>
        <Mark /> {appTexts.brand}
      </Link>
    }
  >
    {children}
  </MessageCard>
)

/** The same without a link away from it. */
export const MessageCard = ({
  title,
  text,
  brand,
  children,
}: {
  title: string
  text: ReactNode
  brand?: ReactNode
  children?: ReactNode
}) => (
  <main className="centered">
    <div className="card message" role="alert">
      {brand}
      <h1>{title}</h1>
      <p>{text}</p>
      {children !== undefined && <div className="actions">{children}</div>}
    </div>
  </main>
)

/** Shown only after a moment: most waits are shorter. */
export const Loading = ({ text }: { text: string }) => (
  <main className="centered">
    <p className="loading" role="status">
      <span className="spinner" /> {text} …
    </p>
  </main>
)
