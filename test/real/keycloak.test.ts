import { setTimeout as sleep } from 'node:timers/promises'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { patient, real, useKeycloakPlace } from './keycloak-place.ts'

/** How long the keys of a Keycloak that is gone are good for here, in seconds. */
const maxOutageSeconds = 10

const place = useKeycloakPlace({
  audiences: ['mcp-gateway'],
  algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'],
  keys: { maxAgeSeconds: 4, maxOutageSeconds },
})

real('two people with the client roles of the release note', patient, () => {
  test('see what is theirs, and nothing else', async () => {
    const [alice, bob] = [await connected('alice'), await connected('bob')]
    expect(await alice.sees()).toEqual({
      tools: ['files_read_file', 'weather_forecast', 'weather_set_alert'],
      prompts: ['weather_trip'],
      resources: [],
      templates: ['file:///public/{path}'],
    })
    expect(await bob.sees()).toEqual({ tools: ['weather_forecast'], prompts: [], resources: [], templates: [] })
    await Promise.all([alice.close(), bob.close()])
  })

  test('use what they see, and are denied the rest', async () => {
    const [alice, bob] = [await connected('alice'), await connected('bob')]
    expect(await alice.call('weather_forecast')).toBe('forecast of weather-server')
    expect(await alice.call('files_read_file')).toBe('read_file of files-server')
    expect(await alice.prompt('weather_trip')).toBe('trip of weather-server')
    expect(await alice.read('file:///public/a.txt')).toBe('file:///public/a.txt')
    expect(await bob.call('weather_forecast')).toBe('forecast of weather-server')
    await expect(alice.call('files_delete_file')).rejects.toThrow(/role_missing/)
    await expect(alice.read('weather://stations')).rejects.toThrow(/role_missing/)
    await expect(bob.call('weather_set_alert')).rejects.toThrow(/role_missing/)
    await expect(bob.call('files_read_file')).rejects.toThrow(/role_missing/)
    await expect(bob.prompt('weather_trip')).rejects.toThrow(/role_missing/)
    await expect(bob.read('file:///public/a.txt')).rejects.toThrow(/role_missing/)
    await expect(bob.call('weather_tornado')).rejects.toThrow(/item_unknown/)
    await Promise.all([alice.close(), bob.close()])
  })

  test('a role that is given is in the next token', async () => {
    const { keycloak, logIn, call } = place()
    const client = await keycloak.idOf('/clients', 'weather-server')
    const role = await keycloak.admin('GET', `/clients/${client}/roles/tool:set_alert`)
    const before = await logIn('bob')
    const path = `/users/${await keycloak.idOf('/users', 'bob')}/role-mappings/clients/${client}`
    await keycloak.admin('POST', path, [role])
    const after = await logIn('bob')
    await keycloak.admin('DELETE', path, [role])
    expect(await call(before.access_token, 'weather_set_alert')).toBe('role_missing')
    expect(await call(after.access_token, 'weather_set_alert')).toBe('ok')
  })
})

real('the other tokens of Keycloak', patient, () => {
  test('an ID token and a refresh token are no access tokens', async () => {
    const { id_token: id = '', refresh_token: refresh = '' } = await place().logIn('alice')
    expect([decodeJwt(id)['typ'], decodeJwt(refresh)['typ']]).toEqual(['ID', 'Refresh'])
    expect(await place().call(id, 'weather_forecast')).toBe('token_type')
    expect(await place().call(refresh, 'weather_forecast')).toBe('token_type')
  })

  test('a lightweight token names nobody', async () => {
    const { access_token: token } = await place().logIn('alice', 'mcp-light')
    expect(decodeJwt(token).sub).toBeUndefined()
    expect(await place().call(token, 'weather_forecast')).toBe('token_audience')
  })

  test('a token that is not meant for the gateway is refused', async () => {
    const { keycloak, call } = place()
    const client = { client_id: 'mcp-authz', client_secret: 'authz-secret' }
    const { access_token: token } = await keycloak.token({ grant_type: 'client_credentials', ...client })
    expect(decodeJwt(token).aud).toBeUndefined()
    expect(await call(token, 'weather_forecast')).toBe('token_audience')
  })

  test('a service account has what its roles say, for a minute', async () => {
    const token = await place().agentToken()
    const { exp = 0, iat = 0, sid } = decodeJwt(token)
    expect([exp - iat, sid]).toEqual([60, undefined])
    expect(await place().call(token, 'files_read_file')).toBe('ok')
    expect(await place().call(token, 'weather_forecast')).toBe('role_missing')
  })
})

real('tokens by other algorithms', patient, () => {
  test('are taken where the issuer may use them', async () => {
    await addKey('ecdsa-generated', { algorithm: ['ES256'], ecdsaEllipticCurveKey: ['P-256'] })
    await addKey('eddsa-generated', { algorithm: ['EdDSA'], eddsaEllipticCurveKey: ['Ed25519'] })
    const tokens = new Map<string, string>()
    for (const alg of ['ES256', 'EdDSA', 'PS256', 'HS256', 'RS256']) tokens.set(alg, await signedWith(alg))
    const answers: string[] = []
    for (const [alg, token] of tokens) {
      expect(decodeProtectedHeader(token).alg).toBe(alg)
      answers.push(`${alg} ${await place().call(token, 'weather_forecast')}`)
    }
    expect(answers).toEqual(['ES256 ok', 'EdDSA ok', 'PS256 ok', 'HS256 token_algorithm', 'RS256 ok'])
  })
})

real('keys that rotate', patient, () => {
  test('under load make no request fail', async () => {
    const { agentToken, call } = place()
    const answers: string[] = []
    const kids = new Set<unknown>()
    const load = { on: true }
    const old = await agentToken()
    const worker = async (): Promise<void> => {
      while (load.on) {
        const token = await agentToken()
        kids.add(decodeProtectedHeader(token).kid)
        answers.push(await call(token, 'files_read_file'), await call(old, 'files_read_file'))
      }
    }
    const workers = [worker(), worker(), worker(), worker()]
    for (const priority of [300, 301, 302]) {
      await sleep(1500)
      await addKey('rsa-generated', { algorithm: ['RS256'], keySize: ['2048'] }, priority)
    }
    await sleep(1000)
    load.on = false
    await Promise.all(workers)
    print(`key rotation: ${answers.length} calls with tokens of ${kids.size} keys`)
    expect(answers.filter((answer) => answer !== 'ok')).toEqual([])
    expect(kids.size).toBe(4)
    expect(answers.length).toBeGreaterThan(50)
  })
})

real('a Keycloak that is gone', patient, () => {
  test('is not missed at once, but a key nobody has seen is; and none is good for ever', async () => {
    const { keycloak, logIn, agentToken, call } = place()
    const { access_token: known } = await logIn('alice')
    expect(await call(known, 'weather_forecast')).toBe('ok')
    await addKey('rsa-generated', { algorithm: ['RS256'], keySize: ['2048'] }, 400)
    const unseen = await agentToken()
    const gone = performance.now()
    await keycloak.stop()
    expect(await call(known, 'weather_forecast')).toBe('ok')
    expect(await call(unseen, 'files_read_file')).toBe('keys_unavailable')
    expect(await call(known, 'weather_forecast')).toBe('ok')
    await sleep(maxOutageSeconds * 1000 - (performance.now() - gone) + 500)
    expect(await call(known, 'weather_forecast')).toBe('keys_unavailable')
  })
})

async function connected(user: string) {
  return await place().connect((await place().logIn(user)).access_token)
}

/** Adds a key, which signs from the next token on where no other of its algorithm has a higher priority. */
async function addKey(providerId: string, config: object, priority = 200): Promise<void> {
  const { id } = (await place().keycloak.admin('GET', '')) as { readonly id: string }
  await place().keycloak.admin('POST', '/components', {
    name: `${providerId} ${priority}`,
    providerId,
    providerType: 'org.keycloak.keys.KeyProvider',
    parentId: id,
    config: { priority: [String(priority)], enabled: ['true'], active: ['true'], ...config },
  })
}

/** A token of alice by an algorithm, which a client chooses. */
async function signedWith(alg: string): Promise<string> {
  const { keycloak, logIn } = place()
  const path = `/clients/${await keycloak.idOf('/clients', 'mcp-cli')}`
  const client = (await keycloak.admin('GET', path)) as { readonly attributes: object }
  const attributes = { ...client.attributes, 'access.token.signed.response.alg': alg }
  await keycloak.admin('PUT', path, { ...client, attributes })
  return (await logIn('alice')).access_token
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
