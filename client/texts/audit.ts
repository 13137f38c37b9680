// What the page of the audit trail says.
export const auditTexts = {
  show: 'Show',
  everything: 'everything',
  who: 'Who',
  everybody: 'everybody',
  from: 'From',
  to: 'To',
  none: 'Nothing like that has happened.',
}
