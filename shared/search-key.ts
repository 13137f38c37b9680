// The form in which texts are compared in searches: without case and compatibility forms in every script, without the
// accents of Latin, Greek and Cyrillic letters, the vowel signs of Arabic and Hebrew, and invisible characters. In
// other scripts marks are letters and stay. The database's `search_key` does the same.

/**
 * Letters that Unicode does not decompose but people type without their strokes, and symbols for which keyboards have
 * a substitute: as in CLDR's Latin-ASCII.
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

/**
 * Equal for texts that a reader considers the same word: `Straße` and `STRASSE`, `Łódź` and `lodz`, `ﬁn` and `fin`.
 */
export const searchKeyOf = (text: string): string =>
  text
    .normalize('NFKC')
    // To upper case and back: some letters have only their capitals in common.
    .toUpperCase()
    .toLowerCase()
    .normalize('NFD')
    .replace(marks, '')
    .replace(lettersPattern, (letter) => letters[letter] ?? letter)
    .normalize('NFC')
    // Characters that no database accepts in text.
    .replaceAll('\u0000', ' ')
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .trim()
