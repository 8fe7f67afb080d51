import { claimAttacks, partyAttacks } from './attack-claims.ts'
import { formAttacks } from './attack-forms.ts'
import { type Attack, good } from './attack-issuers.ts'
import { algorithmAttacks, keyAttacks, signatureAttacks } from './attack-signatures.ts'
import { typeAttacks } from './attack-types.ts'

/** Every token that must be refused, by what it attacks. */
export const attacks: readonly (readonly [area: string, attacks: readonly Attack[]])[] = [
  ['algorithm', algorithmAttacks],
  ['key', keyAttacks],
  ['signature', signatureAttacks],
  ['form', formAttacks],
  ['claims', claimAttacks],
  ['type', typeAttacks],
  ['party', partyAttacks],
]

/** A good token in values of the Authorization header that must be refused. */
export const credentialAttacks: readonly (readonly [name: string, values: readonly string[], code: string])[] = [
  ['two values', [`Bearer ${good()}`, `Bearer ${good()}`], 'token_malformed'],
  ['a good value before an empty one', [`Bearer ${good()}`, ''], 'token_malformed'],
  ['a good value after an empty one', ['', `Bearer ${good()}`], 'token_malformed'],
  ['a good value after one of another scheme', ['Basic YTpi', `Bearer ${good()}`], 'token_malformed'],
  ['two tokens joined by a comma', [`Bearer ${good()}, Bearer ${good()}`], 'token_malformed'],
  ['two tokens joined by a blank', [`Bearer ${good()} ${good()}`], 'token_malformed'],
  ['another scheme', [`DPoP ${good()}`], 'token_missing'],
  ['a scheme that begins alike', [`BearerX ${good()}`], 'token_missing'],
  ['no scheme', [good()], 'token_missing'],
  ['a scheme alone', ['Bearer'], 'token_missing'],
  ['nothing', [''], 'token_missing'],
  ['blanks up to 100 KB', [`Bearer ${' '.repeat(100_000)}${good()}`], 'token_malformed'],
]
