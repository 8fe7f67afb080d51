import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exportJWK, SignJWT } from 'jose'
import { expect, it, onTestFinished } from 'vitest'
import { parse, stringify } from 'yaml'
import { type Admitted, createGuard, type GuardPlace } from '../../src/guard/index.ts'
import { forge, makePlace, type PlaceOptions } from './place.ts'
import { bearer, result, rpcRequest } from './requests.ts'

async function open(options: PlaceOptions & { readonly guard?: GuardPlace } = {}) {
  const place = await makePlace(options)
  const guard = await createGuard({ config: place.config, ...options.guard })
  onTestFinished(async () => {
    await guard.close()
    await place.remove()
  })
  /** What the handler was told of a request; undefined where it was not reached. */
  async function admittedOf(request: Request): Promise<Admitted | undefined> {
    let admitted: Admitted | undefined
    await guard.fetch(async (carried) => {
      admitted = guard.admitted(carried)
      expect(guard.admitted(carried.clone()), 'a copy is another request').toBeUndefined()
      return result({ content: [] })
    })(request)
    expect(guard.admitted(request), 'nor is it the one that came').toBeUndefined()
    return admitted
  }
  return { place, guard, admittedOf }
}

const call = (name: string, headers: Readonly<Record<string, string>>) => rpcRequest('tools/call', { name }, headers)

it('tells the handler which item of which server was judged', async () => {
  const { place, admittedOf } = await open()
  const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
  const said = {
    action: 'tools/call',
    subject: 'alice',
    resource: { type: 'tool', server: 'weather', name: 'forecast' },
  }
  expect(await admittedOf(call('weather_forecast', alice))).toMatchObject({ decision: { allow: true, ...said } })
  const uri = 'weather://stations/7'
  expect(await admittedOf(rpcRequest('resources/read', { uri }, alice))).toMatchObject({
    decision: { resource: { type: 'resource', server: 'weather', name: uri } },
  })
  expect(await admittedOf(call('files_wipe', alice))).toBeUndefined()
})

it('tells callers apart by who they are and not by what they present', async () => {
  const { place, admittedOf } = await open()
  const callerOf = async (subject: string, roles = ['meteorologist']) =>
    (await admittedOf(call('weather_forecast', bearer(await place.token(subject, { roles })))))?.caller
  const alice = await callerOf('alice')
  expect(alice).toMatch(/^[\w-]{43}$/)
  expect(await callerOf('alice', ['meteorologist', 'reader'])).toBe(alice)
  expect(await callerOf('bob')).not.toBe(alice)
})

it('tells two of one name at two issuers apart', async () => {
  const { place } = await open()
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const folder = dirname(place.config)
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k2', alg: 'ES256' }
  await writeFile(join(folder, 'other.json'), JSON.stringify({ keys: [jwk] }))
  const config = parse(await readFile(place.config, 'utf8'))
  const other = { ...config.issuers[0], issuer: 'https://other.example.com', jwks: { file: 'other.json' } }
  await writeFile(place.config, stringify({ ...config, issuers: [...config.issuers, other] }))
  const guard = await createGuard({ config: place.config })
  onTestFinished(() => guard.close())
  const token = await new SignJWT({ realm_access: { roles: ['meteorologist'] } })
    .setProtectedHeader({ alg: 'ES256', kid: 'k2' })
    .setIssuer(other.issuer)
    .setAudience('mcp-gateway')
    .setSubject('alice')
    .setExpirationTime('1m')
    .sign(keys.privateKey)
  const callers = new Set<string | undefined>()
  for (const one of [token, await place.token('alice', { roles: ['meteorologist'] })]) {
    await guard.fetch(async (carried) => {
      callers.add(guard.admitted(carried)?.caller)
      return result({})
    })(call('weather_forecast', bearer(one)))
  }
  expect(callers.size).toBe(2)
  expect(callers).not.toContain(undefined)
})

it('has no name for whoever needed none, and tells others without a name apart by what they came with', async () => {
  const { admittedOf, place } = await open({ profile: 'kuadrant' })
  const call = async (more: object) => {
    const claims = { 'allowed-capabilities': '{"tools":{"weather":["forecast"]}}', ...more }
    const headers = { 'x-mcp-authorized': await forge(place.capabilityPem, claims) }
    return (await admittedOf(rpcRequest('tools/call', { name: 'weather_forecast' }, headers)))?.caller
  }
  const [one, other] = [await call({}), await call({ jti: 'another' })]
  expect(one).toMatch(/^[\w-]{43}$/)
  expect(other).toMatch(/^[\w-]{43}$/)
  expect(one).not.toBe(other)
  expect(await admittedOf(rpcRequest('tools/list'))).toMatchObject({ caller: undefined })
})
