// Ctrl-K (Cmd-K) on every page. The palette itself is loaded when it is opened for the first time.
import { lazy, Suspense, useEffect, useState } from 'react'
import { isKeyTaken } from './actions.ts'

const Palette = lazy(() => import('./palette.tsx'))

export const PaletteHost = () => {
  const [isOpen, setOpen] = useState(false)
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return
      if (event.shiftKey || event.altKey || isKeyTaken()) return
      if (document.querySelector('dialog[open]') !== null) return
      event.preventDefault()
      event.stopPropagation()
      setOpen(true)
    }
    // Before the canvas, which has its own use for it.
    window.addEventListener('keydown', open, true)
    return () => window.removeEventListener('keydown', open, true)
  }, [])
  return isOpen ? (
    <Suspense fallback={null}>
      <Palette onClose={() => setOpen(false)} />
    </Suspense>
  ) : null
}
