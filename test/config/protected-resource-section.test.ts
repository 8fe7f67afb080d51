import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { undeclaredResource } from '../../src/config/protected-resource-section.ts'
import { errorOf, jwks, makeDirectory } from './workspace.ts'

const sso = `issuers:
  - issuer: https://sso.example.com
    audiences: [gateway]
  - issuer: urn:of-our-own
    jwks: {file: jwks.json}
    audiences: [gateway]
`

type Env = Readonly<Record<string, string>>

async function load(text: string, env: Env = {}): Promise<Config> {
  const directory = await makeDirectory({ 'mcp-authz.yaml': sso + text, 'jwks.json': jwks.public })
  return await loadConfig(join(directory, 'mcp-authz.yaml'), { env })
}

async function refusal(text: string, env: Env = {}): Promise<string> {
  const { message } = await errorOf(() => load(text, env))
  return message.replaceAll(/^.*?mcp-authz\.yaml:/gm, '')
}

const defaults = {
  name: 'MCP Server',
  resource: undefined,
  authorizationServers: ['https://sso.example.com'],
  bearerMethodsSupported: ['header'],
  scopesSupported: ['basic'],
}

describe('the protected resource', () => {
  it('is undefined where nobody says anything of it, and then published by defaults', async () => {
    const { protectedResource, issuers } = await load('')
    expect(protectedResource).toBeUndefined()
    expect(undeclaredResource(issuers)).toEqual(defaults)
  })

  it('has the defaults of the release note for what is not said, and its address from the public host', async () => {
    const { protectedResource, warnings } = await load('protectedResource: {publicHost: "mcp.example.com:8443"}\n')
    expect(protectedResource).toEqual({ ...defaults, resource: 'https://mcp.example.com:8443/mcp' })
    expect(warnings).toEqual([])
  })

  it('is what the file says', async () => {
    const said = {
      name: 'Production',
      resource: 'https://mcp.example.com/team-a/mcp',
      authorizationServers: ['https://sso.example.com/realms/mcp'],
      bearerMethodsSupported: ['header'],
      scopesSupported: ['basic', 'groups'],
    }
    const text = `protectedResource: ${JSON.stringify({ ...said, publicHost: 'other.example.com' })}\n`
    expect((await load(text)).protectedResource).toEqual(said)
  })

  it('is what the environment says, over the file', async () => {
    const env = {
      OAUTH_RESOURCE_NAME: 'My MCP Gateway',
      OAUTH_RESOURCE: 'https://mcp.example.com/mcp',
      OAUTH_AUTHORIZATION_SERVERS: 'https://a.example.com/realms/mcp, https://b.example.com',
      OAUTH_BEARER_METHODS_SUPPORTED: 'header',
      OAUTH_SCOPES_SUPPORTED: 'basic, groups,',
    }
    const expected = {
      name: 'My MCP Gateway',
      resource: 'https://mcp.example.com/mcp',
      authorizationServers: ['https://a.example.com/realms/mcp', 'https://b.example.com'],
      bearerMethodsSupported: ['header'],
      scopesSupported: ['basic', 'groups'],
    }
    expect((await load('', env)).protectedResource).toEqual(expected)
    const file = 'protectedResource: {name: A, resource: "https://x.example.com", scopesSupported: [x]}\n'
    expect((await load(file, env)).protectedResource).toEqual(expected)
  })
})

describe('the environment', () => {
  it('says nothing by variables that are empty', async () => {
    const env = { OAUTH_RESOURCE: '', OAUTH_SCOPES_SUPPORTED: '' }
    expect((await load('', env)).protectedResource).toBeUndefined()
    const kept = await load('protectedResource: {publicHost: mcp.example.com}\n', { OAUTH_SCOPES_SUPPORTED: ' , ' })
    expect(kept.protectedResource?.scopesSupported).toEqual(['basic'])
  })
})

describe('a warning', () => {
  it('is due where no challenge can name the metadata, and for what is not https', async () => {
    expect((await load('protectedResource: {name: A}\n')).warnings).toEqual([
      'protectedResource says no address: challenges name no metadata; set publicHost or OAUTH_RESOURCE',
    ])
    const trial = await load('', { OAUTH_RESOURCE: 'http://mcp.127-0-0-1.sslip.io:8001/mcp' })
    expect(trial.protectedResource?.resource).toBe('http://mcp.127-0-0-1.sslip.io:8001/mcp')
    expect(trial.warnings).toEqual([expect.stringMatching(/^protectedResource\.resource is not https/)])
  })

  it('is due for offline_access, which is not listed', async () => {
    const env = { OAUTH_RESOURCE: 'https://mcp.example.com/mcp', OAUTH_SCOPES_SUPPORTED: 'openid,roles,offline_access' }
    const { protectedResource, warnings } = await load('', env)
    expect(protectedResource?.scopesSupported).toEqual(['openid', 'roles'])
    expect(warnings).toEqual([expect.stringContaining('offline_access')])
  })
})

const address =
  'expected an https address without user, password and fragment; mend: write it like https://mcp.example.com/mcp'

describe('a protected resource that cannot be', () => {
  it.each([
    ['resource: mcp.example.com', `8:3: protectedResource.resource: ${address}`],
    ['resource: /mcp', `8:3: protectedResource.resource: ${address}`],
    ['resource: "https://mcp.example.com/mcp#a"', `8:3: protectedResource.resource: ${address}`],
    ['resource: "https://u:secret@mcp.example.com"', `8:3: protectedResource.resource: ${address}`],
    ['resource: "urn:mcp"', `8:3: protectedResource.resource: ${address}`],
    [
      'publicHost: "https://mcp.example.com"',
      '8:3: protectedResource.publicHost: expected HOST or HOST:PORT; mend: write it like mcp.example.com',
    ],
    [
      'publicHost: "user@mcp.example.com"',
      '8:3: protectedResource.publicHost: expected HOST or HOST:PORT; mend: write it like mcp.example.com',
    ],
    [
      'publicHost: "mcp.example.com:99999"',
      '8:3: protectedResource.publicHost: expected HOST or HOST:PORT; mend: write it like mcp.example.com',
    ],
    [
      'authorizationServers: ["https://sso.example.com", "sso"]',
      `8:3: protectedResource.authorizationServers: ${address}`,
    ],
    [
      'scopesSupported: ["a b"]',
      '8:3: protectedResource.scopesSupported: expected scopes without blanks, quotes, backslashes and letters beyond ASCII; mend: write one scope per item',
    ],
  ])('is refused with its line: %s', async (line, message) => {
    expect(await refusal(`protectedResource:\n  ${line}\n`)).toBe(message)
  })

  it('is refused for a bearer method that is none here', async () => {
    expect(await refusal('protectedResource:\n  bearerMethodsSupported: [header, query]\n')).toMatch(
      /^8:\d+: protectedResource\.bearerMethodsSupported\[1\]: /,
    )
    expect(await refusal('', { OAUTH_BEARER_METHODS_SUPPORTED: 'header,query' })).toBe(
      '1:1: protectedResource.bearerMethodsSupported: OAUTH_BEARER_METHODS_SUPPORTED: expected `header` alone; mend: remove the others: a token in a form or a query is no credential here',
    )
  })

  it.each([
    ['OAUTH_RESOURCE', 'ftp://mcp.example.com', 'resource'],
    ['OAUTH_AUTHORIZATION_SERVERS', 'https://sso.example.com,ftp://sso.example.com', 'authorizationServers'],
    ['OAUTH_SCOPES_SUPPORTED', 'basic,"quoted"', 'scopesSupported'],
  ])('is refused with the variable that says it: %s', async (name, value, field) => {
    const message = await refusal('protectedResource:\n  publicHost: mcp.example.com\n', { [name]: value })
    expect(message).toMatch(new RegExp(`^7:1: protectedResource\\.${field}: ${name}: expected `))
    expect(message).not.toContain(value)
  })
})
