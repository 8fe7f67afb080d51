// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test.

import { local, type Row, sso } from './broken-shapes.ts'

export const meaning: readonly Row[] = [
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

export const keyFiles: readonly Row[] = [
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

export const trusted: readonly Row[] = [
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
export const denials: readonly Row[] = [
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
