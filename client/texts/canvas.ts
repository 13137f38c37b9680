// What the canvas says of undo and of people who type in one text.
export const canvasTexts = {
  nothingToUndo: 'Nothing of yours is left to undo.',
  typing: (name: string) =>
    `${name} is typing in this text, too. What you both write is put together when you finish.`,
}
