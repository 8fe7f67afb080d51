import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { errorOf, jwks, makeDirectory, onlyProblem } from './workspace.ts'

const files = { 'jwks.json': jwks.public, 'secret.txt': 'correct horse', 'empty.txt': '\n', 'dir/file': '' }

const realm = 'issuers:\n  - issuer: https://sso.example.com/realms/mcp\n    audiences: [b]\n'
const local = 'issuers:\n  - issuer: any text\n    jwks: {file: jwks.json}\n    audiences: [b]\n'
const account = 'clientId: a, clientSecretFile: secret.txt'
const admin = 'write the address of the realm in the admin API, like https://sso.example.com/admin/realms/mcp'

/** What it is, the file, and all of the error after the file's name; DIRECTORY stands for the file's directory. */
type Row = readonly [name: string, text: string, error: string]

const rules: readonly Row[] = [
  [
    'an empty list of clients, which would accept none',
    `${realm}    authorizedParties: []\n`,
    '4:5: issuers[0].authorizedParties: expected a list that is not empty; mend: add an entry',
  ],
  [
    'a client as text',
    `${realm}    authorizedParties: desk\n`,
    '4:5: issuers[0].authorizedParties: expected a list, found text; mend: write a list, `[...]` or lines that begin with `- `',
  ],
  [
    'a client without a name',
    `${realm}    authorizedParties: [desk, ""]\n`,
    '4:31: issuers[0].authorizedParties[1]: expected text that is not empty; mend: write a value, or remove the key',
  ],
  [
    'a required claim that is a number',
    `${realm}    requiredClaims: [jti, 7]\n`,
    '4:27: issuers[0].requiredClaims[1]: expected text, found a number; mend: write text, in quotes if it looks like a number or a list',
  ],
  [
    'a required claim without a name',
    `${realm}    requiredClaims: [""]\n`,
    '4:22: issuers[0].requiredClaims[0]: expected text that is not empty; mend: write a value, or remove the key',
  ],
  [
    'a path of groups with a star',
    `${realm}    claims: {groups: a.*}\n`,
    '4:14: issuers[0].claims.groups: expected no segment `*`; only paths of grants have one; mend: write names joined by dots',
  ],
  [
    'a path of scopes that ends in a dot',
    `${realm}    claims: {scopes: [scope, a.]}\n`,
    '4:30: issuers[0].claims.scopes[1]: expected names separated by single dots; write `\\.` for a dot in a name; mend: write names joined by dots',
  ],
  [
    'several paths of an e-mail address',
    `${realm}    claims: {email: [email, mail]}\n`,
    '4:14: issuers[0].claims.email: expected text, found a list; mend: write text, in quotes if it looks like a number or a list',
  ],
]

const keys: readonly Row[] = [
  [
    'keys that die in an outage before they are old',
    `${realm}    keys: {maxAgeSeconds: 600, maxOutageSeconds: 599}\n`,
    '4:32: issuers[0].keys.maxOutageSeconds: expected no less than maxAgeSeconds; mend: raise it, or lower maxAgeSeconds',
  ],
  [
    'keys that die in an outage before the default age',
    `${realm}    keys: {maxOutageSeconds: 0}\n`,
    '4:12: issuers[0].keys.maxOutageSeconds: expected no less than maxAgeSeconds; mend: raise it, or lower maxAgeSeconds',
  ],
  [
    'keys that are always old',
    `${realm}    keys: {maxAgeSeconds: 0}\n`,
    '4:12: issuers[0].keys.maxAgeSeconds: expected a number from 1 to 86400; mend: change the number, or remove the key for the default',
  ],
  [
    'an age of keys in another unit',
    `${realm}    keys: {maxAgeMs: 600}\n`,
    '4:12: issuers[0].keys.maxAgeMs: unknown key `maxAgeMs`; mend: remove it, or use one of `maxAgeSeconds`, `maxOutageSeconds`',
  ],
]

const feeds: readonly Row[] = [
  [
    'a logout whose audience anybody could have',
    `${realm}    backChannelLogout: {audiences: []}\n`,
    '4:25: issuers[0].backChannelLogout.audiences: expected a list that is not empty; mend: add an entry',
  ],
  [
    'a logout without audiences',
    `${realm}    backChannelLogout: {}\n`,
    '4:5: issuers[0].backChannelLogout.audiences: expected this key, found nothing; mend: add `audiences`',
  ],
  [
    'events without a client',
    `${realm}    keycloakEvents: {clientSecretFile: secret.txt}\n`,
    '4:5: issuers[0].keycloakEvents.clientId: expected this key, found nothing; mend: add `clientId`',
  ],
  [
    'events of an issuer that is no realm',
    `${local}    keycloakEvents: {${account}}\n`,
    `5:5: issuers[0].keycloakEvents: the issuer is no address of a Keycloak realm; mend: ${admin}`,
  ],
  [
    'events over http from elsewhere',
    `${realm}    keycloakEvents: {url: "http://sso.example.com/admin/realms/mcp", ${account}}\n`,
    `4:22: issuers[0].keycloakEvents.url: expected https; http is for loopback, or set \`insecure.httpIssuers\`; mend: ${admin}`,
  ],
  [
    'events at an address with a password',
    `${realm}    keycloakEvents: {url: "https://a:b@sso.example.com", ${account}}\n`,
    `4:22: issuers[0].keycloakEvents.url: expected an address without user and password; mend: ${admin}`,
  ],
  [
    'events at no address',
    `${realm}    keycloakEvents: {url: mcp, ${account}}\n`,
    `4:22: issuers[0].keycloakEvents.url: expected an https address; mend: ${admin}`,
  ],
  [
    'events at an address of something else',
    `${realm}    keycloakEvents: {url: "https://sso.example.com/realms/mcp", ${account}}\n`,
    `4:22: issuers[0].keycloakEvents.url: expected an address that ends in \`/admin/realms/NAME\`; mend: ${admin}`,
  ],
  [
    'logouts of people who are named otherwise in tokens',
    `${realm}    backChannelLogout: {audiences: [a]}\n    claims: {subject: email}\n`,
    '5:14: issuers[0].claims.subject: expected `sub`, by which the issuer tells of logouts and events; mend: remove it, or remove `backChannelLogout` and `keycloakEvents`',
  ],
  [
    'events of people who are named otherwise in tokens',
    `${realm}    keycloakEvents: {${account}}\n    claims: {subject: preferred_username}\n`,
    '5:14: issuers[0].claims.subject: expected `sub`, by which the issuer tells of logouts and events; mend: remove it, or remove `backChannelLogout` and `keycloakEvents`',
  ],
  [
    'events without the file of the secret',
    `${realm}    keycloakEvents: {clientId: a, clientSecretFile: absent.txt}\n`,
    '4:35: issuers[0].keycloakEvents.clientSecretFile: no such file: `DIRECTORY/absent.txt`; mend: create it, or name another file',
  ],
  [
    'events with an empty secret',
    `${realm}    keycloakEvents: {clientId: a, clientSecretFile: empty.txt}\n`,
    '4:35: issuers[0].keycloakEvents.clientSecretFile: `DIRECTORY/empty.txt` holds no secret; mend: write the secret into the file',
  ],
  [
    'events asked for without a pause',
    `${realm}    keycloakEvents: {${account}, intervalMs: 0}\n`,
    '4:65: issuers[0].keycloakEvents.intervalMs: expected a number from 50 to 60000; mend: change the number, or remove the key for the default',
  ],
]

describe('a broken issuer', () => {
  it.each([...rules, ...keys, ...feeds])('is refused with file, line, key and mend: %s', async (_, text, line) => {
    const directory = await makeDirectory({ ...files, 'mcp-authz.yaml': text })
    const file = join(directory, 'mcp-authz.yaml')
    const error = await errorOf(() => loadConfig(file, { env: {} }))
    onlyProblem(error)
    expect(error.message).toBe(`${file}:${line.replace('DIRECTORY', directory)}`)
    expect(error.message).not.toContain(files['secret.txt'])
  })
})

describe('the realm whose events are followed', () => {
  it.each([
    ['https://sso.example.com/realms/mcp', 'https://sso.example.com/admin/realms/mcp'],
    ['https://sso.example.com/realms/mcp/', 'https://sso.example.com/admin/realms/mcp'],
    ['https://sso.example.com/auth/realms/a%20b', 'https://sso.example.com/auth/admin/realms/a%20b'],
    ['http://127.0.0.1:8080/realms/realms', 'http://127.0.0.1:8080/admin/realms/realms'],
  ])('of issuer %s is at %s', async (issuer, url) => {
    const events = 'keycloakEvents: {clientId: a, clientSecretFile: s.txt}'
    const text = `issuers: [{issuer: "${issuer}", audiences: [b], ${events}}]`
    const directory = await makeDirectory({ 's.txt': 'secret\n', 'mcp-authz.yaml': text })
    const config = await loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} })
    expect(config.issuers[0]?.keycloakEvents).toEqual({ url, clientId: 'a', clientSecret: 'secret', intervalMs: 1000 })
  })
})
