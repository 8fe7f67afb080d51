import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { authzOf, type Change } from './envoy-config.ts'
import {
  errorIn,
  type HeaderLines,
  type HttpAnswer,
  type HttpCall,
  mcpHeaders,
  reasonIn,
  send,
  toolCall,
} from './http-client.ts'
import { real, usePlace } from './place.ts'

const maxBodyBytes = 4096
const envoysLimit = 16_384

const listeners = {
  documented: limited,
  joined: (manager) => {
    limited(manager)
    authzOf(manager)['encode_raw_headers'] = false
  },
  /** Envoy sends no body to the check, as where `with_request_body` was forgotten. */
  bodiless: (manager) => {
    delete authzOf(manager)['with_request_body']
  },
} satisfies Record<string, Change>

const place = usePlace(listeners, { maxBodyBytes })
const forecast = toolCall('weather_forecast')

real.each(['documented', 'joined'])('a body and the headers beside it, listener %s', (listener) => {
  const mismatches: readonly (readonly [string, HeaderLines])[] = [
    ['Mcp-Name of another tool', [['mcp-name', 'weather_alerts']]],
    ['Mcp-Name in other case', [['Mcp-Name', 'Weather_forecast']]],
    [
      'Mcp-Name twice',
      [
        ['mcp-name', 'weather_forecast'],
        ['mcp-name', 'weather_forecast'],
      ],
    ],
    ['Mcp-Method of another method', [['mcp-method', 'tools/list']]],
  ]
  test.each(mismatches)('that disagrees with %s is refused with -32020', async (_, lines) => {
    const answer = await call(listener, { body: toolCall('weather_forecast', 'n-1') }, lines)
    expect(answer.status).toBe(400)
    expect(errorIn(answer)).toMatchObject({ id: 'n-1', error: { code: -32020, data: { reason: 'header_mismatch' } } })
    expect(place().upstream.take()).toEqual([])
  })

  test('that agrees with its headers passes, with them', async () => {
    const answer = await call(listener, { body: forecast }, [
      ['Mcp-Method', 'tools/call'],
      ['Mcp-Name', 'weather_forecast'],
    ])
    expect(answer.status).toBe(200)
    expect(
      place()
        .upstream.take()
        .map(({ header }) => header('mcp-name')),
    ).toEqual([['weather_forecast']])
  })

  test('in chunks, without its length, passes', async () => {
    const answer = await call(listener, { body: forecast, chunked: true })
    expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('weather_forecast says hello')])
    expect(place().upstream.take()).toHaveLength(1)
  })
})

real.each(['documented', 'joined'])('a body that cannot be decided by, listener %s', (listener) => {
  const refused: readonly (readonly [string, number, string, string | Buffer, HeaderLines])[] = [
    ['with a key twice', 400, 'body_ambiguous', forecast.replace('"id":1', '"id":1,"\\u0069d":2'), []],
    ['with a name twice', 400, 'body_ambiguous', forecast.replace('"name":', '"name":"files_read","name":'), []],
    ['with a key in two cases', 400, 'body_ambiguous', forecast.replace('"name":', '"Name":"files_read","name":'), []],
    ['that is compressed', 400, 'content_type', gzipSync(forecast), [['content-encoding', 'gzip']]],
    ['that is compressed and does not say so', 400, 'body_malformed', gzipSync(forecast), []],
    ['that is a batch', 400, 'batch_refused', `[${forecast}]`, []],
    ['that is two documents', 400, 'body_malformed', `${forecast}${forecast}`, []],
    ['of an unknown method', 400, 'method_unknown', forecast.replace('tools/call', 'tools/run'), []],
    ['over our limit', 413, 'body_too_large', padded(maxBodyBytes + 1), []],
  ]
  test.each(refused)('%s is refused with %d %s', async (_, status, reason, body, lines) => {
    for (const chunked of [false, true]) {
      const answer = await call(listener, { body, chunked }, lines)
      expect([answer.status, reasonIn(answer)]).toEqual([status, reason])
    }
    expect(place().upstream.take()).toEqual([])
  })

  test('of exactly our limit passes', async () => {
    expect((await call(listener, { body: padded(maxBodyBytes) })).status).toBe(200)
    expect(place().upstream.take()).toHaveLength(1)
  })

  test.each([true, false])('over the limit of Envoy is refused by it, chunked %s', async (chunked) => {
    expect((await call(listener, { body: padded(envoysLimit + 1), chunked })).status).toBe(413)
    expect(place().upstream.take()).toEqual([])
  })
})

real.each(['documented', 'joined'])('a request, listener %s', (listener) => {
  test('of another content type is refused', async () => {
    const headers: HeaderLines = [['authorization', `Bearer ${await place().installation.token()}`]]
    const answer = await send(place().envoy.port(listener), {
      headers: [...headers, ['content-type', 'text/plain']],
      body: forecast,
    })
    expect([answer.status, reasonIn(answer)]).toEqual([400, 'content_type'])
    expect(place().upstream.take()).toEqual([])
  })

  test('of an unknown version is told which ones there are, with -32022', async () => {
    const answer = await call(listener, { body: forecast }, [['mcp-protocol-version', '2027-01-01']])
    expect([answer.status, errorIn(answer)]).toMatchObject([
      400,
      { id: 1, error: { code: -32022, data: { supported: expect.arrayContaining(['2026-07-28']) } } },
    ])
    expect(answer.body).toContain('"requested":"2027-01-01"')
    expect(place().upstream.take()).toEqual([])
  })

  test('that is a GET or a DELETE with a body is refused', async () => {
    for (const method of ['GET', 'DELETE']) {
      const answer = await call(listener, { method, body: forecast })
      expect([answer.status, reasonIn(answer)]).toEqual([400, 'body_ambiguous'])
    }
    expect(place().upstream.take()).toEqual([])
  })

  test('that names two virtual servers is refused', async () => {
    const virtual = (...names: string[]): HeaderLines => names.map((name) => ['x-mcp-virtualserver', name])
    const answer = await call(listener, { body: forecast }, virtual('team-a/desk', 'team-a/desk'))
    expect([answer.status, reasonIn(answer)]).toEqual([403, 'virtual_server_unknown'])
    expect(place().upstream.take()).toEqual([])
    expect((await call(listener, { body: forecast }, virtual('team-a/desk'))).status).toBe(200)
    expect(
      place()
        .upstream.take()
        .map(({ header }) => header('x-mcp-virtualserver')),
    ).toEqual([['team-a/desk']])
  })
})

real('a POST whose body Envoy keeps to itself', () => {
  test.each([true, false])('is refused with body_missing, chunked %s', async (chunked) => {
    const answer = await call('bodiless', { body: forecast, chunked })
    expect([answer.status, reasonIn(answer)]).toEqual([400, 'body_missing'])
    expect(place().upstream.take()).toEqual([])
  })
})

async function call(listener: string, sent: HttpCall, lines: HeaderLines = []): Promise<HttpAnswer> {
  const headers = [...mcpHeaders(await place().installation.token()), ...lines]
  return await send(place().envoy.port(listener), { ...sent, headers })
}

/** A call of that many bytes. */
function padded(bytes: number): string {
  const body = forecast.replace('"arguments":{}', '"arguments":{"pad":""}')
  return body.replace('"pad":"', `"pad":"${'x'.repeat(bytes - body.length)}`)
}

function limited(manager: Parameters<Change>[0]): void {
  authzOf(manager)['with_request_body'] = {
    ...(authzOf(manager)['with_request_body'] as object),
    max_request_bytes: envoysLimit,
  }
}
