// The results of many files at once: errors remain listed file by file until it is closed.
import { useSyncExternalStore } from 'react'
import { reportTexts as texts } from '../texts/files.ts'
import { Dialog } from './dialog.tsx'

export interface Report {
  /** How many files there were, and how many were imported. */
  all: number
  taken: number
  problems: readonly string[]
}

let shown: Report | null = null
const listeners = new Set<() => void>()

export const showReport = (report: Report | null): void => {
  shown = report
  for (const listener of [...listeners]) listener()
}

export const Reports = () => {
  const report = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => shown,
  )
  if (report === null) return null
  const close = () => showReport(null)
  return (
    <Dialog title={texts.title(report.taken, report.all)} onClose={close}>
      <ul className="report">
        {report.problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
      <div className="actions end">
        <button type="button" className="primary" onClick={close} data-first>
          {texts.close}
        </button>
      </div>
    </Dialog>
  )
}
