import { describe, expect, it } from 'vitest'
import type { ProtectedResource } from '../../src/mcp/protected-resource.ts'
import { openDoor } from './door.ts'

const root = '/.well-known/oauth-protected-resource'

const gateway: ProtectedResource = {
  name: 'MCP Server',
  resource: 'https://mcp.example.com/mcp',
  authorizationServers: ['https://sso.example.com/realms/mcp'],
  bearerMethodsSupported: ['header'],
  scopesSupported: ['basic', 'groups'],
}

async function asked(path: string, init: RequestInit = {}, protectedResource: ProtectedResource = gateway) {
  const { origin } = await openDoor({ protectedResource })
  return await fetch(`${origin}${path}`, init)
}

describe('the metadata of the protected resource', () => {
  it.each([root, `${root}/mcp`])('is at %s, for clients in browsers too, and may be kept a while', async (path) => {
    const response = await asked(path, { headers: { origin: 'https://inspector.example.com' } })
    expect(await response.json()).toEqual({
      resource_name: 'MCP Server',
      resource: 'https://mcp.example.com/mcp',
      authorization_servers: ['https://sso.example.com/realms/mcp'],
      bearer_methods_supported: ['header'],
      scopes_supported: ['basic', 'groups'],
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('cache-control')).toBe('public, max-age=300')
  })

  it('is where the challenges point, whatever the path of the resource is', async () => {
    const resource = 'https://mcp.example.com/team-a/(mcp)*'
    const response = await asked(`${root}/team-a/(mcp)*`, {}, { ...gateway, resource })
    expect(await response.json()).toMatchObject({ resource })
    expect((await asked(`${root}/team-a/mcp`, {}, { ...gateway, resource })).status).toBe(404)
  })

  it('names the address of the door itself where nobody said another', async () => {
    const { origin } = await openDoor({ protectedResource: { ...gateway, resource: undefined } })
    expect(await (await fetch(`${origin}${root}`)).json()).toMatchObject({ resource: `${origin}/mcp` })
  })

  it('leaves out what has no value, and never lists offline_access', async () => {
    const bare = { ...gateway, authorizationServers: [], scopesSupported: ['offline_access'] }
    expect(Object.keys((await (await asked(root, {}, bare)).json()) as object)).toEqual([
      'resource_name',
      'resource',
      'bearer_methods_supported',
    ])
  })
})

describe('a request for the metadata', () => {
  it('can be a HEAD', async () => {
    const response = await asked(root, { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('may come from browsers, with headers of MCP', async () => {
    const headers = {
      origin: 'https://inspector.example.com',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'mcp-protocol-version',
    }
    const response = await asked(`${root}/mcp`, { method: 'OPTIONS', headers })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-methods')).toBe('GET, HEAD, OPTIONS')
    expect(response.headers.get('access-control-allow-headers')).toBe('*')
  })

  it('can only read it', async () => {
    const response = await asked(root, { method: 'POST', body: '{}' })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })

  it.each([`${root}/`, `${root}/mcp/`, `${root}/other`, `${root}mcp`, '/mcp'])('finds nothing at %s', async (path) => {
    expect((await asked(path)).status).toBe(404)
  })
})
