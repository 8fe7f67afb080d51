import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxCredentialBytes, presentedToken } from '../../src/identity/credential.ts'

const atLimit = 'x'.repeat(maxCredentialBytes)

const authorizations: readonly (readonly [name: string, values: readonly string[], outcome: string])[] = [
  ['no value', [], 'token_missing'],
  ['one empty value', [''], 'token_missing'],
  ['a blank value', [' \t '], 'token_missing'],
  ['two empty values', ['', ''], 'token_malformed'],
  ['two equal values', ['Bearer a', 'Bearer a'], 'token_malformed'],
  ['a comma behind another scheme', ['Digest a="b", c="d"'], 'token_malformed'],
  ['a comma in the token', ['Bearer a,b'], 'token_malformed'],
  ['only a comma', [','], 'token_malformed'],
  ['another scheme that is too long', [`Basic ${atLimit}`], 'token_malformed'],
  ['too many bytes in few letters', [`Bearer ${'€'.repeat(maxCredentialBytes / 3)}`], 'token_malformed'],
  ['as many bytes as allowed', [`Bearer ${atLimit.slice(7)}`], `token ${atLimit.slice(7)}`],
  ['a byte more', [`Bearer ${atLimit.slice(6)}`], 'token_malformed'],
  ['another scheme', ['Basic YTpi'], 'token_missing'],
  ['a scheme that begins alike', ['Bearers a'], 'token_missing'],
  ['a scheme in other letters', ['Веarer a'], 'token_missing'],
  ['only the scheme', ['Bearer'], 'token_missing'],
  ['the scheme and blanks', ['Bearer  \t '], 'token_missing'],
  ['a tab behind the scheme', ['Bearer\ta'], 'token_missing'],
  ['a bare token', ['a.b.c'], 'token_missing'],
  ['the scheme in capitals', ['BEARER a.b.c'], 'token a.b.c'],
  ['blanks around everything', [' \t bearer   a.b.c\t '], 'token a.b.c'],
  ['a tab among the blanks', ['Bearer \t a'], 'token a'],
  ['a blank within the token', ['Bearer a b'], 'token a b'],
]

test.each(authorizations)('an authorization with %s', (_, values, outcome) => {
  expect(read(presentedToken({ kind: 'authorization', values }))).toBe(outcome)
})

const bare: readonly (readonly [name: string, token: string, outcome: string])[] = [
  ['that is empty', '', 'token_missing'],
  ['with a comma', 'a,b', 'token_malformed'],
  ['of as many bytes as allowed', atLimit, `token ${atLimit}`],
  ['of a byte more', `${atLimit}x`, 'token_malformed'],
  ['with a scheme, which is no part of it', 'Bearer a', 'token Bearer a'],
]

test.each(bare)('a bare token %s', (_, token, outcome) => {
  expect(read(presentedToken({ kind: 'token', token }))).toBe(outcome)
})

test('any text without blanks and commas comes back as the token, whatever the case of the scheme', () => {
  const scheme = fc.constantFrom('Bearer', 'bearer', 'BEARER', 'bEaReR')
  const token = fc.string({ minLength: 1 }).filter((text) => !/[\s,]/.test(text))
  fc.assert(
    fc.property(scheme, token, (name, text) => {
      expect(presentedToken({ kind: 'authorization', values: [`${name} ${text}`] })).toEqual({ ok: true, token: text })
    }),
  )
})

function read(presented: ReturnType<typeof presentedToken>): string {
  return presented.ok ? `token ${presented.token}` : presented.code
}
