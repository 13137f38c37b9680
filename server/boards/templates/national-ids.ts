// Brazilian national ids as fields of records: accepted with or without punctuation, stored without, and validated by
// cpf-cnpj-validator, which also supports the alphanumeric CNPJs of 2026. It ignores unexpected characters, so the format
// is checked here first.
import { cnpj, cpf } from 'cpf-cnpj-validator'

const cpfForm = /^\d{11}$/
const cnpjForm = /^[0-9A-Z]{12}\d{2}$/

/** Without dots, dash, slash and spaces, in upper case. */
export const bareId = (text: string): string => text.replace(/[.\-/\s]/g, '').toUpperCase()

/** @param bare the result of `bareId`. */
const isCpf = (bare: string): boolean => cpfForm.test(bare) && cpf.isValid(bare)

/** @param bare the result of `bareId`. */
const isCnpj = (bare: string): boolean =>
  cnpjForm.test(bare) && !/^(.)\1{11}/.test(bare) && cnpj.isValid(bare)

/** The schema formats for national ids, with a description of valid values. */
export const idFormats: Readonly<Record<string, { isValid(bare: string): boolean; expected: string }>> = {
  cpf: { isValid: isCpf, expected: 'a CPF: 11 digits with valid check digits, with or without punctuation' },
  cnpj: {
    isValid: isCnpj,
    expected: 'a CNPJ: 14 digits or letters with valid check digits, with or without punctuation',
  },
  'cpf-or-cnpj': {
    isValid: (bare) => isCpf(bare) || isCnpj(bare),
    expected: 'a CPF or a CNPJ with valid check digits, with or without punctuation',
  },
}

/** Masked for lists, boards and people who may not see it: only the last two characters remain. */
export const maskedId = (text: string): string =>
  text.length > 4 ? '*'.repeat(text.length - 2) + text.slice(-2) : '****'
