// An open board without its page, with a real server: sessions in Node, with canvases that have no screen.
import { WebSocket } from 'ws'
import { BoardSession, type SessionOptions } from '../../client/session.ts'
import { AuditTrail } from '../../server/audit/trail.ts'
import { DocumentWorker } from '../../server/documents/document-worker.ts'
import { rebuildBoard } from '../../server/storage/rebuild.ts'
import { systemClock } from '../../shared/client/clock.ts'
import type { SocketClass } from '../../shared/client/provider.ts'
import type { SceneElement } from '../../shared/element.ts'
import { FakeCanvas } from './canvas.ts'
import { type CanvasPerson, type CanvasServer, withCanvas } from './canvas-server.ts'
import type { TestDatabase } from './database.ts'
import { eventually } from './eventually.ts'

export const shape = (id: string): SceneElement => ({
  id,
  type: 'rectangle',
  x: 0,
  y: 0,
  width: 100,
  height: 50,
  angle: 0,
  strokeColor: '#000000',
})

export interface Opened {
  session: BoardSession
  canvas: FakeCanvas
  /** Every state it went through, by its sync status. */
  said: string[]
}

export const withSession = async (
  server: CanvasServer,
  who: CanvasPerson,
  boardId: string,
  work: (opened: Opened) => Promise<void>,
  more: Partial<SessionOptions> = {},
): Promise<void> => {
  class Socket extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols ?? [], { headers: { cookie: who.cookie, origin: server.origin } })
    }
  }
  const session = new BoardSession({
    serverUrl: `ws://127.0.0.1:${server.port}/ws`,
    boardId,
    socketClass: Socket as unknown as SocketClass, // ws accepts more than a browser's socket does
    clock: systemClock,
    openStore: null,
    marks: { get: () => false, set: () => {} },
    ...more,
  })
  const canvas = new FakeCanvas()
  canvas.onChange = () => session.canvasChanged()
  const said: string[] = []
  session.subscribe(() => said.push(session.state.sync.name))
  session.attach(canvas)
  session.open()
  try {
    await eventually(() => session.state.isReady || session.state.ended !== null)
    await work({ session, canvas, said })
  } finally {
    await session.close()
  }
}

export const withBoard = (
  work: (about: {
    server: CanvasServer
    ada: CanvasPerson
    grace: CanvasPerson
    boardId: string
    grant(level: string): Promise<unknown>
  }) => Promise<void>,
) =>
  withCanvas(async (server) => {
    const ada = await server.user('Ada')
    const grace = await server.user('Grace')
    const boardId = await ada.board()
    const grant = (level: string) =>
      ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level })
    await work({ server, ada, grace, boardId, grant })
  })

/** As `boardroom board rebuild` does; while no server runs. */
export const rebuild = async ({ database, log }: TestDatabase, boardId: string): Promise<void> => {
  const worker = new DocumentWorker({ log })
  const trail = new AuditTrail({ database, log, serverId: 'command line' })
  try {
    await rebuildBoard({ database, worker, trail }, boardId)
  } finally {
    await trail.close()
    await worker.close()
  }
}
