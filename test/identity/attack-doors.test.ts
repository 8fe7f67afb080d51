import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { evaluation, openDoor } from '../http/door.ts'
import { good, signed, trusted } from './attack-issuers.ts'
import { attacks, credentialAttacks } from './attack-table.ts'
import { type Doors, openDoors, type Sent, type Told } from './doors.ts'
import { goodIssuers, goodTokens } from './good-table.ts'

let attacked: Doors
let open: Doors

beforeAll(async () => {
  attacked = await openDoors(trusted)
  open = await openDoors(goodIssuers)
})
afterAll(async () => {
  await attacked[Symbol.asyncDispose]()
  await open[Symbol.asyncDispose]()
})

const bearer = (token: string): Sent => [['authorization', `Bearer ${token}`]]
const refused = (code: string): Told => ({ code, status: 401, challenge: expect.stringMatching(/^Bearer/) as string })

/** One answer of both doors, or of the only one where HTTP itself cannot carry the headers. */
async function ask(sent: Sent, path?: string): Promise<Told> {
  const byEnvoy = await attacked.envoy(sent, path)
  if (canBeSent(sent)) expect(await attacked.guard(sent, path)).toEqual(byEnvoy)
  else await expect(attacked.guard(sent, path)).rejects.toThrow(TypeError)
  return byEnvoy
}

/** RFC 9110 section 5.5: neither NUL nor line breaks. */
function canBeSent(sent: Sent): boolean {
  return sent.every(([, value]) => !/[\0\r\n\u0100-\uffff]/.test(value.replace(/[\r\n]+$/, '')))
}

/** Every part of a token that is long enough to know it by. */
function partsOf(text: string): readonly string[] {
  return text.split(/[\s.,~"]+/).filter((part) => part.length >= 16)
}

function expectSilence(text: string): void {
  const log = attacked.lines.join('')
  for (const part of partsOf(text)) expect(log.includes(part)).toBe(false)
}

describe.each(attacks)('through both doors, a token attack on the %s is refused', (_, rows) => {
  test.each(rows)('%s', async (_name, token, code) => {
    const text = await token()
    expect(await ask(bearer(text))).toEqual(refused(code))
    expect(attacked.reached()).toBe(0)
    expectSilence(text)
  })

  test('also by AuthZEN', async () => {
    const door = await openDoor({ authorizer: attacked.authorizer })
    for (const [name, token, code] of rows) {
      const subject = { type: 'identity', id: 'alice', properties: { token: await token() } }
      const { json } = await door.post('/access/v1/evaluation', evaluation({ subject }))
      const codes = json.context.reasons.map((reason) => reason.code)
      expect([name, json.decision, codes]).toEqual([name, false, [code]])
    }
  })
})

describe('through both doors, a good token in a bad credential is refused', () => {
  test.each(credentialAttacks)('%s', async (_name, values, code) => {
    expect(await ask(values.map((value) => ['Authorization', value]))).toEqual(refused(code))
    expect(attacked.reached()).toBe(0)
    expectSilence(values.join(' '))
  })

  const elsewhere: readonly (readonly [name: string, sent: Sent, path: string])[] = [
    ['in the query', [], `/mcp?access_token=${good()}`],
    ['in a cookie', [['cookie', `access_token=${good()}`]], '/mcp'],
    ['in a header of proxies', [['proxy-authorization', `Bearer ${good()}`]], '/mcp'],
    ['in a header that proxies make up', [['x-forwarded-authorization', `Bearer ${good()}`]], '/mcp'],
    ['in a header that Google adds', [['x-goog-iap-jwt-assertion', good()]], '/mcp'],
  ]
  test.each(elsewhere)('%s', async (_name, sent, path) => {
    expect(await ask(sent, path)).toEqual(refused('token_missing'))
    expect(attacked.reached()).toBe(0)
    expectSilence(sent.flat().join(' '))
  })
})

describe('whoever was refused', () => {
  test('is in the log by decision, reason and nothing that was sent', async () => {
    const before = attacked.lines.length
    expect(await attacked.envoy(bearer(signed(() => Buffer.alloc(64))))).toMatchObject({ code: 'token_signature' })
    const line = JSON.parse(attacked.lines[before] ?? '')
    expect(line).toMatchObject({ msg: 'decision', decision: { allow: false, reasons: [{ code: 'token_signature' }] } })
    expect(line.decision).not.toHaveProperty('subject')
    expect(attacked.lines.join('')).not.toContain('alice')
  })

  test('was refused for the token: the one that attacks are made from passes both doors', async () => {
    expect(await open.envoy(bearer(good()))).toEqual(refused('token_signature'))
    const control = await openDoors(trusted)
    expect(await control.envoy(bearer(good()))).toMatchObject({ code: 'allow' })
    expect(await control.guard(bearer(good()))).toMatchObject({ code: 'allow' })
    expect(control.reached()).toBe(1)
    await control[Symbol.asyncDispose]()
  })
})

describe.each(goodTokens)('through both doors, a token at the edge of the rules of the %s passes', (_, tokens) => {
  test.each(tokens)('%s', async (_name, token) => {
    const before = open.reached()
    expect(await open.envoy(bearer(token))).toMatchObject({ code: 'allow', status: undefined })
    expect(await open.guard(bearer(token))).toMatchObject({ code: 'allow', status: undefined })
    expect(open.reached()).toBe(before + 1)
    for (const part of partsOf(token)) expect(open.lines.join('').includes(part)).toBe(false)
  })
})
