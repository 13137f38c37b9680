// `/embed/{id}`: one board inside a page of another site, without links that lead away from it.

import { useEmbedEntry } from '../board/embed-entry.ts'
import { EntryForm } from '../board/entry-form.tsx'
import { embedTexts } from '../texts/embed.ts'
import { Loading, MessageCard } from '../ui/message.tsx'
import { OpenBoard } from './board.tsx'

export default function EmbedPage({ boardId }: { boardId: string }) {
  const { entry, submit, renew } = useEmbedEntry(boardId)
  switch (entry.name) {
    case 'looking':
      return <Loading text={embedTexts.opening} />
    case 'asking':
      return <EntryForm entry={entry} onSubmit={submit} />
    case 'failed':
      return (
        <MessageCard title={entry.title} text={entry.text}>
          {entry.canRetry && (
            <button type="button" className="primary" onClick={() => window.location.reload()}>
              {embedTexts.retry}
            </button>
          )}
        </MessageCard>
      )
    case 'open':
      return (
        <OpenBoard
          key={entry.ticket}
          boardId={boardId}
          embed={{ ticket: entry.ticket, onSignedOut: () => void renew() }}
        />
      )
  }
}
