// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test.
import { jwks, pems } from './workspace.ts'

export const files = {
  'jwks.json': jwks.public,
  'private.json': jwks.private,
  'symmetric.json': jwks.symmetric,
  'text.json': 'not json',
  'empty-set.json': '{"keys":[]}',
  'list.json': '[]',
  'nokeys.json': '{"key": []}',
  'keys.json': '{"keys": [7]}',
  'object.json': '{"keys": {}}',
  'secret.txt': 'x'.repeat(64),
  'empty.txt': '',
  'newline.txt': '\n',
  'crlf.txt': '\r\n',
  'key.pem': pems.pkcs8,
  'public.pem': pems.spki,
  'encrypted.pem': pems.encrypted,
  'p384.pem': pems.p384,
  'p384-public.pem': pems.p384Public,
  'rsa.pem': pems.rsa,
  'two.pem': pems.pkcs8 + pems.sec1,
  'two-public.pem': pems.spki + pems.spki,
  'cut.pem': pems.pkcs8.replace(/\n[^\n]{20}/, '\n'),
  'dir/file': '',
}

export const sso = 'issuers:\n  - issuer: https://sso.example.com\n    audiences: [gateway]\n'
export const local = 'issuers:\n  - issuer: a\n    jwks: {file: jwks.json}\n'

/** What it is, the file, and all of the error after the file's name; DIRECTORY stands for the file's directory. */
export type Row = readonly [name: string, text: string, error: string]

export const shape: readonly Row[] = [
  ['an unknown key', `${sso}lisen: {}\n`, '4:1: lisen: unknown key `lisen`; mend: did you mean `listen`?'],
  [
    'an unknown key in an issuer',
    `${local}    audience: [b]\n`,
    '4:5: issuers[0].audience: unknown key `audience`; mend: did you mean `audiences`?',
  ],
  [
    'an unknown key like none',
    `${sso}insecure:\n  zebra: true\n`,
    '5:3: insecure.zebra: unknown key `zebra`; mend: remove it, or use one of `anyAudience`, `httpIssuers`, `httpUpstreams`, `unsignedState`',
  ],
  [
    'a key in another case',
    `${sso}mcp:\n  Profile: strict\n`,
    '5:3: mcp.Profile: unknown key `Profile`; mend: did you mean `profile`?',
  ],
  [
    'a key like those of every object',
    `${sso}__proto__: {issuers: []}\n`,
    '4:1: __proto__: unknown key `__proto__`; mend: remove it, or use one of `listen`, `bundle`, `data`, `issuers`, `capabilities`, `mcp`, `gateway`, `protectedResource`, `state`, `revocations`, `broker`, `insecure`',
  ],
  [
    'a key with a constructor',
    `${sso}mcp: {constructor: 1}\n`,
    '4:7: mcp.constructor: unknown key `constructor`; mend: remove it, or use one of `profile`, `maxBodyBytes`, `maxDepth`, `batches`, `denial`, `kuadrant`',
  ],
  ['no issuers', 'mcp: {}\n', '1:1: issuers: expected this key, found nothing; mend: add `issuers`'],
  ['an empty file', '', '1:1: issuers: expected this key, found nothing; mend: add `issuers`'],
  ['an empty list of issuers', 'issuers: []\n', '1:1: issuers: expected a list that is not empty; mend: add an entry'],
  [
    'an issuer without its name',
    'issuers:\n  - audiences: [b]\n',
    '2:5: issuers[0].issuer: expected this key, found nothing; mend: add `issuer`',
  ],
  [
    'an issuer that is text',
    'issuers:\n  - https://a\n',
    '2:5: issuers[0]: expected an object, found text; mend: write `key: value` pairs, or `{}` for none',
  ],
  [
    'a list for the whole',
    '- issuers\n',
    '1:1: expected an object, found a list; mend: write `key: value` pairs, or `{}` for none',
  ],
  [
    'text for the whole',
    'issuers',
    '1:1: expected an object, found text; mend: write `key: value` pairs, or `{}` for none',
  ],
  [
    'a number for text',
    `${sso}listen:\n  grpc: 9191\n`,
    '5:3: listen.grpc: expected text, found a number; mend: write text, in quotes if it looks like a number or a list',
  ],
  [
    'text for a number',
    `${sso}mcp:\n  maxDepth: "64"\n`,
    '5:3: mcp.maxDepth: expected a whole number, found text; mend: write a whole number, without quotes (a variable gives text)',
  ],
  [
    'a fraction for a whole number',
    `${sso}mcp:\n  maxDepth: 1.5\n`,
    '5:3: mcp.maxDepth: expected a whole number, found a number; mend: write a whole number, without quotes (a variable gives text)',
  ],
  [
    'text for a switch',
    `${sso}mcp:\n  batches: yes\n`,
    '5:3: mcp.batches: expected true or false, found text; mend: write `true` or `false`, without quotes (a variable gives text)',
  ],
  [
    'text for a list',
    `${sso}data: a.yaml\n`,
    '4:1: data: expected a list, found text; mend: write a list, `[...]` or lines that begin with `- `',
  ],
  [
    'nothing for an object',
    `${sso}insecure:\n`,
    '4:1: insecure: expected an object, found nothing; mend: write `key: value` pairs, or `{}` for none',
  ],
  [
    'a number for a claim path',
    `${local}    audiences: [b]\n    claims:\n      roles: 7\n`,
    '6:7: issuers[0].claims.roles: expected text or a list, found a number; mend: write text, in quotes if it looks like a number or a list',
  ],
  [
    'a number among claim paths',
    `${local}    audiences: [b]\n    claims:\n      roles: [a,\n        7]\n`,
    '7:9: issuers[0].claims.roles[1]: expected text, found a number; mend: write text, in quotes if it looks like a number or a list',
  ],
  [
    'another profile',
    `${sso}mcp:\n  profile: kuadrnat\n`,
    '5:3: mcp.profile: expected one of `strict`, `kuadrant`; mend: did you mean `kuadrant`?',
  ],
  [
    'an algorithm `none`',
    `${local}    audiences: [b]\n    algorithms: [RS256, none]\n`,
    '5:25: issuers[0].algorithms[1]: expected one of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`, `Ed25519`, `HS256`, `HS384`, `HS512`; mend: write one of them',
  ],
  [
    'no algorithm',
    `${local}    audiences: [b]\n    algorithms: []\n`,
    '5:5: issuers[0].algorithms: expected a list that is not empty; mend: add an entry',
  ],
  [
    'an empty audience',
    `${local}    audiences: [""]\n`,
    '4:17: issuers[0].audiences[0]: expected text that is not empty; mend: write a value, or remove the key',
  ],
  [
    'too large a number',
    `${sso}capabilities:\n  lifetimeSeconds: 86401\n`,
    '5:3: capabilities.lifetimeSeconds: expected a number from 1 to 86400; mend: change the number, or remove the key for the default',
  ],
  [
    'too small a number',
    `${sso}capabilities:\n  maxBytes: 0\n`,
    '5:3: capabilities.maxBytes: expected a number from 1 to 1048576; mend: change the number, or remove the key for the default',
  ],
  [
    'a switch that is no switch',
    `${sso}capabilities:\n  authorizedTools: "yes"\n`,
    '5:3: capabilities.authorizedTools: expected true or false, found text; mend: write `true` or `false`, without quotes (a variable gives text)',
  ],
  [
    'a lifetime of nothing',
    `${local}    audiences: [b]\n    maxLifetimeSeconds: 0\n`,
    '5:5: issuers[0].maxLifetimeSeconds: expected a number above 0; mend: change the number, or remove the key for the default',
  ],
  [
    'a key that is there twice',
    `${sso}mcp: {}\nmcp: {}\n`,
    '5:1: mcp: the key is there twice, first on line 4; mend: remove or rename one of them',
  ],
  [
    'two documents',
    `${sso}---\nissuers:\n  - issuer: https://sso.example.com\n    audiences: [gateway]\n`,
    '4:1: expected one document; mend: remove `---` and what follows',
  ],
  [
    'bad YAML',
    `${sso}mcp: [\n`,
    '5:1: not well-formed YAML: flow sequence in block collection must be sufficiently indented and end with a ]; mend: check the indentation and brackets here, and put text that holds `{`, `}`, `: ` or ` #` in quotes',
  ],
  [
    'a variable that is not set',
    `${sso}listen:\n  http: 127.0.0.1:\${PORT}\n`,
    '5:3: listen.http: the environment variable `PORT` is not set; mend: set it, or give a default: `${PORT:-default}`',
  ],
  [
    'a variable for a number that is not set',
    `${sso}mcp:\n  maxDepth: \${DEPTH}\n`,
    '5:3: mcp.maxDepth: the environment variable `DEPTH` is not set; mend: set it, or give a default: `${DEPTH:-default}`',
  ],
  [
    'a bad reference',
    `${local}    audiences: ["\${A"]\n`,
    '4:17: issuers[0].audiences[0]: expected `${NAME}` or `${NAME:-default}`; mend: write `$${` for a plain `${`',
  ],
  [
    'a variable for a number',
    `${sso}mcp:\n  maxDepth: \${SET}\n`,
    '5:3: mcp.maxDepth: expected a whole number, found text; mend: write a whole number, without quotes (a variable gives text)',
  ],
]
