// What becomes of edits after the room, in /metrics: whether they are saved, folded, and how much room there is for them.
import { Gauge, type Registry } from 'prom-client'
import type { DiskWatch } from '../database/disk-space.ts'

export interface StorageState {
  updateLog: { readonly isSaving: boolean }
  compaction: { readonly due: number }
  /** null where the database is not on a disk of ours. */
  disk: DiskWatch | null
}

export function storageMetrics(registry: Registry, { updateLog, compaction, disk }: StorageState): void {
  const saving: Gauge = new Gauge({
    name: 'boardroom_saving',
    help: '0 while commits of edits fail, or have no answer for long.',
    registers: [registry],
    collect: () => saving.set(updateLog.isSaving ? 1 : 0),
  })
  const due: Gauge = new Gauge({
    name: 'boardroom_folds_due',
    help: 'Boards whose logs wait to be folded, the one at work among them.',
    registers: [registry],
    collect: () => due.set(compaction.due),
  })
  if (disk === null) return
  const free: Gauge = new Gauge({
    name: 'boardroom_disk_free_bytes',
    help: 'Room left on the disk of the data folder, where the embedded database is.',
    registers: [registry],
    async collect() {
      const freeBytes = await disk.look()
      if (freeBytes !== null) free.set(freeBytes)
    },
  })
}
