// The durable log fulfils the contract of every log.
import { make } from '../helpers/factories.ts'
import { withStorage } from '../helpers/storage.ts'
import { updateLogContract } from '../helpers/update-log-contract.ts'

updateLogContract('on Postgres', (work) =>
  withStorage(({ updateLog, db }) =>
    work({ log: updateLog, newBoard: async () => (await make.board(db)).id }),
  ),
)
