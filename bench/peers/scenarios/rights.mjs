// S11: 1,000 permission changes within a second, over 2,000 connections in 200 rooms with people drawing.
import { runProgram } from '../load/program.mjs'

export const isOwn = true
export const variants = { '1000-changes': { program: 'rights.js', env: { CHANGES: '100' } } }

export const run = runProgram
