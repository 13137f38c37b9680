// The fictional team's agent: created by one of them, granted access to a board, used there, and nowhere else.
import type { Door, Visitor } from './seed-visitors.ts'

const flow = `flowchart LR
  draft([Draft]) --> review{Reviewed?}
  review -- yes --> publish[Publish]
  review -. no .-> draft`

/** @param keeper its owner, who has edit on the board. */
export async function employAgent(door: Door, keeper: Visitor, boardId: string): Promise<void> {
  const { id, token } = await keeper.ask('POST', '/api/agents', {
    name: 'Flow drawer',
    description: 'Turns descriptions into flowcharts',
  })
  await keeper.ask('POST', `/api/agents/${id}/grants`, {
    board_id: boardId,
    can_read: true,
    can_create: true,
    can_update: true,
  })
  await door.callTool(token, 'add_mermaid', { board_id: boardId, mermaid: flow })
  await door.callTool(token, 'add_elements', {
    board_id: boardId,
    elements: [{ id: 'flow-note', type: 'text', text: 'How a page goes live' }],
  })
  await door.callTool(token, 'comment', {
    board_id: boardId,
    element_id: 'flow-note',
    text: 'I drew this from the notes of Monday. Is anything missing?',
  })
  // A second one that was tried, and stopped.
  const tried = await keeper.ask('POST', '/api/agents', {
    name: 'Summariser',
    description: 'Tried in spring',
  })
  await keeper.ask('PATCH', `/api/agents/${tried.id}`, { is_active: false })
}
