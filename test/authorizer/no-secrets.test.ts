import { describe, expect, it } from 'vitest'
import { createDecisionLog } from '../../src/decision-log/log.ts'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { Credential } from '../../src/identity/subject.ts'
import { issuerOptions } from '../identity/tokens.ts'
import { bearer, call, sceneWith } from './scenes.ts'

/** A log in memory, at a level. */
function logTo(lines: string[], level: 'silent' | 'warn' | 'info' = 'info') {
  return createDecisionLog({ level, destination: { write: (line: string) => lines.push(line) } })
}

describe('the decision log', () => {
  it('holds no token, claim or role, allowed or denied', async () => {
    const lines: string[] = []
    const log = logTo(lines)
    const { attempt } = sceneWith({ record: log.decision, onFault: log.fault })
    const secrets = { email: 'alice@secret.example', resource_access: { weather: { roles: ['tool:hidden-grant'] } } }
    const good = bearer({ ...secrets, exp: undefined, jti: 'secret-jti' }, ['forecaster', 'hidden-role'])
    const tokens = [bearer(secrets, ['forecaster', 'hidden-role']), good, `${bearer(secrets)}x`, 'not-a-token']
    const credentials = tokens.flatMap((token): Credential[] => [
      { kind: 'token', token },
      { kind: 'authorization', values: [`Bearer ${token}`] },
      { kind: 'authorization', values: [`Bearer ${token}`, token] },
    ])
    const outcomes = await Promise.all(credentials.map((credential) => attempt({ credential })))
    const minted = outcomes.flatMap(({ capabilityToken = [] }) => capabilityToken)
    expect(lines).toHaveLength(12)
    expect(minted).toHaveLength(2)
    const text = lines.join('')
    for (const part of [...tokens, ...minted].flatMap((token) => token.split('.'))) expect(text).not.toContain(part)
    for (const secret of ['secret', 'hidden', 'forecaster', 'mcp-gateway', 'realm_access', 'BEGIN']) {
      expect(text).not.toContain(secret)
    }
  })

  it('holds what a decision says, one JSON line each', async () => {
    const lines: string[] = []
    const log = logTo(lines)
    const { attempt } = sceneWith({ record: log.decision })
    const { decision } = await attempt()
    const [line = ''] = lines
    expect(JSON.parse(line)).toMatchObject({ msg: 'decision', decision })
    expect(line.endsWith('\n')).toBe(true)
  })

  it('does not let a name begin a line of its own', async () => {
    const lines: string[] = []
    const log = logTo(lines)
    const { attempt } = sceneWith({ record: log.decision })
    await attempt({ reading: call('x\n{"decision":{"allow":true}}') })
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(1)
  })

  it('leaves decisions out at level warn, and everything at silent', async () => {
    for (const [level, expected] of [
      ['warn', ['warn', 'fault']],
      ['silent', []],
    ] as const) {
      const lines: string[] = []
      const log = logTo(lines, level)
      const { attempt } = sceneWith({ record: log.decision })
      await attempt()
      log.info('info')
      log.warning('warn')
      log.fault('policy_error', 'fault')
      expect(lines.map((line) => JSON.parse(line).msg)).toEqual(expected)
    }
  })
})

describe('a fault', () => {
  it('is told without the token where keys cannot be had', async () => {
    const lines: string[] = []
    const log = logTo(lines)
    const token = bearer({}, [])
    const fetch = async () => Promise.reject(new Error(`cannot fetch for ${token}`))
    const authenticator = createAuthenticator({
      issuers: [issuerOptions([], { keys: { kind: 'url', url: 'https://sso.example.com/keys' } })],
      fetch,
      now: () => 1_800_000_000_000,
    })
    const { attempt } = sceneWith({ authenticator, record: log.decision, onFault: log.fault })
    const { decision } = await attempt({ credential: { kind: 'token', token } })
    expect(decision.reasons[0]?.code).toBe('keys_unavailable')
    for (const part of token.split('.')) expect(lines.join('')).not.toContain(part)
    authenticator.close()
  })
})
