// Texts of the canvas about undo and about people who type in one text.
export const canvasTexts = {
  nothingToUndo: 'Nothing of yours is left to undo.',
  typing: (name: string) =>
    `${name} is typing in this text, too. What you both write is put together when you finish.`,
}
