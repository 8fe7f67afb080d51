// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { errorOf, jwks, makeDirectory, onlyProblem, pems } from './workspace.ts'

const files = {
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

const sso = 'issuers:\n  - issuer: https://sso.example.com\n    audiences: [gateway]\n'
const local = 'issuers:\n  - issuer: a\n    jwks: {file: jwks.json}\n'

/** What it is, the file, and all of the error after the file's name; DIRECTORY stands for the file's directory. */
type Row = readonly [name: string, text: string, error: string]

const shape: readonly Row[] = [
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

const meaning: readonly Row[] = [
  [
    'no audiences',
    'issuers:\n  - issuer: https://a\n',
    '2:5: issuers[0].audiences: expected at least one audience; mend: name what `aud` of your tokens holds, for example `audiences: [mcp-gateway]`, or set `insecure.anyAudience`',
  ],
  [
    'an empty list of audiences',
    `${local}    audiences: []\n`,
    '4:5: issuers[0].audiences: expected at least one audience; mend: name what `aud` of your tokens holds, for example `audiences: [mcp-gateway]`, or set `insecure.anyAudience`',
  ],
  [
    'the same issuer twice',
    `${local}    audiences: [b]\n  - issuer: a\n    jwks: {url: https://a}\n    audiences: [c]\n`,
    '5:5: issuers[1].issuer: the same issuer as issuers[0]; mend: make one entry of the two',
  ],
  [
    'HS256 without a secret',
    `${local}    audiences: [b]\n    algorithms: [HS256]\n`,
    '5:18: issuers[0].algorithms[0]: `HS256` goes with `jwks.secretFile` only; mend: name a `jwks.secretFile`, or remove it',
  ],
  [
    'HS512 among others',
    `${local}    audiences: [b]\n    algorithms: [RS256, HS512]\n`,
    '5:25: issuers[0].algorithms[1]: `HS512` goes with `jwks.secretFile` only; mend: name a `jwks.secretFile`, or remove it',
  ],
  [
    'RS256 with a secret',
    'issuers:\n  - issuer: a\n    jwks: {secretFile: secret.txt}\n    audiences: [b]\n    algorithms: [HS256, RS256]\n',
    '5:25: issuers[0].algorithms[1]: `RS256` does not go with `jwks.secretFile`; mend: use HS256, HS384 or HS512, or name public keys',
  ],
  [
    'keys from two places',
    'issuers:\n  - issuer: a\n    jwks: {file: jwks.json, url: "https://a"}\n    audiences: [b]\n',
    '3:5: issuers[0].jwks: expected only one of `file`, `url`, `secretFile`; mend: keep the one you want',
  ],
  [
    'keys from nowhere',
    'issuers:\n  - issuer: a\n    jwks: {}\n    audiences: [b]\n',
    '3:5: issuers[0].jwks: expected one of `file`, `url`, `secretFile`, found none; mend: add one of them, or remove the key',
  ],
  [
    'a JWK Set that is missing',
    'issuers:\n  - issuer: a\n    jwks: {file: absent.json}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.file: no such file: `DIRECTORY/absent.json`; mend: create it, or name another file',
  ],
  [
    'a JWK Set that is a directory',
    'issuers:\n  - issuer: a\n    jwks: {file: dir}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.file: expected a file, found a directory: `DIRECTORY/dir`; mend: create it, or name another file',
  ],
  [
    'a JWK Set that is no JSON',
    'issuers:\n  - issuer: a\n    jwks: {file: text.json}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.file: `DIRECTORY/text.json` is not JSON; mend: write a JWK Set: `{"keys": [...]}`',
  ],
  [
    'a JWK Set with a private key',
    'issuers:\n  - issuer: a\n    jwks: {file: private.json}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.file: key 1 of `DIRECTORY/private.json` is a private or symmetric key, expected public keys only; mend: write the public side of each key, without `d`, `k` and the like',
  ],
  [
    'a JWK Set with a shared key',
    'issuers:\n  - issuer: a\n    jwks: {file: symmetric.json}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.file: key 0 of `DIRECTORY/symmetric.json` is a private or symmetric key, expected public keys only; mend: write the public side of each key, without `d`, `k` and the like',
  ],
  [
    'a secret that is missing',
    'issuers:\n  - issuer: a\n    jwks: {secretFile: absent.txt}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.secretFile: no such file: `DIRECTORY/absent.txt`; mend: create it, or name another file',
  ],
  [
    'keys by http from elsewhere',
    'issuers:\n  - issuer: a\n    jwks: {url: "http://sso.example.com/jwks"}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.url: expected https; http is for loopback, or set `insecure.httpIssuers`; mend: write an https address',
  ],
  [
    'keys by http from a lookalike',
    'issuers:\n  - issuer: a\n    jwks: {url: "http://127.0.0.1.example.com/"}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.url: expected https; http is for loopback, or set `insecure.httpIssuers`; mend: write an https address',
  ],
  [
    'keys by ftp',
    'issuers:\n  - issuer: a\n    jwks: {url: "ftp://localhost/jwks"}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.url: expected an https address; mend: write an https address',
  ],
  [
    'keys from no address',
    'issuers:\n  - issuer: a\n    jwks: {url: sso.example.com}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.url: expected an https address; mend: write an https address',
  ],
  [
    'keys from an address with a password',
    'issuers:\n  - issuer: a\n    jwks: {url: "https://me:pw@example.com/"}\n    audiences: [b]\n',
    '3:12: issuers[0].jwks.url: expected an address without user and password; mend: write an https address',
  ],
  [
    'discovery at an issuer that is no address',
    'issuers:\n  - issuer: a\n    audiences: [b]\n',
    '2:5: issuers[0].issuer: without `jwks` the issuer is where OIDC discovery begins: expected an https address; mend: say where its keys are with `jwks`, or write an https address',
  ],
  [
    'discovery by http',
    'issuers:\n  - issuer: http://sso.example.com\n    audiences: [b]\n',
    '2:5: issuers[0].issuer: without `jwks` the issuer is where OIDC discovery begins: expected https; http is for loopback, or set `insecure.httpIssuers`; mend: say where its keys are with `jwks`, or write an https address',
  ],
  [
    'a path of grants without `*`',
    `${local}    audiences: [b]\n    claims:\n      grants: a.b\n`,
    '6:7: issuers[0].claims.grants: expected exactly one segment `*`, which stands for the id of the server; mend: write names joined by dots, such as `resource_access.*.roles`',
  ],
  [
    'a path of grants with two `*`',
    `${local}    audiences: [b]\n    claims: {grants: [a.*, "*.*"]}\n`,
    '5:28: issuers[0].claims.grants[1]: expected exactly one segment `*`, which stands for the id of the server; mend: write names joined by dots, such as `resource_access.*.roles`',
  ],
  [
    'a path of roles with `*`',
    `${local}    audiences: [b]\n    claims: {roles: [a, b.*]}\n`,
    '5:25: issuers[0].claims.roles[1]: expected no segment `*`; only paths of grants have one; mend: write names joined by dots',
  ],
  [
    'a path that ends in a dot',
    `${local}    audiences: [b]\n    claims: {subject: a.}\n`,
    '5:14: issuers[0].claims.subject: expected names separated by single dots; write `\\.` for a dot in a name; mend: write names joined by dots',
  ],
  [
    'a path with a bad escape',
    `${local}    audiences: [b]\n    claims: {virtualServer: 'a\\b'}\n`,
    '5:14: issuers[0].claims.virtualServer: expected `\\` to stand before `.`, `*` or `\\`; write `\\\\` for a backslash; mend: write names joined by dots',
  ],
  [
    'an address without a port',
    `${sso}listen:\n  grpc: 127.0.0.1\n`,
    '5:3: listen.grpc: expected HOST:PORT, [IPv6]:PORT or unix:PATH; mend: write for example `127.0.0.1:9191`, `[::1]:9191` or `unix:/run/mcp-authz.sock`',
  ],
  [
    'a port that is too high',
    `${sso}listen:\n  http: 127.0.0.1:65536\n`,
    '5:3: listen.http: expected a port from 0 to 65535; mend: write for example `127.0.0.1:9191`, `[::1]:9191` or `unix:/run/mcp-authz.sock`',
  ],
  [
    'a socket without a path',
    `${sso}listen:\n  http: "unix:"\n`,
    '5:3: listen.http: expected a path after `unix:`; mend: write for example `127.0.0.1:9191`, `[::1]:9191` or `unix:/run/mcp-authz.sock`',
  ],
  [
    'one address for both doors',
    `${sso}listen:\n  http: 127.0.0.1:9191\n`,
    '5:3: listen.http: the same address as listen.grpc; mend: choose another port',
  ],
  [
    'a bundle that is missing',
    `${sso}bundle:\n  file: absent.tar.gz\n`,
    '5:3: bundle.file: no such file: `DIRECTORY/absent.tar.gz`; mend: create it, or name another file',
  ],
  [
    'a bundle that is a directory',
    `${sso}bundle:\n  file: dir\n`,
    '5:3: bundle.file: `DIRECTORY/dir` is a directory; mend: name a file',
  ],
  [
    'a data file that is missing',
    `${sso}data:\n  - jwks.json\n  - absent.yaml\n`,
    '6:5: data[1]: no such file: `DIRECTORY/absent.yaml`; mend: create it, or name another file',
  ],
  [
    'a capability key that is missing',
    `${sso}capabilities:\n  key: {file: absent.pem}\n`,
    '5:9: capabilities.key.file: no such file: `DIRECTORY/absent.pem`; mend: create it, or name another file',
  ],
  [
    'a capability key without a file',
    `${sso}capabilities:\n  key: {}\n`,
    '5:3: capabilities.key.file: expected this key, found nothing; mend: add `file`',
  ],
  [
    'no enforcement in profile strict',
    `${sso}capabilities:\n  enforce: false\n`,
    '5:3: capabilities.enforce: expected true, false is for profile kuadrant only; mend: remove it, or set `mcp.profile: kuadrant`',
  ],
  [
    'headers alone in profile strict',
    `${sso}mcp:\n  kuadrant: {headersOnly: true}\n`,
    '5:14: mcp.kuadrant.headersOnly: expected false, true is for profile kuadrant only; mend: remove it, or set `mcp.profile: kuadrant`',
  ],
]

const keyFiles: readonly Row[] = [
  ...['list.json', 'nokeys.json', 'keys.json', 'object.json'].map((file): Row => {
    const error = `\`DIRECTORY/${file}\` is not a JWK Set; mend: write an object: \`{"keys": [...]}\``
    return [`a JWK Set like ${file}`, keys(`{file: ${file}}`), `3:12: issuers[0].jwks.file: ${error}`]
  }),
  ...['empty.txt', 'newline.txt', 'crlf.txt'].map((file): Row => {
    const error = `\`DIRECTORY/${file}\` holds no secret; mend: write the secret into the file`
    return [`a secret like ${file}`, keys(`{secretFile: ${file}}`), `3:12: issuers[0].jwks.secretFile: ${error}`]
  }),
  ...['text.json', 'empty.txt', 'public.pem', 'encrypted.pem', 'p384.pem', 'rsa.pem', 'two.pem', 'cut.pem'].map(
    (file): Row => {
      const mend = 'make one with `mcp-authz keys generate`'
      const error = `expected one P-256 private key (PKCS#8 or SEC1) in PEM in \`DIRECTORY/${file}\`; mend: ${mend}`
      const text = `${sso}capabilities:\n  key: {file: ${file}}\n`
      return [`a capability key like ${file}`, text, `5:9: capabilities.key.file: ${error}`]
    },
  ),
  ...['key.pem', 'p384-public.pem', 'two-public.pem', 'text.json'].map((file): Row => {
    const mend = 'write the output of `mcp-authz keys public --pem` into it'
    const error = `expected one P-256 public key (SPKI) in PEM in \`DIRECTORY/${file}\`; mend: ${mend}`
    const text = `${sso}capabilities:\n  trusted: {file: ${file}}\n`
    return [`a trusted key like ${file}`, text, `5:13: capabilities.trusted.file: ${error}`]
  }),
]

const trusted: readonly Row[] = [
  [
    'two kinds of trusted keys',
    `${sso}capabilities:\n  trusted: {file: a.pem, url: "https://a"}\n`,
    '5:3: capabilities.trusted: expected only one of `file`, `url`; mend: keep the one you want',
  ],
  [
    'trusted keys over http',
    `${sso}capabilities:\n  trusted: {url: "http://authz.example.com/jwks"}\n`,
    '5:13: capabilities.trusted.url: expected https; http is for loopback, or set `insecure.httpIssuers`; mend: write an https address',
  ],
  [
    'a trusted set without a key of the curve',
    `${sso}capabilities:\n  trusted: {file: empty-set.json}\n`,
    '5:13: capabilities.trusted.file: expected a P-256 key in the JWK Set `DIRECTORY/empty-set.json`; mend: write the output of `mcp-authz keys public` into it',
  ],
  [
    'a trusted set of private keys',
    `${sso}capabilities:\n  trusted: {file: private.json}\n`,
    '5:13: capabilities.trusted.file: key 1 of `DIRECTORY/private.json` is a private or symmetric key, expected public keys only; mend: write the public side of each key, without `d`, `k` and the like',
  ],
]

const modes = '`explicit`, `hide`, `rpc`, `challenge`, `tool-result`, `coaz`'
const denials: readonly Row[] = [
  [
    'a denial that is a list',
    `${sso}mcp:\n  denial: [hide]\n`,
    '5:3: mcp.denial: expected text or an object, found a list; mend: write text, in quotes if it looks like a number or a list',
  ],
  [
    'a denial of no kind',
    `${sso}mcp:\n  denial: hidden\n`,
    `5:3: mcp.denial: expected one of ${modes}; mend: did you mean \`hide\`?`,
  ],
  [
    'a default denial of no kind',
    `${sso}mcp:\n  denial: {default: rcp}\n`,
    `5:12: mcp.denial.default: expected one of ${modes}; mend: did you mean \`rpc\`?`,
  ],
  [
    'a client without a mode',
    `${sso}mcp:\n  denial:\n    clients: [{match: {userAgent: a}}]\n`,
    '6:15: mcp.denial.clients[0].mode: expected this key, found nothing; mend: add `mode`',
  ],
  [
    'a client that is anybody',
    `${sso}mcp:\n  denial:\n    clients: [{match: {}, mode: rpc}]\n`,
    '6:16: mcp.denial.clients[0].match: expected one of `clientName`, `userAgent`, `protocolVersion`, found none; mend: add one of them, or remove the key',
  ],
  [
    'a match on something else',
    `${sso}mcp:\n  denial:\n    clients: [{match: {name: a}, mode: rpc}]\n`,
    '6:24: mcp.denial.clients[0].match.name: unknown key `name`; mend: remove it, or use one of `clientName`, `userAgent`, `protocolVersion`',
  ],
  [
    'a client of a version that is none',
    `${sso}mcp:\n  denial:\n    clients: [{match: {protocolVersion: 2026-07-29}, mode: rpc}]\n`,
    '6:24: mcp.denial.clients[0].match.protocolVersion: expected one of `2024-11-05`, `2025-03-26`, `2025-06-18`, `2025-11-25`, `2026-07-28`; mend: did you mean `2026-07-28`?',
  ],
  [
    'an SDK that is none',
    `${sso}mcp:\n  denial:\n    hideLike: {sdk: v3}\n`,
    '6:16: mcp.denial.hideLike.sdk: expected one of `v1`, `v2`; mend: did you mean `v1`?',
  ],
]

function keys(jwks: string): string {
  return `issuers:\n  - issuer: a\n    jwks: ${jwks}\n    audiences: [b]\n`
}

describe('a broken configuration', () => {
  it.each([...shape, ...meaning, ...keyFiles, ...trusted, ...denials])(
    'is refused with file, line, key and mend: %s',
    async (_, text, line) => {
      const directory = await makeDirectory({ ...files, 'mcp-authz.yaml': text })
      const file = join(directory, 'mcp-authz.yaml')
      const error = await errorOf(() => loadConfig(file, { env: { SET: '7' } }))
      expect(error.message).toBe(`${file}:${line.replace('DIRECTORY', directory)}`)
      const { path, ...problem } = onlyProblem(error)
      expect(problem.file).toBe(file)
      expect(line).toMatch(new RegExp(`^${problem.line}:${problem.column}: `))
      expect(line.slice(`${problem.line}:${problem.column}: `.length).startsWith(path)).toBe(true)
    },
  )

  it('is named where it is missing', async () => {
    const error = await errorOf(() => loadConfig('/nowhere/mcp-authz.yaml', { env: {} }))
    expect(error.message).toBe('/nowhere/mcp-authz.yaml: no such file; mend: create it, or name another file')
    expect(error.code).toBe('config')
  })
})

describe('an error', () => {
  it('tells everything at once, in the order of the file', async () => {
    const text = [
      'lisen: {}',
      'bundle: {file: absent.gz}',
      'issuers:',
      '  - issuer: https://a',
      '    audience: [b]',
      '    algorithms: [HS256]',
      '  - issuer: https://a',
      '    audiences: [b]',
      '    jwks: {file: absent.json}',
      '    maxLifetimeSeconds: ${NOPE}',
      'capabilities: {enforce: false, key: {file: rsa.pem}, maxBytes: 0}',
      'mcp: {denial: hidden}',
      'insecure: {anyAudiences: true}',
    ]
    const directory = await makeDirectory({ ...files, 'mcp-authz.yaml': text.join('\n') })
    const error = await errorOf(() => loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} }))
    expect(error.problems.map((problem) => `${problem.line} ${problem.path}`)).toEqual([
      '1 lisen',
      '2 bundle.file',
      '5 issuers[0].audience',
      '6 issuers[0].algorithms[0]',
      '7 issuers[1].issuer',
      '9 issuers[1].jwks.file',
      '10 issuers[1].maxLifetimeSeconds',
      '11 capabilities.enforce',
      '11 capabilities.key.file',
      '11 capabilities.maxBytes',
      '12 mcp.denial',
      '13 insecure.anyAudiences',
    ])
    expect(error.message.split('\n')).toHaveLength(12)
  })
})

describe('an error text', () => {
  it('does not show keys, secrets and the values of variables', async () => {
    const secret = 'c3VwZXItc2VjcmV0LXZhbHVl'
    const text = [
      'listen: {grpc: "${SECRET}"}',
      'issuers:',
      '  - {issuer: "${SECRET}", jwks: {file: private.json}, audiences: [b], claims: {preset: "${SECRET}", grants: "${SECRET}"}}',
      '  - {issuer: "${SECRET}", jwks: {url: "${SECRET}"}, audiences: [b]}',
      '  - {issuer: "${SECRET}", audiences: [b], algorithms: ["${SECRET}"]}',
      'capabilities: {key: {file: cut.pem}, trusted: {file: key.pem}}',
    ]
    const directory = await makeDirectory({ ...files, 'mcp-authz.yaml': text.join('\n') })
    const error = await errorOf(() => loadConfig(join(directory, 'mcp-authz.yaml'), { env: { SECRET: secret } }))
    const shown = JSON.stringify([error.message, error.problems])
    expect(shown).not.toContain(secret)
    for (const key of JSON.parse(jwks.private).keys) expect(shown).not.toContain(key.d ?? 'absent')
    for (const line of pems.pkcs8.split('\n').filter((each) => each !== '')) expect(shown).not.toContain(line)
  })

  it('shows what the user wrote on one line', async () => {
    const directory = await makeDirectory({ 'mcp-authz.yaml': `${sso}"a\\nb\\u2028c\\e[31m": 1\n` })
    const error = await errorOf(() => loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} }))
    expect(error.message).toMatch(/^[\x20-\x7e]+$/)
    expect(error.message).toContain('unknown key `a\\u000ab\\u2028c\\u001b[31m`')
  })

  it('says of very many problems how many more there are', async () => {
    const keysOfMany = Array.from({ length: 150 }, (_, index) => `zebra${index}: 1\n`)
    const directory = await makeDirectory({ 'mcp-authz.yaml': sso + keysOfMany.join('') })
    const error = await errorOf(() => loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} }))
    expect(error.problems).toHaveLength(150)
    expect(error.message.split('\n').at(-1)).toBe('and 50 more')
  })
})
