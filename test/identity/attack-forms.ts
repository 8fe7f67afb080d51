import { CompactEncrypt } from 'jose'
import {
  type Attack,
  encryption,
  good,
  header,
  headerText,
  payload,
  payloadText,
  rawHeader,
  rawPayload,
  rsaHeader,
  withRsa,
} from './attack-issuers.ts'
import { claims, craft, craftEncoded, encode, now } from './tokens.ts'

export const formAttacks: readonly Attack[] = [
  ['a word', () => 'garbage', 'token_malformed'],
  ['only dots', () => '..', 'token_malformed'],
  ['two parts', () => good().split('.').slice(0, 2).join('.'), 'token_malformed'],
  ['four parts', () => `${good()}.AA`, 'token_malformed'],
  ['an encrypted token of five parts', () => encrypted(), 'token_malformed'],
  ['a signed token in an encrypted one', () => encrypted(good(), { cty: 'JWT' }), 'token_malformed'],
  ['a signed token in a signed one', () => craft({ ...rsaHeader, cty: 'JWT' }, good(), withRsa), 'token_malformed'],
  [
    'an encrypted token in a signed one',
    async () => craft({ ...rsaHeader, cty: 'JWT' }, await encrypted(), withRsa),
    'token_malformed',
  ],
  ['the JSON serialization', flattened, 'token_malformed'],
  ['a selective disclosure after the token', () => `${good()}~WyJzYWx0Iiwic3ViIiwicm9vdCJd~`, 'token_malformed'],
  ['a detached payload', () => good().replace(/\.[^.]+\./, '..'), 'token_malformed'],
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
  ['aud twice', () => rawPayload(payloadText.replace('{', '{"aud":"account",')), 'token_malformed'],
  ['exp twice', () => rawPayload(payloadText.replace('{', '{"exp":1,')), 'token_malformed'],
  ['kid twice', () => rawHeader(headerText.replace('{', '{"kid":"ec",')), 'token_malformed'],
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
  [
    'a life that is too long by a second, nearly over',
    () => payload({ iat: now - 86400, exp: now + 6 }),
    'token_malformed',
  ],
  ['a life of years, nearly over', () => payload({ iat: 0, exp: now + 60 }), 'token_malformed'],
  ['a life without end', () => payload({ exp: Number.MAX_VALUE }), 'token_malformed'],
]

function encrypted(plaintext = payloadText, parameters: Record<string, unknown> = {}): Promise<string> {
  return new CompactEncrypt(Buffer.from(plaintext))
    .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: 'encryption', ...parameters })
    .encrypt(encryption.publicKey)
}

/** RFC 7515 section 7.2.2. */
function flattened(): string {
  const [protectedHeader, body, signature] = good().split('.')
  return JSON.stringify({ protected: protectedHeader, payload: body, signature })
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
