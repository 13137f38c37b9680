// A temporary folder for the duration of a test.
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { fastFolder } from './cluster.ts'

/** @param parent default: in memory, if there is enough space (often mounted noexec). */
export async function withFolder<Result>(
  work: (folder: string) => Promise<Result>,
  parent?: string,
): Promise<Result> {
  const folder = await mkdtemp(path.join(parent ?? (await fastFolder()), 'boardroom-test-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
