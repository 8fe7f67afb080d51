import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Doors, openDoors } from './doors.ts'

const data = {
  servers: { s: { prefix: 's_', tools: ['forbidden', 'granted'], resources: ['r://forbidden'] } },
  virtual_servers: { v: { tools: ['s_granted'] } },
}
const claims = { sub: 'u', resource_access: { s: { roles: ['tool:granted'] } } }

const messages = [
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s_forbidden","arguments":{"a":[1,{"b":null}]}}}',
  '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"r://forbidden"}}',
  '{"jsonrpc":"2.0","id":"x","method":"tools/destroy","params":{"name":"s_granted"}}',
  '[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s_granted"}}]',
]
const pieces = [
  '"name":"s_granted"',
  '"method":"ping"',
  ',',
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\u006e',
  '\\',
  ' ',
  '\n',
  '\u0000',
  '\ufeff',
  'ſ',
  '__proto__',
]

/** A message with some of its bytes replaced, left out or put in. */
const mutated = fc
  .tuple(
    fc.constantFrom(...messages),
    fc.array(
      fc.record({
        at: fc.nat(200),
        cut: fc.nat(4),
        put: fc.oneof(
          fc.constantFrom(...pieces).map((text) => Buffer.from(text)),
          fc.uint8Array({ maxLength: 3 }),
        ),
      }),
      { maxLength: 4 },
    ),
  )
  .map(([message, edits]) => {
    let bytes: Uint8Array = Buffer.from(message)
    for (const { at, cut, put } of edits) {
      const from = at % (bytes.length + 1)
      bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)])
    }
    return bytes
  })

/** Names that whoever reads the bytes, however loosely, may take for the one that is granted or for a method without an item. */
function mayBeAllowed(bytes: Uint8Array): boolean {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return false
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { method, params } = value as { method?: unknown; params?: { name?: unknown } }
  if (method === 'tools/call') return params?.name === 's_granted'
  return method === undefined || method === 'ping'
}

describe('bytes that are not quite a message', () => {
  let doors: Doors
  beforeAll(async () => {
    doors = await openDoors({ file: 'bytes', profile: 'strict', data, cases: [] })
  }, 30_000)
  afterAll(async () => await doors.close(), 30_000)

  it('are allowed only where they ask for what is granted, and both doors say the same', {
    timeout: 120_000,
  }, async () => {
    const seen = { allowed: 0, denied: 0 }
    const token = await doors.token(claims)
    const property = fc.asyncProperty(mutated, async (body) => {
      const [grpc, guard] = await Promise.all([doors.send.grpc(body, token), doors.send.guard(body, token)])
      expect(guard).toBe(grpc)
      seen[grpc === 'allow' ? 'allowed' : 'denied'] += 1
      if (grpc === 'allow') expect(mayBeAllowed(body)).toBe(true)
    })
    await fc.assert(property, {
      numRuns: 10_000,
      examples: [[Buffer.from(messages[0]?.replace('s_forbidden', 's_granted') ?? '')]],
    })
    expect(seen.allowed).toBeGreaterThan(0)
    expect(seen.denied).toBeGreaterThan(1000)
  })
})
