import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { sendBytes, toolCall } from './http-client.ts'
import { real, usePlace } from './place.ts'

const place = usePlace({ documented: () => undefined })
const body = toolCall('weather_forecast')

interface Lines {
  readonly start?: string
  readonly host?: readonly string[]
  readonly authorization?: (token: string) => readonly string[]
  readonly framing?: readonly string[]
  readonly more?: readonly string[]
}

const length = `Content-Length: ${body.length}`

real('bytes on a bare socket', () => {
  const refused: readonly (readonly [string, number, Lines])[] = [
    ['no Host', 400, { host: [] }],
    ['a blank before a colon', 400, { more: ['X-Mcp-Authorized : forged'] }],
    ['a header without a name', 400, { more: [': forged'] }],
    ['an underscore in a name', 400, { more: ['x_mcp_authorized: forged'] }],
    ['a NUL in a value', 400, { more: ['X-Mcp-Virtualserver: team-a\0/desk'] }],
    ['HTTP/1.0', 426, { start: 'POST /mcp HTTP/1.0' }],
    ['an encoded slash in the path', 400, { start: 'POST /mcp%2Fx HTTP/1.1' }],
    ['CONNECT', 404, { start: 'CONNECT mcp.example:443 HTTP/1.1', framing: [] }],
    ['an unknown method', 400, { start: 'QUERY /mcp HTTP/1.1' }],
    ['no authorization', 401, { authorization: () => [] }],
    [
      'two authorizations',
      401,
      { authorization: (token) => [`authorization: Bearer ${token}`, 'AUTHORIZATION: Bearer x'] },
    ],
    ["a router's header in capitals", 400, { more: ['X-MCP-SERVERNAME: weather'] }],
  ]
  test.each(refused)('with %s are refused with %d, and the upstream is not reached', async (_, status, lines) => {
    expect(await sendBytes(place().envoy.port('documented'), await bytesOf(lines))).toBe(status)
    expect(place().upstream.take()).toEqual([])
  })

  const passed: readonly (readonly [string, Lines])[] = [
    ['header names in lower case', { authorization: (token) => [`authorization: bearer ${token}`] }],
    ['header names in capitals', { authorization: (token) => [`AUTHORIZATION: BEARER ${token}`] }],
    ['a token folded over two lines', { authorization: (token) => ['Authorization: Bearer', ` ${token}`] }],
    ['a folded header that is not for clients', { more: ['X-Mcp-Authorized:', '\tforged'] }],
    ['blanks around a value', { authorization: (token) => [`Authorization: \t Bearer ${token} \t`] }],
    ['an absolute form', { start: 'POST http://mcp.example/mcp HTTP/1.1' }],
    ['a path with dots', { start: 'POST /x/../mcp HTTP/1.1' }],
  ]
  test.each(passed)('with %s pass, and were decided', async (_, lines) => {
    const before = decisions()
    expect(await sendBytes(place().envoy.port('documented'), await bytesOf(lines))).toBe(200)
    const [arrived, ...more] = place().upstream.take()
    expect([arrived?.path, more]).toEqual(['/mcp', []])
    const [authorized = '', ...others] = arrived?.header('x-mcp-authorized') ?? []
    expect([(await place().service.verify(authorized)).sub, others]).toEqual(['alice', []])
    expect(decisions()).toBe(before + 1)
  })

  test('that hide a second request behind the first are decided one by one', async () => {
    const before = decisions()
    const hidden = await bytesOf({ authorization: () => [], more: ['Connection: close'] })
    const answers = await exchange(place().envoy.port('documented'), `${await bytesOf({})}${hidden}`)
    expect(answers.match(/^HTTP\/1\.1 \d{3}/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401'])
    expect(place().upstream.take()).toHaveLength(1)
    expect(decisions()).toBe(before + 2)
  })
})

real('a body whose end is not certain', () => {
  const refused: readonly (readonly [string, number, readonly string[]])[] = [
    ['Content-Length and Transfer-Encoding', 400, [length, 'Transfer-Encoding: chunked']],
    ['Transfer-Encoding and Content-Length', 400, ['Transfer-Encoding: chunked', length]],
    ['two Content-Length', 400, [length, 'Content-Length: 0']],
    ['two lengths in one line', 400, [`Content-Length: ${body.length}, ${body.length}`]],
    ['a length with a sign', 400, [`Content-Length: +${body.length}`]],
    ['a length in hexadecimal', 400, ['Content-Length: 0x5e']],
    ['a chunk whose size is none', 400, ['Transfer-Encoding: chunked']],
    ['Transfer-Encoding twice', 501, ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked']],
    ['a coding that only looks like chunked', 501, ['Transfer-Encoding: xchunked']],
    ['two codings', 501, ['Transfer-Encoding: gzip, chunked']],
    ['a blank before a colon', 400, ['Transfer-Encoding : chunked', length]],
  ]
  test.each(refused)('by %s is refused with %d, and the upstream is not reached', async (_, status, framing) => {
    expect(await sendBytes(place().envoy.port('documented'), await bytesOf({ framing }))).toBe(status)
    expect(place().upstream.take()).toEqual([])
  })

  test('hides no call behind the end that its length says', async () => {
    const hidden = `${toolCall('files_read')}\r\n\r\n`
    const bytes = await bytesOf({})
    const answers = await exchange(place().envoy.port('documented'), `${bytes}${hidden}`)
    expect(answers.match(/^HTTP\/1\.1 \d{3}/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400'])
    expect(place().upstream.take()).toHaveLength(1)
  })
})

real('HTTP/2, without content-length', () => {
  test('is decided like HTTP/1.1', async () => {
    const token = await place().installation.token()
    expect(await http2Status({ authorization: `Bearer ${token}`, 'x-mcp-authorized': 'forged' })).toBe(200)
    const authorized = place()
      .upstream.take()
      .map(({ header }) => header('x-mcp-authorized'))
    expect((await place().service.verify(authorized[0]?.[0] ?? '')).sub).toBe('alice')
    const refused: readonly (readonly [number, Record<string, string | string[]>])[] = [
      [401, {}],
      [401, { authorization: `Bearer ${token.slice(0, -8)}` }],
      [400, { authorization: `Bearer ${token}`, 'x-mcp-toolname': 'forecast' }],
      [403, { authorization: `Bearer ${token}`, 'x-mcp-virtualserver': ['team-a/desk', 'team-a/desk'] }],
    ]
    for (const [status, headers] of refused) expect(await http2Status(headers)).toBe(status)
    const shorter = { authorization: `Bearer ${token}`, 'content-length': String(body.length - 1) }
    await expect(http2Status(shorter)).rejects.toThrow('PROTOCOL_ERROR')
    expect(place().upstream.take()).toEqual([])
  })
})

async function http2Status(headers: Readonly<Record<string, string | string[]>>): Promise<unknown> {
  const session = connectHttp2(`http://127.0.0.1:${place().envoy.port('documented')}`)
  session.on('error', () => undefined)
  try {
    const types = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const stream = session.request({ ':method': 'POST', ':path': '/mcp', ...types, ...headers })
    stream.end(body)
    const [answer] = await once(stream, 'response')
    return answer[':status']
  } finally {
    session.destroy()
  }
}

function decisions(): number {
  return place().service.log().split('"msg":"decision"').length
}

async function bytesOf({
  start = 'POST /mcp HTTP/1.1',
  host = ['Host: mcp.example'],
  ...lines
}: Lines): Promise<string> {
  const token = await place().installation.token()
  const { authorization = (said: string) => [`Authorization: Bearer ${said}`], framing = [length], more = [] } = lines
  const types = ['Content-Type: application/json', 'Accept: application/json, text/event-stream']
  return `${[start, ...host, ...types, ...authorization(token), ...framing, ...more].join('\r\n')}\r\n\r\n${body}`
}

async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  return await text(socket)
}
