// Texts of an embedded board.
export const embedTexts = {
  opening: 'Opening the board',
  wrongPassword: 'That is not the password of this link.',
  noLink: 'This link does not open the board',
  noLinkHelp: 'It may have been revoked, have expired, or be used up.',
  notOpened: 'The board cannot be opened',
  retry: 'Try again',
}
