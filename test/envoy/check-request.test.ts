import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CheckRead, readCheck } from '../../src/envoy/check-request.ts'
import { encodeCheckRequest, type HttpFields } from './messages.ts'

function read(http: HttpFields, contextExtensions: Record<string, string> = {}): CheckRead {
  const check = readCheck(
    encodeCheckRequest({ attributes: { request: { http }, context_extensions: contextExtensions } }),
  )
  if (!check.ok) throw new Error(check.detail)
  return check
}

function raw(key: string, value: string | Buffer): { key: string; raw_value: Buffer } {
  return { key, raw_value: Buffer.from(value as string) }
}

describe('headers', () => {
  it('come from `headers` with names in lower case', () => {
    const { request } = read({ headers: { 'X-One': 'a', two: 'b' } })
    expect([...request.headers]).toEqual([
      ['x-one', ['a']],
      ['two', ['b']],
    ])
  })

  it('come from `header_map` with every value in order', () => {
    const { request } = read({ header_map: { headers: [raw('x-one', 'b'), raw('two', ''), raw('X-ONE', 'a')] } })
    expect([...request.headers]).toEqual([
      ['x-one', ['b', 'a']],
      ['two', ['']],
    ])
  })

  it('come from `value` where there is no `raw_value`', () => {
    const { request } = read({ header_map: { headers: [{ key: 'x-one', value: 'a' }] } })
    expect(request.headers.get('x-one')).toEqual(['a'])
  })

  it('have two values where `value` and `raw_value` differ', () => {
    const both = { key: 'x-one', value: 'a', raw_value: Buffer.from('b') }
    expect(read({ header_map: { headers: [both] } }).request.headers.get('x-one')).toEqual(['a', 'b'])
  })

  it('are two values when one name comes in two cases', () => {
    const { request } = read({ headers: { authorization: 'Bearer a', Authorization: 'Bearer b' } })
    expect(request.headers.get('authorization')).toHaveLength(2)
  })

  it('are two values when a map names one key twice', () => {
    const once = encodeCheckRequest({ attributes: { request: { http: { headers: { authorization: 'Bearer a' } } } } })
    const twice = encodeCheckRequest({ attributes: { request: { http: { headers: { authorization: 'Bearer b' } } } } })
    const check = readCheck(Buffer.concat([once, twice]))
    expect(check.ok && check.authorization).toEqual(['Bearer a', 'Bearer b'])
  })

  it('leave out pseudo headers', () => {
    const { request } = read({ headers: { ':path': '/mcp', ':method': 'POST', a: '1' } })
    expect([...request.headers.keys()]).toEqual(['a'])
  })
})

describe('headers that come both ways', () => {
  it('are those of `header_map` and of `headers`', () => {
    const { request } = read({ headers: { two: 'map', three: '' }, header_map: { headers: [raw('one', 'raw')] } })
    expect([...request.headers]).toEqual([
      ['one', ['raw']],
      ['two', ['map']],
      ['three', ['']],
    ])
  })

  it('have no more values where `headers` joins those of `header_map`', () => {
    const headers = [raw('one', 'a'), raw('One', 'b'), raw('two', 'c')]
    const { request } = read({ headers: { ONE: 'a,b', two: 'c' }, header_map: { headers } })
    expect([...request.headers]).toEqual([
      ['one', ['a', 'b']],
      ['two', ['c']],
    ])
  })

  it('have the values of both where `headers` and `header_map` disagree', () => {
    const { request, authorization } = read({
      headers: { authorization: 'Bearer b', one: '' },
      header_map: { headers: [raw('authorization', 'Bearer a'), raw('one', 'a')] },
    })
    expect(authorization).toEqual(['Bearer a', 'Bearer b'])
    expect(request.headers.get('one')).toEqual(['a', ''])
  })
})

describe('header names and values', () => {
  it.each(['__proto__', 'constructor', 'tostring'])('may be called %s', (name) => {
    expect(read({ headers: Object.fromEntries([[name, 'x']]) }).request.headers.get(name)).toEqual(['x'])
    expect(read({}).request.headers.get(name)).toBeUndefined()
  })

  it('that are not UTF-8 equal no well-formed string', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((array) => Buffer.from(array))
    fc.assert(
      fc.property(bytes, (value) => {
        const text = read({ header_map: { headers: [raw('x', value)] } }).request.headers.get('x')?.[0]
        const utf8 = value.toString('utf8')
        if (Buffer.from(utf8).equals(value)) expect(text).toBe(utf8)
        else expect(text?.isWellFormed()).toBe(false)
      }),
    )
  })

  it('that are not UTF-8 differ where their bytes differ', () => {
    const [one, two] = [Buffer.from([0x61, 0xe9]), Buffer.from([0x61, 0xea])].map(
      (value) => read({ header_map: { headers: [raw('x', value)] } }).request.headers.get('x')?.[0],
    )
    expect(one).not.toBe(two)
  })

  it('keep a byte-order mark', () => {
    expect(read({ header_map: { headers: [raw('x', '\uFEFFa')] } }).request.headers.get('x')).toEqual(['\uFEFFa'])
  })
})

describe('the credential', () => {
  it('is every value of Authorization', () => {
    const headers = [raw('Authorization', 'Bearer a'), raw('authorization', 'Bearer b')]
    expect(read({ header_map: { headers } }).authorization).toEqual(['Bearer a', 'Bearer b'])
  })

  it('is no value where there is none', () => {
    expect(read({ headers: { 'x-mcp-authorized': 'a.b.c' } }).authorization).toEqual([])
  })
})

describe('the body', () => {
  it('is `raw_body`, byte for byte', () => {
    const bytes = Buffer.from([0, 255, 192, 128])
    expect(read({ raw_body: bytes }).request.body).toEqual(bytes)
  })

  it('is `body` where there is no `raw_body`', () => {
    expect(Buffer.from(read({ body: '{"ä":1}' }).request.body).toString()).toBe('{"ä":1}')
  })

  it('is empty where there is neither', () => {
    const check = read({ method: 'POST' })
    expect(check.request.body).toHaveLength(0)
    expect(check.twoBodies).toBe(false)
  })

  it('is marked where both are there, equal or not', () => {
    expect(read({ body: '{}', raw_body: Buffer.from('{}') }).twoBodies).toBe(true)
    expect(read({ body: '{}', raw_body: Buffer.from('[]') }).twoBodies).toBe(true)
  })
})

describe('what the door knows', () => {
  it('is the server and the virtual server of the context extensions', () => {
    const { door } = read({}, { mcp_server: 'ns/weather', mcp_virtual_server: '', server: 'other' })
    expect(door).toEqual({ server: 'ns/weather', virtualServer: '' })
  })

  it('is nothing without them', () => {
    expect(read({ headers: { mcp_server: 'forged' } }).door).toEqual({ server: undefined, virtualServer: undefined })
  })

  it('includes the principal of the client certificate', () => {
    const attributes = { source: { principal: 'spiffe://mesh/agent' }, request: { http: {} } }
    expect(readCheck(encodeCheckRequest({ attributes }))).toMatchObject({ principal: 'spiffe://mesh/agent' })
    expect(read({}).principal).toBeUndefined()
  })

  it('includes the IP address of whoever opened the connection, and nothing for a pipe', () => {
    const from = (address: object) =>
      readCheck(encodeCheckRequest({ attributes: { source: { address }, request: { http: {} } } }))
    expect(from({ socket_address: { address: '192.0.2.7' } })).toMatchObject({ ok: true, address: '192.0.2.7' })
    expect(from({ socket_address: {} })).not.toHaveProperty('address')
    expect(from({})).not.toHaveProperty('address')
    expect(read({})).not.toHaveProperty('address')
  })

  it.each([
    ['192.0.2.7:41000', '192.0.2.7'],
    ['[2001:db8::7]:41000', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['2001:db8::7', '2001:db8::7'],
    ['192.0.2.7:', '192.0.2.7:'],
    ['192.0.2.7:41000, 203.0.113.9:1', '192.0.2.7:41000, 203.0.113.9:1'],
  ])('includes it without the port that Kuadrant leaves on it: %s', (text, address) => {
    const source = { address: { socket_address: { address: text } } }
    const bytes = encodeCheckRequest({ attributes: { source, request: { http: {} } } })
    expect(readCheck(bytes)).toMatchObject({ ok: true, address })
  })
})

describe('bytes that are no check of an HTTP request', () => {
  const whole = encodeCheckRequest({
    attributes: { request: { http: { method: 'POST', headers: { a: 'b' }, raw_body: Buffer.from('{}') } } },
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no request', encodeCheckRequest({ attributes: { context_extensions: { a: 'b' } } })],
    ['no http', encodeCheckRequest({ attributes: { request: {} } })],
    ['an attribute that is a number', Buffer.from([8, 1])],
    ['text', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a length beyond the end', Buffer.from([10, 255, 255, 255, 255, 7])],
    ['a field beyond its parent', Buffer.from([10, 2, 34, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ['an unknown field beyond its parent', Buffer.from([10, 2, 57, 0, 0, 0, 0, 0, 0, 0, 0])],
    ['a group that does not end', Buffer.from([11])],
    ['deeply nested groups', Buffer.alloc(100_000, 11)],
  ])('are malformed: %s', (_name, bytes) => {
    expect(readCheck(bytes)).toMatchObject({ ok: false, code: 'body_malformed' })
  })

  it('are malformed wherever they are cut', () => {
    for (let end = 0; end < whole.length; end++) expect(readCheck(whole.subarray(0, end)).ok).toBe(false)
  })

  it('are malformed when a string is not UTF-8', () => {
    const broken = Buffer.from(whole)
    broken[broken.indexOf('POST')] = 0xff
    expect(readCheck(broken)).toMatchObject({ ok: false, code: 'body_malformed' })
  })

  it('never make it throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readCheck(Buffer.from(bytes))))
  })

  it('never make it throw when one byte of a good one changes', () => {
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
    fc.assert(
      fc.property(change, ([at, byte]) => {
        const changed = Buffer.from(whole)
        changed[at] = byte
        readCheck(changed)
      }),
    )
  })
})

describe('fields that this server does not know', () => {
  it('are skipped at every level', () => {
    const unknown = Buffer.from([0xa2, 0x06, 3, 1, 2, 3, 0xa8, 0x06, 150, 1, 0xad, 0x06, 0, 0, 0, 0])
    const http = Buffer.concat([unknown, Buffer.from([18, 3]), Buffer.from('GET'), unknown])
    const request = Buffer.concat([unknown, Buffer.from([18, http.length]), http])
    const attributes = Buffer.concat([unknown, Buffer.from([34, request.length]), request])
    const check = readCheck(Buffer.concat([Buffer.from([10, attributes.length]), attributes, unknown]))
    expect(check).toMatchObject({ ok: true, request: { method: 'GET' } })
  })
})

it('reads whatever protobuf writes', () => {
  const name = fc.string({ minLength: 1 }).filter((key) => !key.startsWith(':') && key.isWellFormed())
  const text = fc.string({ unit: 'binary' })
  const body = fc.uint8Array().map((array) => Buffer.from(array))
  fc.assert(
    fc.property(text, fc.array(fc.tuple(name, text)), body, (method, headers, rawBody) => {
      const { request } = read({
        method,
        header_map: { headers: headers.map(([key, value]) => raw(key, value)) },
        raw_body: rawBody,
      })
      expect(request.method).toBe(method)
      expect(request.body).toEqual(rawBody.length === 0 ? new Uint8Array(0) : rawBody)
      const seen = [...request.headers].flatMap(([key, values]) => values.map((value) => [key, value]))
      expect(seen.toSorted()).toEqual(headers.map(([key, value]) => [key.toLowerCase(), value]).toSorted())
    }),
  )
})
