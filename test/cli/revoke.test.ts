import { describe, expect, it } from 'vitest'
import { craft, ecKeys, jwkOf, signer } from '../identity/tokens.ts'
import { claims, project, runIn } from './terminal.ts'

const key = ecKeys('P-256')
const jwks = JSON.stringify({ keys: [jwkOf(key)] })
const now = Math.floor(Date.now() / 1000)

function tokenOf(changes: Record<string, unknown> = {}): string {
  const payload = { ...claims.alice, iss: 'https://sso.example.com', aud: 'mcp-gateway', iat: now - 60, exp: now + 600 }
  return craft({ alg: 'ES256' }, { ...payload, ...changes }, signer('ES256', key.privateKey))
}

const token = tokenOf({ jti: 'j1', sid: 's1' })
const forecast = ['--method', 'tools/call', '--params', '{"name":"weather_forecast"}']

const place = async (): Promise<string> => await project({ 'jwks.json': jwks, token })

/** The first reason of a check in this folder, or that it allows. */
async function check(folder: string, presented = token): Promise<string> {
  const { out } = await runIn(folder, ['check', '--json', '--token', presented, ...forecast])
  const { allow, reasons } = JSON.parse(out) as { allow: boolean; reasons: { code: string }[] }
  return allow ? 'allow' : String(reasons[0]?.code)
}

describe('revoke', () => {
  it.each<[string, readonly string[], string]>([
    ['a token', ['--token', token], 'token_revoked'],
    ['a token in a file', ['--token-file', 'token'], 'token_revoked'],
    ['a token by its id', ['--jti', 'j1'], 'token_revoked'],
    ['a session', ['--session', 's1', '--issuer', 'https://sso.example.com'], 'token_revoked'],
    ['a subject', ['--subject', 'alice'], 'token_revoked'],
    ['an issuer', ['--issuer', 'https://sso.example.com'], 'token_revoked'],
    ['a role', ['--role', 'forecaster', '--subject', 'alice'], 'role_missing'],
    ['what was issued before', ['--subject', 'alice', '--issued-before', '2020-01-01T00:00:00Z'], 'allow'],
    ['a session of another issuer', ['--session', 's1', '--issuer', 'https://other.example.com'], 'allow'],
  ])('takes away %s', async (_name, options, code) => {
    const folder = await place()
    expect(await check(folder)).toBe('allow')
    const { code: exit, out, err } = await runIn(folder, ['revoke', ...options])
    expect({ exit, err, out }).toEqual({
      exit: 0,
      err: '',
      out: expect.stringMatching(/^revoked [^\n]+ \([\w-]+\)\n$/),
    })
    expect(out).not.toContain(token)
    expect(await check(folder)).toBe(code)
  })

  it('leaves a token alone that was issued since', async () => {
    const folder = await place()
    await runIn(folder, ['revoke', '--subject', 'alice'])
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect(await check(folder, tokenOf({ iat: Math.ceil(Date.now() / 1000) }))).toBe('allow')
  })

  it.each<[readonly string[], string]>([
    [[], 'expected something to revoke'],
    [['--role', 'admin'], 'expected from whom: `--subject`, `--issuer` or `--everybody`'],
    [['--jti', 'a', '--session', 'b'], 'expected one thing to revoke, found `--jti` and `--session`'],
    [['--subject', 'a', '--issued-before', 'soon'], 'expected `--issued-before` to be a time'],
    [['--grant', 'forecast', '--everybody'], '--grant `forecast`: expected SERVER=TYPE:NAME'],
    [['--token', 'x', '--token-file', 'token'], 'expected one of --token and --token-file'],
    [['--token-file', 'nowhere'], '--token-file'],
    [['--token', 'not-a-token'], 'expected `--token` to be a JWT'],
  ])('is exit 2 for %j, and nothing is revoked', async (options, message) => {
    const folder = await place()
    const { code, out, err } = await runIn(folder, ['revoke', ...options])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(message)
    expect((await runIn(folder, ['revocations'])).out).toBe('nothing is revoked\n')
  })
})

describe('revocations', () => {
  it('lists what is in force, for people and for programs', async () => {
    const folder = await place()
    await runIn(folder, ['revoke', '--subject', 'alice', '--reason', 'lost laptop'])
    await runIn(folder, ['revoke', '--grant', 'weather=tool:alerts', '--everybody', '--json'])
    const { out } = await runIn(folder, ['revocations'])
    expect(out.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(/^[\w-]+ {2}subject alice, since \S+Z, of what .*, because: lost laptop$/),
      expect.stringMatching(/^[\w-]+ {2}tool:alerts on weather of everybody, since /),
    ])
    const { revocations } = JSON.parse((await runIn(folder, ['revocations', '--json'])).out)
    expect(revocations).toEqual([
      expect.objectContaining({ kind: 'subject', about: 'subject alice', reason: 'lost laptop' }),
      expect.objectContaining({ kind: 'grant', grant: 'tool:alerts', server: 'weather' }),
    ])
  })
})
