#!/usr/bin/env bash
# cpf-cnpj-validator: isValid is true for a sentence that contains the digits of a CPF, and false for the number itself
#
# One would guess: isValid('…') says whether the text is a CPF, formatted or not.
# What happens: It first removes every character that is not a digit: letters between the digits, a name next to
#   them, a line break. The format is checked only with the second argument (strict). A number, as in unquoted
#   JSON, is never valid.
# Who runs into it: Forms that check with isValid and store the input: the same person is stored in several
#   spellings, and a unique index finds no duplicate. Check strictly, or store only strip(value).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund cpf-cnpj-validator@2.1.2 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { cpf } from 'cpf-cnpj-validator'

console.log('cpf-cnpj-validator', JSON.parse(readFileSync('node_modules/cpf-cnpj-validator/package.json')).version)
// The example that documentation uses.
const forms = ['529.982.247-25', '52998224725', 'CPF 529.982.247-25 (old)', 'x529y982z247-25', '52998224725\n', 52998224725]
const seen = forms.map((form) => [cpf.isValid(form), cpf.isValid(form, true)])
forms.forEach((form, at) => console.log(JSON.stringify(form), { isValid: seen[at][0], strict: seen[at][1] }))
assert.deepEqual(seen, [[true, true], [true, true], [true, false], [true, false], [true, false], [false, false]])
JS
node show.mjs
