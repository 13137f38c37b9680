// Boards that somebody wants to hand over to the user.
import { useCallback, useEffect, useState } from 'react'
import type { BoardOfferResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { ownerTexts as texts } from '../texts/sharing.ts'
import { showProblem, showToast } from '../ui/toast.tsx'

export const Offers = ({ onAccepted }: { onAccepted: () => void }) => {
  const [offers, setOffers] = useState<BoardOfferResponse[]>([])
  const load = useCallback(() => {
    api.listOffers().then(({ items }) => setOffers(items), showProblem)
  }, [])
  useEffect(load, [load])
  const answer = ({ board_id, title }: BoardOfferResponse, accept: boolean) => {
    api.answerOffer(board_id, accept).then(
      () => {
        load()
        if (!accept) return
        showToast(texts.accepted(title))
        onAccepted()
      },
      (error: unknown) => {
        showProblem(error)
        load()
      },
    )
  }
  if (offers.length === 0) return null
  return (
    <ul className="offers">
      {offers.map((offer) => (
        <li key={offer.board_id}>
          <span>{texts.offer(offer.offered_by, offer.title)}</span>
          <span className="actions">
            <button type="button" className="primary" onClick={() => answer(offer, true)}>
              {texts.accept}
            </button>
            <button type="button" onClick={() => answer(offer, false)}>
              {texts.decline}
            </button>
          </span>
        </li>
      ))}
    </ul>
  )
}
