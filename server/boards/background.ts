// The colour behind a drawing: everybody's, beside the document, because it is no element that could be undone.
import type { Db } from '../database/database.ts'
import { boardBackground, notifyEvent, setBackground } from './board-queries.ts'

/** As the storage of documents needs it. Colours are checked where they come in (shared/color.ts). */
export const backgrounds = (db: Db, schema: string) => ({
  read: (boardId: string) => boardBackground(db, boardId),
  set: (boardId: string, color: string) =>
    db.transaction().execute(async (trx) => {
      if (await setBackground(trx, boardId, color))
        await notifyEvent(trx, schema, boardId, { type: 'background', background: color })
    }),
})
