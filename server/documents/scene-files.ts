// A canvas board as an `.excalidraw` file. Images remain files of the board, under the elements' `fileId`.
import { sceneOf } from '../../shared/scene.ts'
import { documentOf } from './content.ts'

/** @param state Yjs v1. A board of another application becomes a drawing without elements. */
export const sceneFileOf = (state: Uint8Array): string => JSON.stringify(sceneOf(documentOf(state)), null, 1)
