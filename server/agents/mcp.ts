// The MCP tools for agents. Each takes a plain object and responds with text; a refusal is also a response, marked as an
// error, that says what was expected.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { z } from 'zod'
import type { ElementEdit } from '../documents/element-properties.ts'
import { BoardroomError } from '../errors.ts'
import { boardroomErrorOf, deniedReason } from '../routing/errors.ts'
import { ChangedElement, NewElement } from './canvas/description.ts'
import { mostText, readFlowchart } from './canvas/mermaid.ts'
import { pictureOf } from './canvas/picture.ts'
import { dataNotice, quoted, textOfBoard } from './canvas/reading.ts'
import type { McpDeps } from './deps.ts'
import { type AgentCaller, boardsFor, commentOn, editBoard, elementsFor, threadsFor } from './mcp-boards.ts'

const mostInABatch = 500
const board_id = z.uuid().describe('from list_boards')
const elementIds = z.array(z.string().min(1).max(200)).min(1).max(mostInABatch)

const instructions = `Boardroom: canvas boards that people and agents work on together, live. Begin with list_boards. \
Coordinates are the board's own, y grows downwards. A batch happens whole or not at all. ${dataNotice}`

type Content = { type: 'text'; text: string } | { type: 'image'; data: string; mimeType: string }
interface ToolAnswer {
  [key: string]: unknown
  content: Content[]
  isError?: boolean
}

const say = (text: string): ToolAnswer => ({ content: [{ type: 'text', text }] })

/** Records a refused tool call in the trail, like a refused request. */
async function recordRefusal(
  { trail, log }: McpDeps,
  { actor }: AgentCaller,
  tool: string,
  boardId: string | null,
  error: BoardroomError,
): Promise<void> {
  const reason = deniedReason(error)
  if (reason === null && error.code !== 'too_many_requests') return
  const details = { reason: reason ?? error.code, transport: 'mcp', route: tool }
  await trail
    .record({ action: 'access_denied', actor, boardId, details })
    .catch((cause: unknown) => log.warn({ err: cause }, 'a refused tool call was not recorded'))
}

/** A server for one request of one agent. */
export function mcpServerFor(deps: McpDeps, caller: AgentCaller, version: string): McpServer {
  const server = new McpServer({ name: 'boardroom', version }, { instructions })
  /** Expected failures are reported to the agent; all others only to the log. */
  const answering =
    <Asked extends { board_id?: string }>(tool: string, work: (asked: Asked) => Promise<ToolAnswer>) =>
    async (asked: Asked): Promise<ToolAnswer> => {
      try {
        return await work(asked)
      } catch (error) {
        const known = boardroomErrorOf(error)
        if (known.code === 'internal') deps.log.error({ err: error }, 'a tool failed')
        await recordRefusal(deps, caller, tool, asked.board_id ?? null, known)
        return { ...say(`${known.code}: ${known.message}`), isError: true }
      }
    }
  const reading = { readOnlyHint: true, openWorldHint: false }
  const writing = { readOnlyHint: false, openWorldHint: false }

  server.registerTool(
    'list_boards',
    {
      description: 'Lists the boards that you have access to, and what you may do on each.',
      inputSchema: {},
      annotations: reading,
    },
    answering('list_boards', async () => {
      const boards = await boardsFor(deps, caller)
      const lines = boards.map(({ id, title, rights }) => {
        const may = Object.entries(rights).flatMap(([right, has]) => (has ? [right] : []))
        return `${id} ${quoted(title)} you may: ${may.join(', ')}`
      })
      return say(
        lines.length === 0
          ? 'Nobody has granted you access to a board yet.'
          : [dataNotice, ...lines].join('\n'),
      )
    }),
  )

  server.registerTool(
    'read_board',
    {
      description: 'Reads a board as compact text: one line per element, in canvas order.',
      inputSchema: { board_id, from: z.int().min(0).default(0).describe('the first element, from 0') },
      annotations: reading,
    },
    answering('read_board', async (asked: { board_id: string; from: number }) => {
      const { title, elements } = await elementsFor(deps, caller, asked.board_id)
      return say(textOfBoard(title, elements, asked.from, mostInABatch).text)
    }),
  )

  server.registerTool(
    'read_board_image',
    {
      description:
        'Shows a board as a picture (PNG, at most 1600 pixels wide and high). Images on it appear as grey boxes.',
      inputSchema: { board_id },
      annotations: reading,
    },
    answering('read_board_image', async (asked: { board_id: string }) => {
      const { elements } = await elementsFor(deps, caller, asked.board_id)
      const png = await pictureOf(elements)
      if (png === null) return say('The board is empty.')
      return {
        content: [
          { type: 'text', text: dataNotice },
          { type: 'image', data: png.toString('base64'), mimeType: 'image/png' },
        ],
      }
    }),
  )

  const edit = async (boardId: string, batch: Parameters<typeof editBoard>[3]) =>
    say(told(await editBoard(deps, caller, boardId, batch)))
  const elements = z.array(NewElement).min(1).max(mostInABatch)
  const changes = z.array(ChangedElement).min(1).max(mostInABatch)

  server.registerTool(
    'add_elements',
    {
      description:
        'Adds shapes, texts, arrows and lines: all of them, or none. Those without x and y are laid out automatically along their arrows.',
      inputSchema: { board_id, elements },
      annotations: writing,
    },
    answering('add_elements', (asked: { board_id: string; elements: NewElement[] }) =>
      edit(asked.board_id, { add: asked.elements, change: [], remove: [] }),
    ),
  )

  server.registerTool(
    'change_elements',
    {
      description:
        'Moves, resizes, recolours and rewrites elements: all of them, or none. Omitted properties stay the same. Arrows follow their shapes.',
      inputSchema: { board_id, elements: changes },
      annotations: writing,
    },
    answering('change_elements', (asked: { board_id: string; elements: ChangedElement[] }) =>
      edit(asked.board_id, { add: [], change: asked.elements, remove: [] }),
    ),
  )

  server.registerTool(
    'delete_elements',
    {
      description: 'Deletes elements, with the texts inside them: all of them, or none.',
      inputSchema: { board_id, ids: elementIds },
      annotations: { ...writing, destructiveHint: true },
    },
    answering('delete_elements', (asked: { board_id: string; ids: string[] }) =>
      edit(asked.board_id, { add: [], change: [], remove: asked.ids }),
    ),
  )

  server.registerTool(
    'edit_board',
    {
      description: 'Adds, changes and deletes elements in one step: all of it, or nothing.',
      inputSchema: {
        board_id,
        add: elements.optional(),
        change: changes.optional(),
        delete: elementIds.optional().describe('ids'),
      },
      annotations: writing,
    },
    answering(
      'edit_board',
      (asked: {
        board_id: string
        add?: NewElement[] | undefined
        change?: ChangedElement[] | undefined
        delete?: string[] | undefined
      }) => {
        const { add = [], change = [], delete: remove = [] } = asked
        if (add.length + change.length + remove.length === 0)
          throw new BoardroomError('invalid_request', 'expected at least one of add, change, delete')
        return edit(asked.board_id, { add, change, remove })
      },
    ),
  )

  server.registerTool(
    'add_mermaid',
    {
      description:
        'Draws a Mermaid flowchart (graph or flowchart) as shapes and arrows, beside the existing elements. Other kinds of diagram (sequence, class, state, ER, gantt, pie, …) are refused: express them as a flowchart, or use add_elements.',
      inputSchema: { board_id, mermaid: z.string().min(1).max(mostText) },
      annotations: writing,
    },
    answering('add_mermaid', async (asked: { board_id: string; mermaid: string }) => {
      let left: readonly string[] = []
      const edits = await editBoard(deps, caller, asked.board_id, () => {
        const chart = readFlowchart(asked.mermaid, `m${Date.now().toString(36)}-`)
        if (chart.elements.length === 0)
          throw new BoardroomError('invalid_request', 'mermaid: this flowchart has no nodes')
        left = chart.left
        return { batch: { add: chart.elements, change: [], remove: [] }, direction: chart.direction }
      })
      const passedOver = left.length === 0 ? '' : `\nIgnored: ${left.join(', ')}.`
      return say(told(edits) + passedOver)
    }),
  )

  server.registerTool(
    'comment',
    {
      description: 'Starts a comment thread at a place or an element, or replies in one.',
      inputSchema: {
        board_id,
        text: z.string().trim().min(1).max(10_000),
        thread_id: z.uuid().optional().describe('the thread to reply in; from read_comments'),
        x: z.number().optional(),
        y: z.number().optional(),
        element_id: z.string().min(1).max(200).optional(),
      },
      annotations: writing,
    },
    answering(
      'comment',
      async (asked: {
        board_id: string
        text: string
        thread_id?: string | undefined
        x?: number | undefined
        y?: number | undefined
        element_id?: string | undefined
      }) => {
        const { text, thread_id: threadId, x, y, element_id: elementId } = asked
        const said = await commentOn(deps, caller, asked.board_id, { text, threadId, x, y, elementId })
        return say(`Posted in the thread ${said.threadId}.`)
      },
    ),
  )

  server.registerTool(
    'read_comments',
    {
      description: 'Lists the open threads of a board, with their first comments.',
      inputSchema: { board_id },
      annotations: reading,
    },
    answering('read_comments', async (asked: { board_id: string }) => {
      const threads = await threadsFor(deps, caller, asked.board_id)
      const lines = threads.flatMap(({ id, anchor, comments }) => [
        `thread ${id} at ${Math.round(anchor.x)},${Math.round(anchor.y)}${anchor.element_id === undefined ? '' : ` on ${quoted(anchor.element_id)}`}`,
        ...comments.map(({ author_name, body }) => `  ${quoted(author_name)} says ${quoted(body)}`),
      ])
      return say([dataNotice, '<board-content>', ...lines, '</board-content>'].join('\n'))
    }),
  )
  return server
}

function told(edits: readonly ElementEdit[]): string {
  if (edits.length === 0) return 'Done; nothing had to be changed.'
  return ['Done:', ...edits.map(({ elementId, change }) => `${change} ${quoted(elementId)}`)].join('\n')
}
