// How nodes tell each other what happens on a board. One process alone has nobody to tell.

/** Carries messages of a board to the other nodes. May lose some while it reconnects: gaps are healed from the log. */
export interface Bus {
  publish(boardId: string, message: Uint8Array): void
  /** @returns a function that ends the subscription. */
  subscribe(boardId: string, receive: (message: Uint8Array) => void): () => void
}

/** The bus of a single node: nothing is sent, nothing comes. */
export const localBus: Bus = {
  publish: () => undefined,
  subscribe: () => () => undefined,
}
