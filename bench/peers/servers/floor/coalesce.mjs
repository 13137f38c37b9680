// Physical floor 2: collect a room's frames for up to WINDOW_MS and send each member one
// concatenated frame. The sender gets its own messages back, so all members share one buffer.
import { WebSocketServer } from 'ws'

const WINDOW_MS = Number(process.env.WINDOW_MS ?? 5)
const rooms = new Map()
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.env.PORT) })

function flush(room) {
  room.scheduled = false
  const frame = room.pending.length === 1 ? room.pending[0] : Buffer.concat(room.pending)
  room.pending = []
  for (const member of room.members) member.send(frame, { binary: true })
}

server.on('connection', (socket, request) => {
  const name = request.url
  const room = rooms.get(name) ?? { members: new Set(), pending: [], scheduled: false }
  rooms.set(name, room)
  room.members.add(socket)
  socket.on('message', (data) => {
    room.pending.push(data)
    if (!room.scheduled) {
      room.scheduled = true
      setTimeout(flush, WINDOW_MS, room)
    }
  })
  socket.on('close', () => {
    room.members.delete(socket)
    if (room.members.size === 0) rooms.delete(name)
  })
})
