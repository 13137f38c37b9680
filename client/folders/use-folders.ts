// All folders that the user may see, as a tree.
import { useCallback, useEffect, useState } from 'react'
import type { FolderResponse } from '../../shared/api/folders.ts'
import * as api from '../api.ts'
import { showProblem } from '../ui/toast.tsx'

/** Null until they are loaded. */
export const useFolders = (isWanted: boolean) => {
  const [folders, setFolders] = useState<FolderResponse[] | null>(null)
  const load = useCallback(() => {
    if (isWanted) api.listFolders().then(({ items }) => setFolders(items), showProblem)
  }, [isWanted])
  useEffect(load, [load])
  return { folders, reload: load }
}

/** From the outermost to `id` itself; empty if it is unknown. */
export const pathTo = (folders: readonly FolderResponse[], id: string | null): FolderResponse[] => {
  const path: FolderResponse[] = []
  let next = folders.find((folder) => folder.id === id)
  while (next !== undefined && !path.includes(next)) {
    path.unshift(next)
    const { parent_id } = next
    next = folders.find((folder) => folder.id === parent_id)
  }
  return path
}

/**
 * All folders something can be moved into, in reading order, with their depth. @param except this one and everything
 * inside it
 */
export const treeOf = (
  folders: readonly FolderResponse[],
  except: string | null = null,
): { folder: FolderResponse; depth: number }[] => {
  const known = new Set(folders.map(({ id }) => id))
  const below = (parent: string | null, depth: number): { folder: FolderResponse; depth: number }[] =>
    folders
      .filter(({ id, parent_id }) => {
        const shownParent = parent_id !== null && known.has(parent_id) ? parent_id : null
        return shownParent === parent && id !== except
      })
      .sort((a, b) => a.name.localeCompare(b.name))
      .flatMap((folder) => [{ folder, depth }, ...below(folder.id, depth + 1)])
  return below(null, 0)
}
