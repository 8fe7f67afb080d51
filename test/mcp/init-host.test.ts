import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DoorKnowledge, ReadOptions } from '../../src/mcp/reading.ts'
import { readHttp } from '../../src/mcp/request.ts'
import {
  batches,
  type HeaderFields,
  headersOnly,
  http,
  kuadrant,
  outcome,
  post,
  rpc,
  strict,
  toolCall,
} from './requests.ts'

const opening = { 'mcp-init-host': 'alpha.upstream.test', 'router-key': 'key' }
const looking: DoorKnowledge = { routerKeys: true }
const old = { ...opening, 'mcp-protocol-version': '2025-03-26' }

describe('mcp-init-host at a door that looks at router keys', () => {
  it.each<readonly [string, string, HeaderFields, ReadOptions, string]>([
    ['an initialize', rpc('initialize'), opening, strict, 'read'],
    ['an initialize in profile kuadrant', rpc('initialize'), opening, kuadrant, 'read'],
    ['an initialize without a router key', rpc('initialize'), { 'mcp-init-host': 'a' }, kuadrant, 'header_forbidden'],
    ['a call', toolCall, opening, kuadrant, 'header_forbidden'],
    ['a batch', `[${toolCall}]`, old, batches, 'header_forbidden'],
    ['a batch of one initialize', `[${rpc('initialize')}]`, old, batches, 'header_forbidden'],
    [
      'no body, and the word of a router',
      '',
      { ...opening, 'x-mcp-method': 'initialize' },
      headersOnly,
      'header_forbidden',
    ],
    ['a router key alone', toolCall, { 'router-key': 'key' }, kuadrant, 'read'],
  ])('may come with an initialize and a router key alone: %s', (_, body, headers, options, expected) => {
    expect(outcome(post(body, headers, options, looking))).toBe(expected)
  })
})

describe('mcp-init-host at a door that does not look at router keys', () => {
  it('is never read as anything, whatever the request is', () => {
    const method = fc.constantFrom('initialize', 'tools/list', 'tools/call', 'ping', 'notifications/initialized')
    const message = fc.record({
      jsonrpc: fc.constant('2.0'),
      id: fc.integer(),
      method,
      params: fc.constant({ name: 'a' }),
    })
    const body = fc.oneof(
      fc.constant(''),
      message.map((one) => JSON.stringify(one)),
      fc.json(),
    )
    const value = fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 2 })
    const headers = fc.record(
      { 'mcp-init-host': value, 'router-key': value, 'x-mcp-method': value },
      { requiredKeys: ['mcp-init-host'] },
    )
    const options = fc.constantFrom(strict, kuadrant, headersOnly, batches)
    const doors = fc.constantFrom<DoorKnowledge>({}, { routerKeys: false }, { server: 'ns/a' })
    fc.assert(
      fc.property(
        fc.constantFrom('POST', 'GET', 'DELETE', 'PUT'),
        body,
        headers,
        options,
        doors,
        (verb, text, sent, how, door) => {
          const fields = verb === 'POST' ? { 'content-type': 'application/json', ...sent } : sent
          expect(readHttp(http(verb, text, fields), door, how).ok).toBe(false)
        },
      ),
    )
  })
})
