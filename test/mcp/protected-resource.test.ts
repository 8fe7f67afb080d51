import { expect, it } from 'vitest'
import { metadataAddress, scopeTokens } from '../../src/mcp/protected-resource.ts'

const wellKnown = '.well-known/oauth-protected-resource'

it.each([
  ['https://mcp.example.com', `https://mcp.example.com/${wellKnown}`],
  ['https://mcp.example.com/', `https://mcp.example.com/${wellKnown}`],
  ['https://mcp.example.com/mcp', `https://mcp.example.com/${wellKnown}/mcp`],
  ['https://mcp.example.com:8443/a/b', `https://mcp.example.com:8443/${wellKnown}/a/b`],
  ['https://mcp.example.com/mcp?k=v', `https://mcp.example.com/${wellKnown}/mcp?k=v`],
  ['http://[::1]:8080/mcp', `http://[::1]:8080/${wellKnown}/mcp`],
  ['https://mcp.example.com/a"b\r\nc', `https://mcp.example.com/${wellKnown}/a%22bc`],
  ['/mcp', undefined],
  ['', undefined],
])('the metadata of %j is at %j (RFC 9728 section 3.1)', (resource, address) => {
  expect(metadataAddress(resource)).toBe(address)
})

it('only scopes may be told, each once', () => {
  const scopes = ['a', 'b:c/d', 'a', '', 'a b', 'a"b', 'a\\b', 'é', 'a\r\nb', 'offline_access', '!#[]~']
  expect(scopeTokens(scopes)).toEqual(['a', 'b:c/d', '!#[]~'])
})
