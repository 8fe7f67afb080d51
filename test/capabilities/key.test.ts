import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import {
  capabilityKeyFrom,
  generateKeyPem,
  loadCapabilityKey,
  publicKeyFrom,
  retiredFile,
  retiredKeys,
} from '../../src/capabilities/key.ts'
import { makeDirectory, pems } from '../config/workspace.ts'

const nowMs = 1_800_000_000_000
const now = nowMs / 1000
const retiredJwk: JWK = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'old' }

describe('a capability key', () => {
  it.each(['pkcs8', 'sec1'] as const)('is read from %s, with CRLF and text around it too', async (encoding) => {
    const pem = pems[encoding]
    for (const text of [pem, pem.replaceAll('\n', '\r\n'), `# the key\n${pem}\n`]) {
      const { privateKey, publicPem } = await capabilityKeyFrom(text)
      const data = Buffer.from('data')
      expect(verify('sha256', data, publicPem, sign('sha256', data, privateKey))).toBe(true)
      expect(publicPem).toBe(pems.spki)
    }
  })

  it('is published without its private side, named by its thumbprint', async () => {
    const { jwks, kid } = await capabilityKeyFrom(pems.pkcs8)
    const [jwk] = jwks.keys
    expect(jwks.keys).toHaveLength(1)
    expect(Object.keys(jwk ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid })
    expect(kid).toBe(await calculateJwkThumbprint(jwk ?? {}))
  })

  it.each([
    ['nothing', ''],
    ['a text', 'hello'],
    ['another curve', pems.p384],
    ['RSA', pems.rsa],
    ['an encrypted key', pems.encrypted],
    ['a public key', pems.spki],
    ['a key cut short', pems.pkcs8.slice(0, 90)],
    ['a key with letters changed', pems.pkcs8.replace(/\n\w{40}/, `\n${'A'.repeat(40)}`)],
  ])('is not read from %s, and the error says nothing of it', async (_, pem) => {
    const expected = 'expected a P-256 private key in PEM (BEGIN PRIVATE KEY or BEGIN EC PRIVATE KEY)'
    await expect(capabilityKeyFrom(pem)).rejects.toThrow(new TypeError(expected))
  })

  it('is generated as PKCS#8, another one each time', async () => {
    const [one, two] = [generateKeyPem(), generateKeyPem()]
    expect(one).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    expect(one).not.toBe(two)
    expect(createPrivateKey(one).asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    expect((await capabilityKeyFrom(one)).kid).not.toBe((await capabilityKeyFrom(two)).kid)
  })
})

describe('a trusted public key', () => {
  it('is read from SPKI; of several the first', () => {
    const other = createPublicKey(generateKeyPem()).export({ type: 'spki', format: 'pem' }).toString()
    for (const text of [pems.spki, `${pems.spki}${other}`]) {
      expect(publicKeyFrom(text).export({ type: 'spki', format: 'pem' })).toBe(pems.spki)
    }
  })

  it.each([
    ['nothing', ''],
    ['another curve', pems.p384Public],
    ['a private key', pems.pkcs8],
    ['a private key, SEC1', pems.sec1],
    ['a public and a private key', `${pems.spki}${pems.pkcs8}`],
    ['RSA', pems.rsa],
  ])('is not read from %s', (_, pem) => {
    expect(() => publicKeyFrom(pem)).toThrow(new TypeError('expected a P-256 public key in PEM (BEGIN PUBLIC KEY)'))
  })
})

describe('retired keys', () => {
  it('stay published behind the key until no token of theirs can live', async () => {
    const age = (seconds: number, kid: string) => ({ jwk: { ...retiredJwk, kid }, retiredAt: now - seconds })
    const retired = [age(0, 'fresh'), age(86_399, 'old'), age(86_400, 'dead'), age(900_000, 'long dead')]
    const { jwks, kid } = await capabilityKeyFrom(pems.pkcs8, { retired }, () => nowMs)
    expect(jwks.keys.map((key) => key.kid)).toEqual([kid, 'fresh', 'old'])
  })

  it('stay published until the time that their list names', async () => {
    const named = (until: number, kid: string) => ({ jwk: { ...retiredJwk, kid }, retiredAt: now - 90_000, until })
    const retired = [named(now + 1, 'living'), named(now, 'dead')]
    const clock = { ms: nowMs }
    const key = await capabilityKeyFrom(pems.pkcs8, { retired }, () => clock.ms)
    expect(key.jwks.keys.map(({ kid }) => kid)).toEqual([key.kid, 'living'])
    clock.ms += 1000
    expect(key.jwks.keys.map(({ kid }) => kid)).toEqual([key.kid])
  })

  it('do not name the key that signs a second time', async () => {
    const { kid, jwks } = await capabilityKeyFrom(pems.pkcs8)
    const again = [{ jwk: jwks.keys[0] ?? {}, retiredAt: now }]
    expect(
      (await capabilityKeyFrom(pems.pkcs8, { retired: again }, () => nowMs)).jwks.keys.map((key) => key.kid),
    ).toEqual([kid])
  })
})

describe('the list of retired keys', () => {
  it('is kept beside the key file', async () => {
    const directory = await makeDirectory({ 'key.pem': pems.sec1 })
    const file = join(directory, 'key.pem')
    expect(await retiredKeys(file)).toEqual([])
    const list = [{ jwk: retiredJwk, retiredAt: Math.floor(Date.now() / 1000) - 60 }]
    await writeFile(retiredFile(file), JSON.stringify(list))
    expect((await loadCapabilityKey(file)).jwks.keys.map((key) => key.kid).slice(1)).toEqual(['old'])
  })

  it.each([
    ['no JSON', '['],
    ['no list', '{"keys":[]}'],
    ['null', 'null'],
    ['entries of another shape', '[{"kty":"EC"}]'],
    ['a private key', JSON.stringify([{ jwk: { ...retiredJwk, d: 'secret' }, retiredAt: now }])],
    ['a shared secret', JSON.stringify([{ jwk: { kty: 'oct', k: 'secret' }, retiredAt: now }])],
    ['an end that is a text', JSON.stringify([{ jwk: retiredJwk, retiredAt: now, until: 'never' }])],
    ['a time that is a text', JSON.stringify([{ jwk: retiredJwk, retiredAt: 'now' }])],
  ])('is refused where it is %s', async (_, text) => {
    const directory = await makeDirectory({ 'key.pem': pems.pkcs8, 'key.pem.retired.json': text })
    const file = join(directory, 'key.pem')
    const error: unknown = await loadCapabilityKey(file).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toContain(`\`${file}.retired.json\``)
    expect(String(error)).not.toContain('secret')
  })

  it('is never left out because it cannot be read', async () => {
    const directory = await makeDirectory({ 'key.pem': pems.pkcs8, 'key.pem.retired.json/not': 'a file' })
    await expect(loadCapabilityKey(join(directory, 'key.pem'))).rejects.toThrow('EISDIR')
    expect(await readFile(join(directory, 'key.pem'), 'utf8')).toBe(pems.pkcs8)
  })
})

describe('the next key', () => {
  it('is published between the key and the retired ones, and does not sign', async () => {
    const retired = [{ jwk: retiredJwk, retiredAt: Math.floor(Date.now() / 1000) }]
    const directory = await makeDirectory({
      'key.pem': pems.pkcs8,
      'key.pem.next.pem': generateKeyPem(),
      'key.pem.retired.json': JSON.stringify(retired),
    })
    const { kid, next, jwks } = await loadCapabilityKey(join(directory, 'key.pem'))
    expect(jwks.keys.map((key) => key.kid)).toEqual([kid, next?.jwk.kid, 'old'])
    expect(next?.jwk.kid).not.toBe(kid)
    expect(JSON.stringify(jwks)).not.toContain('"d"')
  })

  it.each([
    ['blank', ''],
    ['a public key', pems.spki],
    ['of another curve', pems.p384],
  ])('is refused where it is %s', async (_, text) => {
    const directory = await makeDirectory({ 'key.pem': pems.pkcs8, 'key.pem.next.pem': text })
    const file = join(directory, 'key.pem')
    const expected = `expected \`${file}.next.pem\` to be what \`mcp-authz keys rotate --publish-only\` wrote`
    await expect(loadCapabilityKey(file)).rejects.toThrow(new TypeError(expected))
  })
})
