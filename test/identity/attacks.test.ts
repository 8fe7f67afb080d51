import { sign } from 'node:crypto'
import { CompactEncrypt } from 'jose'
import { describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { Authentication, Credential } from '../../src/identity/subject.ts'
import {
  claims,
  craft,
  craftEncoded,
  ecKeys,
  edKeys,
  encode,
  hmacSigner,
  issuerName,
  issuerOptions,
  jwkOf,
  now,
  nowMs,
  type Part,
  rsaKeys,
  type Signer,
  signer,
} from './tokens.ts'

const rsa = rsaKeys()
const ec = ecKeys('P-256')
const p384 = ecKeys('P-384')
const ed = edKeys()
const encryption = rsaKeys()
const weak = rsaKeys(1024)
const signOnly = ecKeys('P-256')
const twins = [ecKeys('P-256'), ecKeys('P-256')] as const
const pinned = rsaKeys()
const stranger = rsaKeys()
const strangerEc = ecKeys('P-256')
const otherIssuer = ecKeys('P-256')
const octets = Buffer.from('a symmetric key that got into a JWK Set')
const secret = Buffer.from('a shared secret of some length, 32+')

const authenticator = createAuthenticator({
  now: () => nowMs,
  issuers: [
    issuerOptions(
      [
        jwkOf(rsa, { kid: 'rsa', use: 'sig' }),
        jwkOf(ec, { kid: 'ec' }),
        jwkOf(p384, { kid: 'p384' }),
        jwkOf(ed, { kid: 'ed' }),
        jwkOf(encryption, { kid: 'encryption', use: 'enc', alg: 'RSA-OAEP' }),
        jwkOf(weak, { kid: 'weak' }),
        jwkOf(signOnly, { kid: 'sign-only', key_ops: ['sign'] }),
        jwkOf(twins[0], { kid: 'twin' }),
        jwkOf(twins[1], { kid: 'twin' }),
        jwkOf(pinned, { kid: 'pinned', alg: 'RS256' }),
        { kty: 'oct', kid: 'octets', k: octets.toString('base64url') },
        { kty: 'RSA', kid: 'one', e: 'AQ', n: rsa.publicKey.export({ format: 'jwk' }).n },
        { kty: 'EC', kid: 'off-curve', crv: 'P-256', x: encode('x'.repeat(32)), y: encode('y'.repeat(32)) },
      ],
      { algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] },
    ),
    issuerOptions([jwkOf(otherIssuer, { kid: 'other' })], { issuer: 'https://other.example.com' }),
    issuerOptions([], { issuer: 'https://hs.example.com', keys: { kind: 'secret', secret }, algorithms: ['HS256'] }),
    issuerOptions([jwkOf(rsa, { kid: 'rsa' })], {
      issuer: 'https://confused.example.com',
      algorithms: ['RS256', 'HS256', 'none'],
    }),
  ],
})

const withRsa = signer('RS256', rsa.privateKey)
const withEc = signer('ES256', ec.privateKey)
const rsaHeader = { alg: 'RS256', kid: 'rsa', typ: 'JWT' }
const ecHeader = { alg: 'ES256', kid: 'ec', typ: 'JWT' }

/** A good token except for its header, payload or signature. */
const header = (changes: Record<string, unknown>, signWith: Signer = withRsa): string =>
  craft({ ...rsaHeader, ...changes }, claims(), signWith)
const payload = (changes: Record<string, unknown>): string => craft(rsaHeader, claims(changes), withRsa)
const rawPayload = (part: Part): string => craft(rsaHeader, part, withRsa)
const rawHeader = (part: Part): string => craft(part, claims(), withRsa)
const signed = (signWith: Signer): string => craft(ecHeader, claims(), signWith)
const good = (): string => craft(rsaHeader, claims(), withRsa)
const payloadText = JSON.stringify(claims())
const headerText = JSON.stringify(rsaHeader)
const hs = (key: string | Uint8Array, kid?: string): string =>
  craft({ alg: 'HS256', ...(kid === undefined ? {} : { kid }) }, claims(), hmacSigner(key))
const confused = (key: string | Uint8Array): string =>
  craft({ alg: 'HS256' }, claims({ iss: 'https://confused.example.com' }), hmacSigner(key))
const pem = (pair: typeof rsa): string => pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const der = (pair: typeof rsa): Buffer => pair.publicKey.export({ type: 'spki', format: 'der' })

type Attack = readonly [name: string, token: () => string | Promise<string>, code: string]

const algorithmAttacks: readonly Attack[] = [
  ['HS256 with the RSA public key in PEM as secret', () => hs(pem(rsa), 'rsa'), 'token_algorithm'],
  ['HS256 with the RSA public key in DER as secret', () => hs(der(rsa), 'rsa'), 'token_algorithm'],
  ['HS256 with the RSA public JWK as secret', () => hs(JSON.stringify(jwkOf(rsa)), 'rsa'), 'token_algorithm'],
  ['HS256 with the EC public key in PEM as secret', () => hs(pem(ec), 'ec'), 'token_algorithm'],
  ['HS256 with the EC public key in DER as secret', () => hs(der(ec), 'ec'), 'token_algorithm'],
  ['HS256 where the issuer allows it by mistake, PEM as secret', () => confused(pem(rsa)), 'token_algorithm'],
  ['HS256 where the issuer allows it by mistake, empty secret', () => confused(''), 'token_algorithm'],
  ['HS256 with an oct key of the set', () => hs(octets, 'octets'), 'token_algorithm'],
  ['alg none without signature', () => header({ alg: 'none' }, () => Buffer.alloc(0)), 'token_algorithm'],
  ['alg none where the issuer allows it by mistake', unsigned, 'token_algorithm'],
  ['alg None', () => header({ alg: 'None' }, () => Buffer.alloc(0)), 'token_algorithm'],
  ['alg nOnE with a signature', () => header({ alg: 'nOnE' }), 'token_algorithm'],
  ['alg NONE', () => header({ alg: 'NONE' }, () => Buffer.alloc(0)), 'token_algorithm'],
  ['alg absent', () => header({ alg: undefined }), 'token_algorithm'],
  ['alg empty', () => header({ alg: '' }), 'token_algorithm'],
  ['alg in an array', () => header({ alg: ['RS256'] }), 'token_algorithm'],
  ['alg null', () => header({ alg: null }), 'token_algorithm'],
  ['alg in lower case', () => header({ alg: 'rs256' }), 'token_algorithm'],
  ['alg with a trailing blank', () => header({ alg: 'RS256 ' }), 'token_algorithm'],
  ['alg named like a member of every object', () => header({ alg: 'constructor' }), 'token_algorithm'],
  [
    'alg that the issuer does not list',
    () => header({ alg: 'RS512' }, signer('RS512', rsa.privateKey)),
    'token_algorithm',
  ],
  [
    'PS256 with a key that is for RS256',
    () => header({ alg: 'PS256', kid: 'pinned' }, signer('PS256', pinned.privateKey)),
    'token_algorithm',
  ],
  ['RS256 with an EC key', () => header({ kid: 'ec' }), 'token_algorithm'],
  [
    'ES256 with a P-384 key',
    () => header({ alg: 'ES256', kid: 'p384' }, signer('ES256', p384.privateKey)),
    'token_algorithm',
  ],
  [
    'ES384 with a P-256 key',
    () => header({ alg: 'ES384', kid: 'ec' }, signer('ES384', ec.privateKey)),
    'token_algorithm',
  ],
  ['EdDSA with an RSA key', () => header({ alg: 'EdDSA' }, signer('EdDSA', ed.privateKey)), 'token_algorithm'],
]

const keyAttacks: readonly Attack[] = [
  ['kid that names a file', () => header({ kid: '../../../../dev/null' }), 'token_key_unknown'],
  ['kid with SQL', () => header({ kid: "x' UNION SELECT 'key" }), 'token_key_unknown'],
  ['kid empty', () => header({ kid: '' }), 'token_key_unknown'],
  ['kid number', () => header({ kid: 1 }), 'token_key_unknown'],
  ['kid null', () => header({ kid: null }), 'token_key_unknown'],
  ['kid array', () => header({ kid: ['rsa'] }), 'token_key_unknown'],
  ['kid in another case', () => header({ kid: 'RSA' }), 'token_key_unknown'],
  ['kid __proto__', () => rawHeader('{"alg":"RS256","kid":"__proto__"}'), 'token_key_unknown'],
  [
    'kid of an encryption key',
    () => header({ kid: 'encryption' }, signer('RS256', encryption.privateKey)),
    'token_key_unknown',
  ],
  [
    'kid of an oct key under a public-key algorithm',
    () => header({ kid: 'octets' }, hmacSigner(octets)),
    'token_key_unknown',
  ],
  [
    'kid of an RSA key under 2048 bits',
    () => header({ kid: 'weak' }, signer('RS256', weak.privateKey)),
    'token_key_unknown',
  ],
  ['kid of an RSA key with exponent 1', () => header({ kid: 'one' }), 'token_key_unknown'],
  ['kid of a point off the curve', () => header({ alg: 'ES256', kid: 'off-curve' }), 'token_key_unknown'],
  [
    'kid of a key that may not verify',
    () => header({ alg: 'ES256', kid: 'sign-only' }, signer('ES256', signOnly.privateKey)),
    'token_key_unknown',
  ],
  [
    'kid that two keys have',
    () => header({ alg: 'ES256', kid: 'twin' }, signer('ES256', twins[0].privateKey)),
    'token_key_unknown',
  ],
  ['no kid where two keys fit', () => header({ kid: undefined }), 'token_key_unknown'],
  [
    'kid beside a shared secret',
    () => craft({ alg: 'HS256', kid: 'rsa' }, claims({ iss: 'https://hs.example.com' }), hmacSigner(secret)),
    'token_key_unknown',
  ],
  [
    'kid of another issuer',
    () => header({ alg: 'ES256', kid: 'other' }, signer('ES256', otherIssuer.privateKey)),
    'token_key_unknown',
  ],
]

const smuggled = (name: string, value: unknown): Attack => [
  `signature by the key in the header parameter ${name}`,
  () => header({ [name]: value }, signer('RS256', stranger.privateKey)),
  'token_signature',
]

const signatureAttacks: readonly Attack[] = [
  ['empty signature', () => header({}, () => Buffer.alloc(0)), 'token_signature'],
  [
    'signature of another token',
    () => `${good().slice(0, good().lastIndexOf('.'))}.${encode(withRsa(Buffer.from('x')))}`,
    'token_signature',
  ],
  [
    'payload changed after signing',
    () => {
      const [head, , mac] = good().split('.')
      return `${head}.${encode(claims({ sub: 'root' }))}.${mac}`
    },
    'token_signature',
  ],
  ['signature cut short', () => header({}, (input) => withRsa(input).subarray(0, 255)), 'token_signature'],
  [
    'signature with a byte too many',
    () => header({}, (input) => Buffer.concat([withRsa(input), Buffer.alloc(1)])),
    'token_signature',
  ],
  ['ECDSA signature of zeros', () => signed(() => Buffer.alloc(64)), 'token_signature'],
  ['ECDSA signature in DER', () => signed((input) => sign('sha256', input, ec.privateKey)), 'token_signature'],
  ['ECDSA signature of one zero byte', () => signed(() => Buffer.alloc(1)), 'token_signature'],
  ['ECDSA signature by another key', () => signed(signer('ES256', strangerEc.privateKey)), 'token_signature'],
  ['RSA-PSS signature under RS256', () => header({}, signer('PS256', rsa.privateKey)), 'token_signature'],
  ['PKCS #1 signature under PS256', () => header({ alg: 'PS256' }), 'token_signature'],
  [
    'key of another issuer under this issuer and its kid',
    () => signed(signer('ES256', otherIssuer.privateKey)),
    'token_signature',
  ],
  [
    'token of this issuer that says it is of another',
    () => craft({ alg: 'ES256', kid: 'other' }, claims({ iss: 'https://other.example.com' }), withEc),
    'token_signature',
  ],
  [
    'HS256 with another secret',
    () => craft({ alg: 'HS256' }, claims({ iss: 'https://hs.example.com' }), hmacSigner('guess')),
    'token_signature',
  ],
  smuggled('jwk', jwkOf(stranger)),
  smuggled('jku', 'https://evil.example.com/jwks.json'),
  smuggled('x5u', 'https://evil.example.com/chain.pem'),
  smuggled('x5c', ['MIIB']),
]

const formAttacks: readonly Attack[] = [
  ['a word', () => 'garbage', 'token_malformed'],
  ['only dots', () => '..', 'token_malformed'],
  ['two parts', () => good().split('.').slice(0, 2).join('.'), 'token_malformed'],
  ['four parts', () => `${good()}.AA`, 'token_malformed'],
  ['an encrypted token of five parts', encrypted, 'token_malformed'],
  ['padding after the signature', () => `${good()}==`, 'token_malformed'],
  ['padding in the payload', () => craftEncoded(encode(rsaHeader), padded(payloadText), withRsa), 'token_malformed'],
  ['the other base64 alphabet', () => craftEncoded(encode(rsaHeader), otherAlphabet(), withRsa), 'token_malformed'],
  ['spare bits set in the signature', () => spareBits(good()), 'token_malformed'],
  [
    'a line break in the payload',
    () => craftEncoded(encode(rsaHeader), `${encode(payloadText)}\n`, withRsa),
    'token_malformed',
  ],
  ['a blank inside', () => good().replace('.', ' .'), 'token_malformed'],
  ['a NUL at the end', () => `${good()}\0`, 'token_malformed'],
  ['letters beyond ASCII', () => good().replace('.', 'é.'), 'token_malformed'],
  ['a comma', () => `${good()},${good()}`, 'token_malformed'],
  ['100 KB', () => payload({ padding: 'x'.repeat(75_000) }), 'token_malformed'],
  ['a claim twice', () => rawPayload(payloadText.replace('{', '{"sub":"root",')), 'token_malformed'],
  [
    'a claim twice, once escaped',
    () => rawPayload(payloadText.replace('{', '{"s\\u0075b":"root",')),
    'token_malformed',
  ],
  [
    'a claim twice further down',
    () => rawPayload(payloadText.replace('{', '{"a":[{"b":1,"b":2}],')),
    'token_malformed',
  ],
  ['a header member twice', () => rawHeader(headerText.replace('{', '{"alg":"none",')), 'token_malformed'],
  [
    'a header member twice, once escaped',
    () => rawHeader(headerText.replace('{', '{"\\u0061lg":"none",')),
    'token_malformed',
  ],
  ['a byte-order mark before the payload', () => rawPayload(`\ufeff${payloadText}`), 'token_malformed'],
  ['a byte-order mark before the header', () => rawHeader(`\ufeff${headerText}`), 'token_malformed'],
  ['a payload in UTF-16', () => rawPayload(Buffer.from(payloadText, 'utf16le')), 'token_malformed'],
  ['a header in UTF-16', () => rawHeader(Buffer.from(headerText, 'utf16le')), 'token_malformed'],
  [
    'a payload that is not UTF-8',
    () => rawPayload(Buffer.from(payloadText.replace('alice', '\xff'), 'latin1')),
    'token_malformed',
  ],
  ['half of a surrogate pair', () => rawPayload(payloadText.replace('alice', '\\ud800')), 'token_malformed'],
  ['a payload in an array', () => rawPayload(`[${payloadText}]`), 'token_malformed'],
  ['a payload in arrays beyond any depth', () => rawPayload('['.repeat(9000) + ']'.repeat(9000)), 'token_malformed'],
  [
    'a claim in arrays beyond the depth',
    () => rawPayload(payloadText.replace('{', `{"a":${'['.repeat(64)}${']'.repeat(64)},`)),
    'token_malformed',
  ],
  ['a payload that is a string', () => rawPayload('"alice"'), 'token_malformed'],
  ['a payload that is null', () => rawPayload('null'), 'token_malformed'],
  ['an empty payload', () => rawPayload(''), 'token_malformed'],
  ['a header that is an array', () => rawHeader('[]'), 'token_malformed'],
  ['an empty header', () => rawHeader(''), 'token_malformed'],
  ['bytes after the payload', () => rawPayload(`${payloadText}{}`), 'token_malformed'],
  ['a payload cut off', () => rawPayload(payloadText.slice(0, -1)), 'token_malformed'],
  ['crit', () => header({ crit: ['exp'], exp: 1 }), 'token_malformed'],
  ['crit empty', () => header({ crit: [] }), 'token_malformed'],
  ['b64 false', () => header({ b64: false }), 'token_malformed'],
  ['b64 true', () => header({ b64: true }), 'token_malformed'],
  ['exp 1e999', () => rawPayload(payloadText.replace(/"exp":\d+/, '"exp":1e999')), 'token_malformed'],
  ['exp as a string', () => payload({ exp: String(now + 300) }), 'token_malformed'],
  ['exp null', () => payload({ exp: null }), 'token_malformed'],
  ['nbf as a string', () => payload({ nbf: '0' }), 'token_malformed'],
  ['iat in an array', () => payload({ iat: [now] }), 'token_malformed'],
  ['iat -1e999', () => rawPayload(payloadText.replace(/"iat":\d+/, '"iat":-1e999')), 'token_malformed'],
  ['a life that is too long by a second', () => payload({ exp: now + 86401 }), 'token_malformed'],
  ['a life without end', () => payload({ exp: Number.MAX_VALUE }), 'token_malformed'],
]

const claimAttacks: readonly Attack[] = [
  ['expired an hour ago', () => payload({ exp: now - 3600 }), 'token_expired'],
  ['expired beyond the tolerance by a second', () => payload({ exp: now - 6 }), 'token_expired'],
  ['expired exactly at the tolerance', () => payload({ exp: now - 5 }), 'token_expired'],
  ['exp 0', () => payload({ exp: 0 }), 'token_expired'],
  ['exp negative', () => payload({ exp: -1 }), 'token_expired'],
  ['nbf beyond the tolerance by a second', () => payload({ nbf: now + 6 }), 'token_not_yet_valid'],
  ['iat beyond the tolerance by a second', () => payload({ iat: now + 6 }), 'token_not_yet_valid'],
  ['iat in milliseconds', () => payload({ iat: nowMs }), 'token_not_yet_valid'],
  ['aud of another', () => payload({ aud: 'account' }), 'token_audience'],
  ['aud of others in an array', () => payload({ aud: ['account', 'mcp-gateway2'] }), 'token_audience'],
  ['aud absent', () => payload({ aud: undefined }), 'token_audience'],
  ['aud null', () => payload({ aud: null }), 'token_audience'],
  ['aud empty', () => payload({ aud: '' }), 'token_audience'],
  ['aud an empty array', () => payload({ aud: [] }), 'token_audience'],
  ['aud nested', () => payload({ aud: [['mcp-gateway']] }), 'token_audience'],
  ['aud with a member that is no string', () => payload({ aud: ['mcp-gateway', 1] }), 'token_audience'],
  ['aud an object', () => payload({ aud: { 0: 'mcp-gateway' } }), 'token_audience'],
  ['aud a number', () => payload({ aud: 1 }), 'token_audience'],
  ['aud in another case', () => payload({ aud: 'MCP-Gateway' }), 'token_audience'],
  ['aud that holds the audience', () => payload({ aud: 'mcp-gateway other' }), 'token_audience'],
  ['iss absent', () => payload({ iss: undefined }), 'token_issuer_unknown'],
  ['iss of nobody', () => payload({ iss: 'https://evil.example.com' }), 'token_issuer_unknown'],
  ['iss with a slash more', () => payload({ iss: `${issuerName}/` }), 'token_issuer_unknown'],
  ['iss in another case', () => payload({ iss: issuerName.toUpperCase() }), 'token_issuer_unknown'],
  ['iss in an array', () => payload({ iss: [issuerName] }), 'token_issuer_unknown'],
  ['iss constructor', () => payload({ iss: 'constructor' }), 'token_issuer_unknown'],
  ['an ID token', () => payload({ typ: 'ID' }), 'token_type'],
  ['a refresh token', () => payload({ typ: 'Refresh' }), 'token_type'],
  ['claim typ in another case', () => payload({ typ: 'bearer' }), 'token_type'],
  ['claim typ null', () => payload({ typ: null }), 'token_type'],
  ['header typ refresh', () => header({ typ: 'refresh' }), 'token_type'],
  ['header typ of a logout token', () => header({ typ: 'logout+jwt' }), 'token_type'],
  ['header typ of DPoP', () => header({ typ: 'dpop+jwt' }), 'token_type'],
  ['header typ empty', () => header({ typ: '' }), 'token_type'],
  ['header typ null', () => header({ typ: null }), 'token_type'],
  ['header typ in an array', () => header({ typ: ['JWT'] }), 'token_type'],
  ['header typ with a line break', () => header({ typ: 'JWT\n' }), 'token_type'],
  ['header typ with text before it', () => header({ typ: 'x-application/jwt' }), 'token_type'],
  ['exp absent', () => payload({ exp: undefined }), 'token_claim_missing'],
  ['sub absent, as in a lightweight token', () => payload({ sub: undefined }), 'token_claim_missing'],
  ['sub empty', () => payload({ sub: '' }), 'token_claim_missing'],
  ['sub a number', () => payload({ sub: 7 }), 'token_claim_missing'],
  ['sub in an array', () => payload({ sub: ['alice'] }), 'token_claim_missing'],
  [
    'sub only in __proto__',
    () => rawPayload(payloadText.replace('"sub"', '"__proto__":{"sub":"alice"},"x"')),
    'token_claim_missing',
  ],
]

describe.each([
  ['algorithm', algorithmAttacks],
  ['key', keyAttacks],
  ['signature', signatureAttacks],
  ['form', formAttacks],
  ['claim', claimAttacks],
])('a token attack on the %s is refused', (_, attacks) => {
  test.each(attacks)('%s', async (_name, token, code) => {
    expect(await codeOf({ kind: 'token', token: await token() })).toBe(code)
  })
})

test('a token that names no audience is refused also where any will do', async () => {
  const trusting = createAuthenticator({
    issuers: [issuerOptions([jwkOf(rsa, { kid: 'rsa' })], { audiences: [] })],
    now: () => nowMs,
  })
  for (const aud of [undefined, null, '', [], [''], 1, ['anybody', 1], { 0: 'anybody' }]) {
    const outcome = await trusting.authenticate({ kind: 'token', token: payload({ aud }) })
    expect(outcome).toMatchObject({ ok: false, code: 'token_audience' })
  }
  const outcome = await trusting.authenticate({ kind: 'token', token: payload({ aud: 'anybody' }) })
  expect(outcome).toMatchObject({ ok: true })
})

describe('a good token in a bad credential is refused', () => {
  const credentials: readonly (readonly [name: string, values: () => readonly string[], code: string])[] = [
    ['two values', () => [`Bearer ${good()}`, `Bearer ${good()}`], 'token_malformed'],
    ['a good value before an empty one', () => [`Bearer ${good()}`, ''], 'token_malformed'],
    ['two tokens joined by a comma', () => [`Bearer ${good()}, Bearer ${good()}`], 'token_malformed'],
    ['two tokens joined by a blank', () => [`Bearer ${good()} ${good()}`], 'token_malformed'],
    ['another scheme', () => [`DPoP ${good()}`], 'token_missing'],
    ['no scheme', () => [good()], 'token_missing'],
    ['blanks up to 100 KB', () => [`Bearer ${' '.repeat(100_000)}${good()}`], 'token_malformed'],
  ]
  test.each(credentials)('%s', async (_name, values, code) => {
    expect(await codeOf({ kind: 'authorization', values: values() })).toBe(code)
  })
})

test('the token that every attack is made from is accepted, so that each fails for its own reason', async () => {
  const subject = expect.objectContaining({ id: 'alice' })
  expect(await authenticate({ kind: 'token', token: good() })).toEqual({ ok: true, subject })
  expect(await authenticate({ kind: 'token', token: signed(withEc) })).toEqual({ ok: true, subject })
  expect(await authenticate({ kind: 'token', token: rawPayload(payloadText) })).toEqual({ ok: true, subject })
  expect(await authenticate({ kind: 'token', token: rawHeader(headerText) })).toEqual({ ok: true, subject })
})

test('a refusal never holds what the client sent', async () => {
  const marker = 'evil-marker'
  const tokens = [
    header({ kid: marker }),
    header({ alg: marker }),
    header({ typ: marker }),
    payload({ iss: marker }),
    payload({ aud: marker }),
    marker,
  ]
  for (const token of tokens) {
    expect(JSON.stringify(await authenticate({ kind: 'token', token }))).not.toContain(marker)
  }
})

function authenticate(credential: Credential): Promise<Authentication> {
  return authenticator.authenticate(credential)
}

async function codeOf(credential: Credential): Promise<string> {
  const outcome = await authenticate(credential)
  return outcome.ok ? 'accepted' : outcome.code
}

function unsigned(): string {
  return craft({ alg: 'none' }, claims({ iss: 'https://confused.example.com' }), () => Buffer.alloc(0))
}

function encrypted(): Promise<string> {
  return new CompactEncrypt(Buffer.from(payloadText))
    .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: 'encryption' })
    .encrypt(encryption.publicKey)
}

/** Text in base64url with the padding that a token must not have; made to need some. */
function padded(text: string): string {
  const bytes = text.length % 3 === 0 ? `${text} ` : text
  return Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

/** A payload whose encoding needs the two letters in which the alphabets differ. */
function otherAlphabet(): string {
  const bytes = Buffer.from(JSON.stringify(claims({ name: '???>>>~~~ÿÿÿ' })))
  const text = bytes.toString('base64').replaceAll('=', '')
  if (!/[+/]/.test(text)) throw new Error('the payload does not tell the alphabets apart')
  return text
}

/** The signature of 256 bytes leaves four bits of its last letter unused. */
function spareBits(token: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = letters.indexOf(token.slice(-1))
  return token.slice(0, -1) + letters[last + 1]
}
