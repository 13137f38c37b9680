// Texts as they are compared when somebody searches: without case and compatibility forms in every script, and without
// the accents of Latin, Greek and Cyrillic letters. Marks of other scripts are letters there and stay.

/** The same for texts that a reader takes for the same word: `Straße` and `STRASSE`, `Œuvre`, `ΟΔΟΣ` and `οδός`, `ﬁn`. */
export const searchKeyOf = (text: string): string =>
  text
    .normalize('NFKC')
    // Up and down again: some letters only meet in their capitals.
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    // What no database takes as text.
    .replaceAll('\u0000', ' ')
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .trim()
