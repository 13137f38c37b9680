// The log used by room tests fulfils the contract of every log.
import { randomUUID } from 'node:crypto'
import { HandLog } from '../helpers/rooms.ts'
import { updateLogContract } from '../helpers/update-log-contract.ts'

updateLogContract('in memory, as room tests use it', (work) =>
  work({ log: new HandLog(), newBoard: async () => randomUUID() }),
)
