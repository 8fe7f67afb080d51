import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { capabilityKeyFrom, generateKeyPem } from '../../src/capabilities/key.ts'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { runIn } from '../cli/terminal.ts'
import { startKeyServer } from '../identity/key-server.ts'
import { forge, makePlace, type Place } from './place.ts'

const pems = [generateKeyPem(), generateKeyPem()] as const
const [one, two] = await Promise.all(pems.map(async (pem) => await capabilityKeyFrom(pem)))
if (one === undefined || two === undefined) throw new Error('no keys')
const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A guard of a place whose `capabilities` are these, and what it warned of. */
async function guardWith(capabilities?: object): Promise<{ guard: Guard; place: Place; warnings: string[] }> {
  const place = await makePlace()
  const warnings: string[] = []
  if (capabilities !== undefined) {
    const config = parse(await readFile(place.config, 'utf8')) as object
    await writeFile(place.config, stringify({ ...config, capabilities }))
  }
  const guard = await createGuard({ config: place.config, onWarning: (text) => warnings.push(text) })
  open.push(
    () => place.remove(),
    () => guard.close(),
  )
  return { guard, place, warnings }
}

/** `ok`, or why a token signed by this key opens nothing. */
async function outcomeOf(guard: Guard, pem: string, kid?: string): Promise<string> {
  const who = { iss: 'mcp-authz', aud: 'mcp-broker', sub: 'alice', exp: Math.floor(Date.now() / 1000) + 60 }
  const claims = { ...who, 'allowed-capabilities': '{"tools":{"weather":["forecast"]}}' }
  const authorized = await forge(pem, claims, kid === undefined ? {} : { kid })
  const params = { name: 'weather_forecast' }
  const { allow, reasons } = await guard.decide({ credential: { authorized }, method: 'tools/call', params })
  return allow ? 'ok' : (reasons[0]?.code ?? '')
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Renamed into place, as a whole. */
async function put(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

const patient = { timeout: 20_000 }

describe('a guard that has the key itself', patient, () => {
  it('believes the next key, the new one after a rotation, and the retired one', async () => {
    const { guard, place } = await guardWith()
    const directory = dirname(place.config)
    const { kid: old } = await capabilityKeyFrom(place.capabilityPem)
    expect(await outcomeOf(guard, place.capabilityPem)).toBe('ok')
    await runIn(directory, ['keys', 'rotate', '--publish-only'])
    const next = await readFile(join(directory, 'capability-key.pem.next.pem'), 'utf8')
    const { kid } = await capabilityKeyFrom(next)
    await until(async () => (await outcomeOf(guard, next, kid)) === 'ok')
    // Which of two keys it would be is not guessed.
    expect(await outcomeOf(guard, place.capabilityPem)).toBe('token_key_unknown')
    await runIn(directory, ['keys', 'rotate'])
    for (let looks = 0; looks < 10; looks += 1) {
      expect(await outcomeOf(guard, next, kid)).toBe('ok')
      expect(await outcomeOf(guard, place.capabilityPem, old)).toBe('ok')
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  })

  it('goes on with what it had where the file is broken, and says so', async () => {
    const { guard, place, warnings } = await guardWith()
    await writeFile(join(dirname(place.config), 'capability-key.pem'), place.capabilityPem.slice(0, 90))
    await until(() => warnings.length > 0)
    expect(warnings[0]).toContain(
      'the trusted keys of x-mcp-authorized cannot be used, what was there goes on: expected',
    )
    expect(await outcomeOf(guard, place.capabilityPem)).toBe('ok')
  })
})

describe('a guard that trusts a file', patient, () => {
  it('reads PEM and JWK Sets, and follows both', async () => {
    const directory = dirname((await guardWith()).place.config)
    const file = join(directory, 'trusted')
    await put(file, one.publicPem)
    const { guard, warnings } = await guardWith({ trusted: { file } })
    expect(await outcomeOf(guard, pems[0])).toBe('ok')
    // A key in PEM has no name.
    expect(await outcomeOf(guard, pems[0], 'any')).toBe('ok')
    expect(await outcomeOf(guard, pems[1])).toBe('token_signature')
    await put(file, JSON.stringify({ keys: [...one.jwks.keys, ...two.jwks.keys] }))
    await until(async () => (await outcomeOf(guard, pems[1], two.kid)) === 'ok')
    expect(await outcomeOf(guard, pems[0], one.kid)).toBe('ok')
    expect(await outcomeOf(guard, pems[0], two.kid)).toBe('token_signature')
    expect(await outcomeOf(guard, pems[0], 'any')).toBe('token_key_unknown')
    await put(file, '{"keys":[')
    await until(() => warnings.length > 0)
    expect(await outcomeOf(guard, pems[1], two.kid)).toBe('ok')
  })
})

describe('a guard that trusts an address', patient, () => {
  it('opens nothing while the keys cannot be had, and says why', async () => {
    await using server = await startKeyServer()
    const { guard, warnings } = await guardWith({ trusted: { url: `${server.origin}/jwks` } })
    expect(await outcomeOf(guard, pems[0], one.kid)).toBe('keys_unavailable')
    expect(warnings.join()).toContain('the trusted keys of x-mcp-authorized cannot be had')
    server.publish(one.jwks.keys)
    await until(async () => (await outcomeOf(guard, pems[0], one.kid)) === 'ok')
    expect(await outcomeOf(guard, pems[1], two.kid)).toBe('token_key_unknown')
  })
})
