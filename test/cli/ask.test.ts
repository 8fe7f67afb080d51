import { describe, expect, it } from 'vitest'
import { validatorOf } from '../../src/config/schema.ts'
import type { Decision } from '../../src/policy/decision.gen.ts'
import { craft, ecKeys, jwkOf, signer } from '../identity/tokens.ts'
import { catalogue, claims, project, type Ran, runIn, unsigned } from './terminal.ts'

const issuerKey = ecKeys('P-256')
const jwks = JSON.stringify({ keys: [jwkOf(issuerKey)] })
const now = Math.floor(Date.now() / 1000)
const token = craft(
  { alg: 'ES256' },
  { ...claims.alice, iss: 'https://sso.example.com', aud: 'mcp-gateway', exp: now + 600 },
  signer('ES256', issuerKey.privateKey),
)
const forecast = ['--method', 'tools/call', '--params', '{"name":"weather_forecast"}']

/** The exit code of a check, and the first reason of what it printed. */
async function check(...args: string[]): Promise<readonly [number, string]> {
  const { code, out } = await runIn(await project({ 'jwks.json': jwks, token }), ['check', '--json', ...args])
  const decision = only<Decision>(out)
  return [code, decision.allow ? 'allow' : String(decision.reasons[0]?.code)]
}

/** The one JSON document of an output. */
function only<T>(out: string): T {
  expect(out).toMatch(/^[^\n]+\n$/)
  return JSON.parse(out) as T
}

describe('check', () => {
  it('is exit 0 and a decision that fits its schema where it is allowed', async () => {
    const { code, out, err } = await runIn(await project(), ['check', '--json', '--claims', 'alice.json', ...forecast])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const decision = only<Decision>(out)
    const valid = validatorOf('decision')
    expect(valid(decision), JSON.stringify(valid.errors)).toBe(true)
    expect(decision).toMatchObject({
      allow: true,
      reasons: [],
      subject: 'alice',
      action: 'tools/call',
      resource: { type: 'tool', server: 'weather', name: 'forecast' },
    })
  })

  it('is exit 1 with the reason where it is denied', async () => {
    expect(await check('--claims', 'bob.json', ...forecast)).toEqual([1, 'role_missing'])
    expect(await check('--claims', 'alice.json', '--method', 'tools/destroy')).toEqual([1, 'method_unknown'])
    expect(await check('--claims', 'alice.json', '--method', '')).toEqual([1, 'method_unknown'])
    expect(await check('--claims', 'alice.json', '--method', 'tools/call')).toEqual([1, 'body_malformed'])
  })

  it('reads the params as every door does', async () => {
    const params = (text: string) => check('--claims', 'alice.json', '--method', 'tools/call', '--params', text)
    expect(await params('{"name":"nothing","name":"weather_forecast"}')).toEqual([1, 'body_ambiguous'])
    expect(await params('{"Name":"weather_forecast"}')).toEqual([1, 'body_ambiguous'])
    expect(await params('{name:1}')).toEqual([1, 'body_malformed'])
    expect(await params('')).toEqual([1, 'body_malformed'])
    expect(await params('{"name":"weather_forecast"},"id":1')).toEqual([1, 'body_malformed'])
  })

  it('takes a token, from the command line or from a file with a final newline', async () => {
    expect(await check('--token', token, ...forecast)).toEqual([0, 'allow'])
    expect(await check('--token-file', 'token', ...forecast)).toEqual([0, 'allow'])
    const directory = await project({ 'jwks.json': jwks, token: `${token}\n` })
    expect((await runIn(directory, ['check', '--token-file', 'token', ...forecast])).code).toBe(0)
    expect(await check('--token', `${token}x`, ...forecast)).toEqual([1, 'token_malformed'])
    expect(await check('--token', unsigned(claims.alice), ...forecast)).toEqual([1, 'token_issuer_unknown'])
    expect(await check('--token', '', ...forecast)).toEqual([1, 'token_missing'])
    expect(await check('--token-file', 'jwks.json', ...forecast)).toEqual([1, 'token_malformed'])
  })

  it('knows a server and a virtual server', async () => {
    const named = (name: string, ...args: string[]) =>
      check('--claims', 'alice.json', '--method', 'tools/call', '--params', JSON.stringify({ name }), ...args)
    expect(await named('forecast', '--server', 'weather')).toEqual([0, 'allow'])
    expect(await named('forecast', '--server', 'nowhere')).toEqual([1, 'server_unknown'])
    expect(await named('weather_alerts', '--virtual-server', 'desk')).toEqual([1, 'virtual_server_excludes'])
    expect(await named('weather_alerts', '--virtual-server', '')).toEqual([1, 'virtual_server_unknown'])
  })
})

describe('check in words', () => {
  it('says which OAuth scope is needed', async () => {
    const scoped = `${catalogue}scopes: {"mcp:tools": {"*": ["tool:*"]}}\n`
    const directory = await project({ 'catalogue.yaml': scoped })
    const { code, out } = await runIn(directory, ['check', '--claims', 'alice.json', ...forecast])
    expect(code).toBe(1)
    expect(out).toContain('\n  scope_missing: the token lacks an OAuth scope; needs scope mcp:tools\n')
  })

  it('says in words what it decided, each on a line of its own', async () => {
    const directory = await project()
    const allowed = await runIn(directory, ['check', '--claims', 'alice.json', ...forecast])
    expect(allowed.out).toMatch(/^allowed: tools\/call of tool forecast on weather for alice \(revision \S+\)\n$/)
    const denied = await runIn(directory, ['check', '--claims', 'bob.json', ...forecast])
    expect(denied.out.split('\n')[1]).toBe(
      '  role_missing: no role or grant of the subject allows it; needs tool:forecast on weather',
    )
  })

  it('lets no name or subject write to the terminal', async () => {
    const name = 'x\nallowed: everything\u001b[2J\u202e'
    const directory = await project({ 'evil.json': JSON.stringify({ sub: 'eve\u009b31m\r' }) })
    const args = ['check', '--claims', 'evil.json', '--method', 'tools/call', '--params', JSON.stringify({ name })]
    const { out } = await runIn(directory, args)
    expect(out).toContain('x\\u{a}allowed: everything\\u{1b}[2J\\u{202e}')
    expect(
      out
        .trimEnd()
        .split('\n')
        .filter((line) => line.startsWith('allowed')),
    ).toEqual([])
    for (const letter of ['\u001b', '\u009b', '\r', '\u202e']) expect(out).not.toContain(letter)
  })
})

describe('check of a request that cannot be read, in words', () => {
  it.each([
    [['--method', 'tools/call'], 'tools/call of the server', 'body_malformed', 'params.name must be a string'],
    [['--method', 'tools/call', '--params', '{"secret'], 'tools/call, which cannot be read,', 'body_malformed', 'JSON'],
    [['--method', ''], 'a request without a method', 'method_unknown', 'the method is not known'],
    [['--method', '', '--params', '{"secret'], 'a request without a method', 'body_malformed', 'JSON'],
    [['--method', 'no/secret'], 'no/secret of the server', 'method_unknown', 'the method is not known'],
  ])('says what is wrong with it: %j', async (args, asked, code, detail) => {
    const directory = await project()
    const ran = await runIn(directory, ['check', '--claims', 'alice.json', ...args])
    const [head = '', reason = '', ...rest] = ran.out.split('\n')
    expect({ code: ran.code, err: ran.err, rest }).toEqual({ code: 1, err: '', rest: [''] })
    expect(head).toMatch(/^denied: .* for alice \(revision \S+\)$/)
    expect(head).toContain(`: ${asked} for alice`)
    expect(reason).toMatch(new RegExp(`^  ${code}: .*${detail}`))
    expect(reason).not.toContain('secret')
    expect(reason.split('the method is not known').length).toBeLessThanOrEqual(2)
    // The document stays the decision of the contract.
    const { out } = await runIn(directory, ['check', '--claims', 'alice.json', ...args, '--json'])
    const valid = validatorOf('decision')
    expect(valid(only<Decision>(out)), JSON.stringify(valid.errors)).toBe(true)
    if (detail.startsWith('params')) expect(out).not.toContain(detail)
  })

  it('says nothing of the request where its credential is bad', async () => {
    const { out } = await runIn(await project(), ['check', '--token', 'x', '--method', 'tools/call'])
    expect(out).toMatch(/\n {2}token_malformed: [^\n]*\n$/)
    expect(out).not.toContain('params.name')
  })
})

describe('capabilities', () => {
  const capabilities = async (...args: string[]): Promise<Ran> => runIn(await project(), ['capabilities', ...args])

  it('are one JSON document with all four keys', async () => {
    const all = await capabilities('--claims', 'alice.json', '--json')
    expect({ code: all.code, err: all.err }).toEqual({ code: 0, err: '' })
    expect(only(all.out)).toEqual({
      tools: { weather: ['alerts', 'forecast'] },
      prompts: {},
      resources: {},
      templates: {},
    })
    const none = await capabilities('--claims', 'bob.json', '--json')
    expect(only(none.out)).toEqual({ tools: {}, prompts: {}, resources: {}, templates: {} })
    expect(JSON.parse((await capabilities('--claims', 'alice.json')).out)).toEqual(only(all.out))
  })

  it('are those under the virtual server', async () => {
    const { out } = await capabilities('--claims', 'alice.json', '--virtual-server', 'desk', '--json')
    expect(only(out)).toMatchObject({ tools: { weather: ['forecast'] } })
  })

  it.each([
    ['an unknown virtual server', ['--claims', 'alice.json', '--virtual-server', 'nobody'], 'virtual_server_unknown'],
    ['a token that does not verify', ['--token', 'x'], 'token_malformed'],
  ])('are nothing on standard output and exit 1 under %s', async (_, args, code) => {
    for (const more of [[], ['--json']]) {
      const ran = await capabilities(...args, ...more)
      expect({ code: ran.code, out: ran.out }).toEqual({ code: 1, out: '' })
      expect(ran.err).toContain(code)
    }
  })
})

describe('a file that cannot be used', () => {
  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"alice"'],
    ['a key twice', '{"sub":"alice","sub":"secret"}'],
    ['not UTF-8', Buffer.from('{"sub":"\xff"}', 'latin1')],
  ])('is exit 2 for --claims, naming it but nothing in it: %s', async (_, content) => {
    const directory = await project(content === undefined ? {} : { 'who.json': content })
    const { code, out, err } = await runIn(directory, ['check', '--claims', 'who.json', '--method', 'ping', '--json'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^--claims `who\.json`: /)
    expect(err).not.toContain('secret')
  })

  it('is exit 2 for --token-file', async () => {
    const { code, out, err } = await runIn(await project(), ['capabilities', '--token-file', 'nowhere', '--json'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^--token-file `nowhere`: cannot be read: /)
  })
})
