// How agents describe elements: with as few fields as a drawing needs.
import { z } from 'zod'
import { isColor } from '../../../shared/color.ts'

const coordinate = z.number().min(-900_000).max(900_000)
const size = z.number().min(1).max(100_000)
const color = z.string().refine(isColor, 'expected a CSS colour, like #1e1e1e or transparent')
const id = z
  .string()
  .regex(/^[\w-]{1,100}$/)
  .describe('letters, digits, - and _')
const text = z.string().max(10_000)

export const NewElement = z.strictObject({
  id: id.optional().describe('your own id for it, which arrows in this batch and later calls can refer to'),
  type: z.enum(['rectangle', 'ellipse', 'diamond', 'text', 'arrow', 'line']),
  x: coordinate
    .optional()
    .describe('left edge; without x and y it is placed automatically, beside the existing elements'),
  y: coordinate.optional().describe('top edge; y grows downwards'),
  width: size.optional(),
  height: size.optional(),
  text: text.optional().describe('the label of a shape or an arrow'),
  from: id.optional().describe('arrow or line: the element it starts at'),
  to: id.optional().describe('arrow or line: the element it ends at'),
  points: z
    .array(z.array(coordinate).length(2))
    .min(2)
    .max(500)
    .optional()
    .describe('arrow or line without from and to: its corners on the board, [x, y] each'),
  stroke_color: color.optional(),
  background_color: color.optional(),
  stroke_style: z.enum(['solid', 'dashed', 'dotted']).optional(),
  font_size: z.number().min(8).max(200).optional(),
})
export type NewElement = z.infer<typeof NewElement>

export const ChangedElement = z.strictObject({
  id: z.string().min(1).max(200),
  x: coordinate.optional(),
  y: coordinate.optional(),
  width: size.optional(),
  height: size.optional(),
  text: text.optional(),
  stroke_color: color.optional(),
  background_color: color.optional(),
  stroke_style: z.enum(['solid', 'dashed', 'dotted']).optional(),
  font_size: z.number().min(8).max(200).optional(),
})
export type ChangedElement = z.infer<typeof ChangedElement>

export interface Batch {
  add: readonly NewElement[]
  change: readonly ChangedElement[]
  remove: readonly string[]
}
