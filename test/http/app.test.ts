import { describe, expect, it } from 'vitest'
import { capabilityKey } from '../authorizer/scenes.ts'
import { bodiless, evaluation, openDoor, unasked } from './door.ts'

describe('health', () => {
  it('is told while the door is open, ready or not', async () => {
    const door = await openDoor({ ready: () => false })
    expect(await door.get('/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } })
  })

  it('is readiness as it stands at the moment', async () => {
    let ready = false
    const door = await openDoor({ ready: () => ready })
    expect(await door.get('/readyz')).toMatchObject({ status: 503, json: { status: 'not ready' } })
    ready = true
    expect(await door.get('/readyz')).toMatchObject({ status: 200, json: { status: 'ready' } })
  })
})

describe('the status', () => {
  it('is how it stands at the moment, to be kept by nobody', async () => {
    const stands = { revision: 'r1', ready: false, lacks: ['the keys of some issuer are not loaded yet'] }
    const door = await openDoor({ status: () => stands })
    const { status, headers, json } = await door.get('/status')
    expect([status, headers.get('cache-control'), json]).toEqual([200, 'no-store', stands])
    Object.assign(stands, { ready: true, lacks: [] })
    expect((await door.get('/status')).json).toEqual(stands)
  })
})

describe('what is published', () => {
  it('is the public keys, as they are at the moment, to be kept for a minute', async () => {
    let keys = capabilityKey.jwks
    const door = await openDoor({ jwks: () => keys })
    const { status, headers, json, text } = await door.get('/.well-known/jwks.json')
    expect({ status, json }).toEqual({ status: 200, json: capabilityKey.jwks })
    expect(headers.get('cache-control')).toBe('public, max-age=60')
    expect(text).not.toContain('"d"')
    keys = { keys: [] }
    expect((await door.get('/.well-known/jwks.json')).json).toEqual({ keys: [] })
  })

  it('is where AuthZEN is spoken', async () => {
    const door = await openDoor()
    expect((await door.get('/.well-known/authzen-configuration')).json).toEqual({
      policy_decision_point: door.origin,
      access_evaluation_endpoint: `${door.origin}/access/v1/evaluation`,
      access_evaluations_endpoint: `${door.origin}/access/v1/evaluations`,
    })
  })

  it('does not say what it is made with', async () => {
    const { headers } = await (await openDoor()).get('/healthz')
    expect(headers.get('x-powered-by')).toBeNull()
  })
})

describe('everything else', () => {
  it.each(['/', '/metrics/../etc', '/access/v1/evaluation', '/access/v1', '/Healthz/', '/.mcp-authz/issuer-key.pem'])(
    'is not there: GET %s',
    async (path) => {
      const { status, json } = await (await openDoor({ authorizer: unasked })).get(path)
      expect([status, json === undefined || typeof json.error]).toEqual(
        path === '/Healthz/' ? [200, 'undefined'] : [404, 'string'],
      )
    },
  )

  it('is not there: POST of a health check', async () => {
    expect((await (await openDoor()).post('/healthz', {})).status).toBe(404)
  })
})

describe('a body that cannot be read', () => {
  const path = '/access/v1/evaluation'

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json5', 'application/jwt'])(
    'is a bad request as %s',
    async (type) => {
      const { status, json } = await (await openDoor({ authorizer: unasked })).post(path, evaluation(), {
        'content-type': type,
      })
      expect(status).toBe(400)
      expect(json.error).toContain('application/json')
    },
  )

  it('is read under any case and parameters of the content type', async () => {
    const door = await openDoor()
    for (const type of ['Application/JSON', 'application/json; charset=utf-8', 'application/json;x=y']) {
      expect((await door.post(path, evaluation(), { 'content-type': type })).json).toMatchObject({ decision: true })
    }
  })

  it.each<readonly [string, string | Uint8Array]>([
    ['empty', ''],
    ['no JSON', '{'],
    ['two values', '{}{}'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['null', 'null'],
    ['not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1')],
    ['behind a byte-order mark', `\ufeff${JSON.stringify(evaluation())}`],
    ['a key twice', JSON.stringify(evaluation()).replace('{', '{"action":{"name":"tools/list"},')],
    ['a key twice, deep inside', JSON.stringify(evaluation()).replace('"sub":', '"sub":"bob","sub":')],
    ['a key twice, once escaped', JSON.stringify(evaluation()).replace('{', '{"\\u0061ction":{},')],
    ['too deep', JSON.stringify(evaluation({ x: JSON.parse(`${'['.repeat(80)}${']'.repeat(80)}`) }))],
    ['half of a surrogate pair', JSON.stringify(evaluation()).replace('weather_forecast', '\\ud800')],
  ])('is a bad request: %s', async (_, body) => {
    const { status, json } = await (await openDoor({ authorizer: unasked })).post(path, body)
    expect(status).toBe(400)
    expect(Object.keys(json).sort()).toEqual(['error', 'id'])
    expect(json.error).not.toContain('bob')
  })

  it('is a bad request without a body and its length', async () => {
    const { origin } = await openDoor({ authorizer: unasked })
    expect(await bodiless(origin, path)).toBe(400)
  })

  it('is too large from one byte over the limit on', async () => {
    const body = JSON.stringify(evaluation())
    const read = { profile: 'strict', maxDepth: 64, batches: false, headersOnly: false } as const
    const fits = await openDoor({ read: { ...read, maxBodyBytes: body.length } })
    expect((await fits.post(path, body)).json).toMatchObject({ decision: true })
    const over = await openDoor({ authorizer: unasked, read: { ...read, maxBodyBytes: body.length - 1 } })
    expect((await over.post(path, body)).status).toBe(413)
  })
})

describe('a request that was given an id', () => {
  it('is answered under it, whatever becomes of it', async () => {
    const door = await openDoor({
      read: { profile: 'strict', maxBodyBytes: 400, maxDepth: 64, batches: false, headersOnly: false },
    })
    const id = { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' }
    const bodies = [evaluation(), {}, '{', 'x'.repeat(500)]
    const statuses: number[] = []
    for (const body of bodies) {
      const { status, headers } = await door.post('/access/v1/evaluation', body, id)
      statuses.push(status)
      expect(headers.get('x-request-id')).toBe(id['x-request-id'])
    }
    expect(statuses).toEqual([200, 400, 400, 413])
    expect((await door.post('/access/v1/evaluation', evaluation())).headers.get('x-request-id')).toBeNull()
  })
})

describe('a fault inside', () => {
  it('is an internal error that says nothing', async () => {
    const { status, json } = await (await openDoor({ authorizer: unasked })).post('/access/v1/evaluation', evaluation())
    expect(status).toBe(500)
    expect(json.error).toBe('internal error')
  })
})
