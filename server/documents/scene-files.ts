// A canvas board as an `.excalidraw` file. Images stay files of the board, under the `fileId` that the elements name.
import { sceneOf } from '../../shared/scene.ts'
import { documentOf } from './content.ts'

/** @param state Yjs v1. A board of another kind of app gives a drawing without elements. */
export const sceneFileOf = (state: Uint8Array): string => JSON.stringify(sceneOf(documentOf(state)), null, 1)
