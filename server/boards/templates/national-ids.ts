// Brazil's national ids as fields of records: taken with or without punctuation, kept without, checked by
// cpf-cnpj-validator, which knows the CNPJs with letters of 2026 too. It ignores what does not belong, so the form is
// checked here first.
import { cnpj, cpf } from 'cpf-cnpj-validator'

const cpfForm = /^\d{11}$/
const cnpjForm = /^[0-9A-Z]{12}\d{2}$/

/** Without points, dash, slash and blanks, in capitals. */
export const bareId = (text: string): string => text.replace(/[.\-/\s]/g, '').toUpperCase()

/** @param bare as `bareId` leaves it. */
export const isCpf = (bare: string): boolean => cpfForm.test(bare) && cpf.isValid(bare)

/** @param bare as `bareId` leaves it. */
export const isCnpj = (bare: string): boolean =>
  cnpjForm.test(bare) && !/^(.)\1{11}/.test(bare) && cnpj.isValid(bare)

/** The formats of a template's schema that hold one, and what is expected there. */
export const idFormats: Readonly<Record<string, { isValid(bare: string): boolean; expected: string }>> = {
  cpf: { isValid: isCpf, expected: 'a CPF: 11 digits whose last two fit, with or without punctuation' },
  cnpj: {
    isValid: isCnpj,
    expected: 'a CNPJ: 14 digits or letters whose last two digits fit, with or without punctuation',
  },
  'cpf-or-cnpj': {
    isValid: (bare) => isCpf(bare) || isCnpj(bare),
    expected: 'a CPF or a CNPJ whose check digits fit, with or without punctuation',
  },
}

/** As lists and boards show it to who may not see it: its last two characters. */
export const maskedId = (text: string): string =>
  text.length > 4 ? '*'.repeat(text.length - 2) + text.slice(-2) : '****'
