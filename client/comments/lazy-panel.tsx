// The panel loads after the drawing: when it is opened, or when the page has been idle for a while, so that comments
// can be written even if the network is gone by then.
import { type ComponentType, useEffect, useState } from 'react'
import { texts } from '../texts/comments.ts'
import type { Comments } from './use-comments.ts'

type Panel = ComponentType<{ comments: Comments }>

const quietMs = 5000
const againMs = 2000
let loaded: Panel | null = null

const load = async (): Promise<Panel> => {
  loaded ??= (await import('./panel.tsx')).default
  return loaded
}

export const LazyCommentsPanel = ({ comments }: { comments: Comments }) => {
  const [panel, setPanel] = useState<{ Panel: Panel } | null>(loaded && { Panel: loaded })
  const { isOpen } = comments
  useEffect(() => {
    if (panel !== null) return
    let timer: ReturnType<typeof setTimeout>
    const ask = () => {
      if (!navigator.onLine) {
        timer = setTimeout(ask, againMs)
        return
      }
      load().then(
        (Panel) => setPanel({ Panel }),
        () => {
          timer = setTimeout(ask, againMs)
        },
      )
    }
    timer = setTimeout(ask, isOpen ? 0 : quietMs)
    return () => clearTimeout(timer)
  }, [panel, isOpen])
  if (!isOpen) return null
  if (panel !== null) return <panel.Panel comments={comments} />
  return (
    <aside className="comments-panel" aria-label={texts.title}>
      <p className="nothing">{texts.loading}</p>
    </aside>
  )
}
