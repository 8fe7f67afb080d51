import { sign } from 'node:crypto'
import {
  type Attack,
  confused,
  der,
  ec,
  ed,
  encryption,
  good,
  header,
  hs,
  octets,
  otherIssuer,
  p384,
  pem,
  pinned,
  rawHeader,
  rsa,
  secret,
  signed,
  signOnly,
  stranger,
  strangerEc,
  twins,
  weak,
  withEc,
  withRsa,
} from './attack-issuers.ts'
import { claims, craft, encode, hmacSigner, jwkOf, signer } from './tokens.ts'

export const algorithmAttacks: readonly Attack[] = [
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
  ['alg noNE', () => header({ alg: 'noNE' }, () => Buffer.alloc(0)), 'token_algorithm'],
  ['alg none after a blank', () => header({ alg: ' none' }, () => Buffer.alloc(0)), 'token_algorithm'],
  ['alg none before a NUL', () => header({ alg: 'none\0' }, () => Buffer.alloc(0)), 'token_algorithm'],
  ['alg none in letters of full width', () => header({ alg: 'ｎｏｎｅ' }, () => Buffer.alloc(0)), 'token_algorithm'],
  ['alg none with a good signature', () => header({ alg: 'none' }), 'token_algorithm'],
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

export const keyAttacks: readonly Attack[] = [
  ['kid that names a file', () => header({ kid: '../../../../dev/null' }), 'token_key_unknown'],
  ['kid with SQL', () => header({ kid: "x' UNION SELECT 'key" }), 'token_key_unknown'],
  ['kid that names an address', () => header({ kid: 'https://evil.example.com/jwks.json' }), 'token_key_unknown'],
  ['kid with a command', () => header({ kid: '|/bin/id' }), 'token_key_unknown'],
  ['kid with a NUL after a good one', () => header({ kid: 'rsa\0' }), 'token_key_unknown'],
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

/** The order of P-256 (FIPS 186-4 appendix D.1.2.3). */
const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')

export const signatureAttacks: readonly Attack[] = [
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
  ['ECDSA signature of the order of the group', () => signed(() => Buffer.concat([order, order])), 'token_signature'],
  [
    'ECDSA signature with r of zero',
    () => signed((input) => Buffer.concat([Buffer.alloc(32), withEc(input).subarray(32)])),
    'token_signature',
  ],
  [
    'ECDSA signature with a byte too many',
    () => signed((input) => Buffer.concat([withEc(input), Buffer.alloc(1)])),
    'token_signature',
  ],
  ['ECDSA signature of the longer curve', () => signed(signer('ES384', p384.privateKey)), 'token_signature'],
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
  smuggled('x5t', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA'),
  smuggled('jwks', { keys: [jwkOf(stranger, { kid: 'rsa' })] }),
]

function unsigned(): string {
  return craft({ alg: 'none' }, claims({ iss: 'https://confused.example.com' }), () => Buffer.alloc(0))
}
