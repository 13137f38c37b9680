// Storage of edits in /metrics: whether they are saved and folded, and how much disk space is left.
import { Gauge, type Registry } from 'prom-client'
import type { DiskWatch } from '../database/disk-space.ts'

export interface StorageState {
  updateLog: { readonly isSaving: boolean }
  compaction: { readonly due: number }
  /** null if the database is not on a local disk. */
  disk: DiskWatch | null
}

export function storageMetrics(registry: Registry, { updateLog, compaction, disk }: StorageState): void {
  const saving: Gauge = new Gauge({
    name: 'boardroom_saving',
    help: '0 while commits of edits fail or take too long.',
    registers: [registry],
    collect: () => saving.set(updateLog.isSaving ? 1 : 0),
  })
  const due: Gauge = new Gauge({
    name: 'boardroom_folds_due',
    help: 'Boards whose logs are waiting to be folded, including the current one.',
    registers: [registry],
    collect: () => due.set(compaction.due),
  })
  if (disk === null) return
  const free: Gauge = new Gauge({
    name: 'boardroom_disk_free_bytes',
    help: 'Free space on the disk of the data folder, which contains the embedded database.',
    registers: [registry],
    async collect() {
      const freeBytes = await disk.look()
      if (freeBytes !== null) free.set(freeBytes)
    },
  })
}
