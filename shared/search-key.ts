// Texts as they are compared when somebody searches: without case and compatibility forms in every script, without the
// accents of Latin, Greek and Cyrillic letters, the vowel signs of Arabic and Hebrew, and what nobody sees. Marks of other
// scripts are letters there and stay. The database's `search_key` does the same.

/**
 * Letters that Unicode does not take apart and that people type without their strokes, and signs of which keyboards
 * have one: as CLDR's Latin-ASCII has them.
 */
const letters: Readonly<Record<string, string>> = {
  ...{
    ł: 'l',
    ø: 'o',
    đ: 'd',
    ð: 'd',
    ħ: 'h',
    ŧ: 't',
    ŋ: 'n',
    ı: 'i',
    ə: 'e',
    ƀ: 'b',
    ɓ: 'b',
    ɖ: 'd',
    ɗ: 'd',
  },
  ...{ ɛ: 'e', ƒ: 'f', ɣ: 'g', ɨ: 'i', ƙ: 'k', ɲ: 'n', ɔ: 'o', ʉ: 'u', ʋ: 'v', ƴ: 'y', ς: 'σ' },
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', þ: 'th' },
  ...{ '‘': "'", '’': "'", ʼ: "'", '“': '"', '”': '"', '‐': '-', '‒': '-', '–': '-', '—': '-', '−': '-' },
}
const lettersPattern = new RegExp(`[${Object.keys(letters).join('')}]`, 'g')

const marks = new RegExp(
  `[${[
    '\\u0300-\\u036f',
    '\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7', // Hebrew
    '\\u0640\\u064b-\\u065f\\u0670', // Arabic
    '\\u00ad\\u200b-\\u200f\\u2060-\\u2064\\ufe00-\\ufe0f\\ufeff', // what nobody sees
  ].join('')}]`,
  'g',
)

/** The same for texts that a reader takes for the same word: `Straße` and `STRASSE`, `Łódź` and `lodz`, `ﬁn` and `fin`. */
export const searchKeyOf = (text: string): string =>
  text
    .normalize('NFKC')
    // Up and down again: some letters only meet in their capitals.
    .toUpperCase()
    .toLowerCase()
    .normalize('NFD')
    .replace(marks, '')
    .replace(lettersPattern, (letter) => letters[letter] ?? letter)
    .normalize('NFC')
    // What no database takes as text.
    .replaceAll('\u0000', ' ')
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .trim()
