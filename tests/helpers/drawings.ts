// The drawings of tests/fixtures/boards.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readScene, type SceneElement } from '../../shared/scene.ts'

export const drawingPath = (name: string): string =>
  fileURLToPath(new URL(`../../../tests/fixtures/boards/${name}.excalidraw`, import.meta.url))

export const drawingElements = (name: string): SceneElement[] =>
  readScene(JSON.parse(readFileSync(drawingPath(name), 'utf8')))?.elements ?? []
