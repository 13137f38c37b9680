// The bundled canvas in Chromium: a board of 3,000 elements is opened; all elements of a board are dragged while
// somebody watches; twenty cursors move.
import { existsSync } from 'node:fs'
import { runProgram } from '../load/program.mjs'

export const isOwn = true
export const variants = {
  open: { program: 'canvas-open.js', env: { BOARDS: 'several', RUNS: '3' } },
  drag: { program: 'canvas-drag.js', env: { RUNS: '3' } },
  cursors: { program: 'canvas-cursors.js', env: { RUNS: '3' } },
}

export async function run(folder, params) {
  if (!existsSync(`${folder}/dist/canvas/index.html`))
    throw new Error('build the client first: npm run build')
  return runProgram(folder, params)
}
