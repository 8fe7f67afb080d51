import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../tools/paths.ts'
import { tables } from './cases.ts'
import { credentialTables } from './credentials.ts'

/** What no line of a table can cause by itself, and the test that causes it through a door. */
const elsewhere: Readonly<Record<string, string>> = {
  token_signature: 'test/identity/attack-doors.test.ts',
  token_algorithm: 'test/identity/attack-signatures.ts',
  session_invalid: 'test/gateway/session.test.ts',
  body_missing: 'test/guard/door.test.ts',
  body_partial: 'test/guard/door.test.ts',
  body_too_large: 'test/guard/door.test.ts',
  batch_refused: 'test/guard/door.test.ts',
  content_type: 'test/guard/door.test.ts',
  header_mismatch: 'test/guard/door.test.ts',
  version_unsupported: 'test/guard/door.test.ts',
  not_ready: 'test/guard/door.test.ts',
  policy_error: 'test/envoy/check.test.ts',
  mint_failed: 'test/envoy/answer.test.ts',
  claim_too_large: 'test/service.test.ts',
  keys_unavailable: 'test/service.test.ts',
  revocations_unknown: 'test/api-keys/doors.test.ts',
  state_unavailable: 'test/gateway/backend-init.test.ts',
}

/** What decisions may say one day, and nothing gives yet. */
const reserved: readonly string[] = ['overloaded']

const schema = JSON.parse(readFileSync(join(root, 'schemas/decision.json'), 'utf8')) as {
  readonly definitions: { readonly reasonCode: { readonly enum: readonly string[] } }
}
const codes = schema.definitions.reasonCode.enum
const inTables = new Set<string>(
  [...tables(), ...credentialTables()].flatMap(({ cases }) => cases.map(({ want }) => want)),
)
const names = (file: string, code: string): boolean =>
  existsSync(join(root, file)) && new RegExp(`\\b${code}\\b`).test(readFileSync(join(root, file), 'utf8'))

describe('every reason code', () => {
  it.each(codes)('%s is produced: by a table, or by the test that is named', (code) => {
    const places = [inTables.has(code), code in elsewhere, reserved.includes(code)]
    expect(places.filter(Boolean)).toHaveLength(1)
    const file = elsewhere[code]
    if (file !== undefined) expect(names(file, code)).toBe(true)
  })

  it('that is named here is one of the schema', () => {
    for (const code of [...Object.keys(elsewhere), ...reserved]) expect(codes).toContain(code)
  })
})
