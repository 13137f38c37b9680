// The background colour of a drawing, shared by everybody. It is stored outside the document because it is not an element
// whose change could be undone.
import type { Db } from '../database/database.ts'
import { boardBackground, notifyEvent, setBackground } from './board-queries.ts'

/** For the storage of documents. Colours are validated on input (shared/color.ts). */
export const backgrounds = (db: Db, schema: string) => ({
  read: (boardId: string) => boardBackground(db, boardId),
  set: (boardId: string, color: string) =>
    db.transaction().execute(async (trx) => {
      if (await setBackground(trx, boardId, color))
        await notifyEvent(trx, schema, boardId, { type: 'background', background: color })
    }),
})
