import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import { json } from './key-server.ts'
import { codeOf, oldJwk, oldKey, type RemoteIssuer, startRemoteIssuer, tokenBy } from './remote-issuer.ts'
import { issuerName, issuerOptions, nowMs } from './tokens.ts'

let remote: RemoteIssuer

beforeEach(async () => {
  remote = await startRemoteIssuer()
})

afterEach(async () => {
  await remote[Symbol.asyncDispose]()
})

describe('discovery', () => {
  const metadata = (changes: Record<string, unknown>) =>
    remote.server.answer((request, response) => {
      const well = request.url === '/realm/.well-known/openid-configuration'
      const issuer = `${remote.server.origin}/realm`
      const body = well ? { issuer, jwks_uri: `${remote.server.origin}/certs`, ...changes } : { keys: [oldJwk] }
      json(body)(request, response)
    })
  const discover = async (issuer: string) => {
    const authenticator = remote.open([issuerOptions([], { issuer, keys: { kind: 'discovery' } })])
    return codeOf(authenticator, tokenBy(oldKey, 'old', { iss: issuer }))
  }

  test('finds the keys that the metadata of the issuer names', async () => {
    metadata({})
    expect(await discover(`${remote.server.origin}/realm`)).toBe('ok')
    expect(remote.server.requests).toEqual(['/realm/.well-known/openid-configuration', '/certs'])
  })

  test('leaves out the slash at the end of the issuer, in the address alone', async () => {
    metadata({ issuer: `${remote.server.origin}/realm/` })
    expect(await discover(`${remote.server.origin}/realm/`)).toBe('ok')
  })

  const bad: readonly (readonly [name: string, changes: Record<string, unknown>])[] = [
    ['speaks of another issuer', { issuer: 'https://evil.example.com' }],
    ['speaks of the issuer with a slash more', { issuer: 'SLASH' }],
    ['speaks of no issuer', { issuer: undefined }],
    ['names no keys', { jwks_uri: undefined }],
    ['names keys by a number', { jwks_uri: 7 }],
    ['names keys over http elsewhere', { jwks_uri: 'http://sso.example.com/certs' }],
    ['names keys in a file', { jwks_uri: 'file:///etc/keys' }],
  ]
  test.each(bad)('refuses metadata that %s, and asks no further', async (_, changes) => {
    metadata(changes['issuer'] === 'SLASH' ? { issuer: `${remote.server.origin}/realm/` } : changes)
    expect(await discover(`${remote.server.origin}/realm`)).toBe('keys_unavailable')
    expect(remote.server.requests).toEqual(['/realm/.well-known/openid-configuration'])
  })
})

describe('the address of keys that metadata names', () => {
  const addresses: readonly (readonly [address: string, code: string])[] = [
    ['https://keys.example.com/certs', 'ok'],
    ['https://127.0.0.1:8443/certs', 'ok'],
    ['http://localhost:8080/certs', 'keys_unavailable'],
    ['http://127.0.0.1:8080/certs', 'keys_unavailable'],
    ['http://keys.example.com/certs', 'keys_unavailable'],
    ['http://127.0.0.1.example.com/certs', 'keys_unavailable'],
    ['http://127.0.0.1@keys.example.com/certs', 'keys_unavailable'],
    ['https://user:password@keys.example.com/certs', 'keys_unavailable'],
    ['data:application/json,{}', 'keys_unavailable'],
    ['/certs', 'keys_unavailable'],
  ]
  test.each(addresses)('%s: %s', async (address, code) => {
    const asked: string[] = []
    const fetch = async (input: string | URL | Request): Promise<Response> => {
      asked.push(String(input))
      const isMetadata = String(input).endsWith('/.well-known/openid-configuration')
      return Response.json(isMetadata ? { issuer: issuerName, jwks_uri: address } : { keys: [oldJwk] })
    }
    const issuers = [issuerOptions([], { keys: { kind: 'discovery' } })]
    const authenticator = createAuthenticator({ issuers, fetch, now: () => nowMs })
    expect(await codeOf(authenticator, tokenBy(oldKey, 'old'))).toBe(code)
    expect(asked.includes(address)).toBe(code === 'ok')
  })
})

describe('an answer that is no JWK Set makes the keys unavailable', () => {
  const set = JSON.stringify({ keys: [oldJwk] })
  const answers: readonly (readonly [name: string, body: unknown])[] = [
    ['an oversized set', set + ' '.repeat(1024 * 1024 + 1 - set.length)],
    ['an array of keys', [oldJwk]],
    ['a set without keys', {}],
    ['keys that are an object', { keys: { 0: oldJwk } }],
    ['keys that are no objects', { keys: [oldJwk, null] }],
    ['a member twice', set.replace('{', '{"keys":[],')],
    ['a byte-order mark', `\ufeff${set}`],
    ['a set that is cut off', set.slice(0, -1)],
    ['a page', '<!doctype html><title>Sign in</title>'],
    ['nothing', ''],
    ['nesting beyond the depth', set.replace('{', `{"a":${'['.repeat(30)}${']'.repeat(30)},`)],
  ]
  test.each(answers)('%s', async (_, body) => {
    remote.server.answer(json(body))
    expect(await codeOf(remote.open(), tokenBy(oldKey, 'old'))).toBe('keys_unavailable')
    expect(remote.server.requests).toHaveLength(1)
  })

  test('a set without end', async () => {
    remote.server.answer((_, response) => {
      response.writeHead(200)
      const pump = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65536)));
      }
      response.on('drain', pump)
      pump()
    })
    expect(await codeOf(remote.open(), tokenBy(oldKey, 'old'))).toBe('keys_unavailable')
  })

  test.each([301, 302, 303, 307, 308])('a redirect with status %i, which is not followed', async (status) => {
    remote.server.answer((request, response) => {
      if (request.url === '/keys') response.writeHead(status, { location: '/moved' }).end()
      else json(set)(request, response)
    })
    expect(await codeOf(remote.open(), tokenBy(oldKey, 'old'))).toBe('keys_unavailable')
    expect(remote.server.requests).toEqual(['/keys'])
  })

  test.each([201, 206, 404, 500])('a good set under status %i', async (status) => {
    remote.server.answer((_, response) => void response.writeHead(status).end(set))
    expect(await codeOf(remote.open(), tokenBy(oldKey, 'old'))).toBe('keys_unavailable')
  })

  test('but a set as large as allowed is taken', async () => {
    remote.server.answer(json(set + ' '.repeat(1024 * 1024 - set.length)))
    expect(await codeOf(remote.open(), tokenBy(oldKey, 'old'))).toBe('ok')
  })

  test('and a set without any key is one in which no key is known', async () => {
    remote.server.publish([])
    expect(await codeOf(remote.open(), tokenBy(oldKey, 'old'))).toBe('token_key_unknown')
  })
})
