import { createPublicKey } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { assemble } from '../src/assembly.ts'
import { parseConfig } from '../src/config/load.ts'
import { ConfigError } from '../src/config/problem.ts'
import { capabilityKeyFile, developmentConfig, developmentToken, stateDirectory } from '../src/development.ts'
import { makeDirectory } from './config/workspace.ts'

const alice = { subject: 'alice', roles: ['forecaster'], grants: { files: ['tool:read_file'] } }
const production = { NODE_ENV: 'production' }

async function modes(directory: string): Promise<Record<string, string>> {
  const state = stateDirectory(directory)
  const names = ['.', ...(await readdir(state)).sort()]
  const entries = names.map(async (name) => [name, ((await stat(join(state, name))).mode & 0o777).toString(8)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

describe('the embedded default', () => {
  it('keeps its private keys to their owner, and leaves nothing half written', async () => {
    const directory = await makeDirectory()
    await developmentConfig(directory, {})
    expect(await modes(directory)).toMatchObject({
      '.': '700',
      'capability-key.pem': '600',
      'issuer-key.pem': '600',
      'jwks.json': expect.any(String),
    })
    expect(await readdir(stateDirectory(directory))).toHaveLength(3)
    expect(await readFile(join(stateDirectory(directory), 'jwks.json'), 'utf8')).not.toContain('"d"')
  })

  it('says what is in the way where it cannot keep them, or keeps something else', async () => {
    const blocked = await makeDirectory({ '.mcp-authz': 'a file' })
    await expect(developmentConfig(blocked, {})).rejects.toThrow(ConfigError)
    await expect(developmentConfig(blocked, {})).rejects.toThrow(/issuer-key\.pem: .*; mend: run in a folder/)
    const broken = await makeDirectory()
    await developmentConfig(broken, {})
    await writeFile(join(stateDirectory(broken), 'issuer-key.pem'), 'not a key')
    await expect(developmentConfig(broken, {})).rejects.toThrow(/issuer-key\.pem: expected a P-256 private key/)
  })

  it('keeps its keys from one start to the next', async () => {
    const directory = await makeDirectory()
    const read = async (): Promise<string[]> => {
      await developmentConfig(directory, {})
      const files = ['issuer-key.pem', 'capability-key.pem', 'jwks.json']
      return await Promise.all(files.map((file) => readFile(join(stateDirectory(directory), file), 'utf8')))
    }
    expect(await read()).toEqual(await read())
    const [one, two] = await read()
    expect(one).not.toBe(two)
  })

  it('gives starts at the same time one and the same key, and none of them half of it', async () => {
    for (let round = 0; round < 5; round += 1) {
      const directory = await makeDirectory()
      const starts = Array.from({ length: 16 }, async (_, i) => {
        if (i % 2 === 0) return await developmentToken(directory, {}, alice)
        await developmentConfig(directory, {})
        return undefined
      })
      const tokens = (await Promise.all(starts)).filter((token) => token !== undefined)
      expect(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)).size).toBe(1)
      const pem = await readFile(join(stateDirectory(directory), 'issuer-key.pem'), 'utf8')
      for (const token of tokens) await compactVerify(token, createPublicKey(pem))
      expect((await readdir(stateDirectory(directory))).sort()).toEqual([
        'capability-key.pem',
        'issuer-key.pem',
        'jwks.json',
      ])
    }
  })
})

describe('what the embedded default is', () => {
  it('listens on this machine alone', async () => {
    const { listen } = await developmentConfig(await makeDirectory(), {})
    expect(listen).toEqual({ grpc: '127.0.0.1:9191', http: '127.0.0.1:8181' })
  })

  it('takes its own tokens, and none of another folder', async () => {
    const [mine, other] = [await makeDirectory(), await makeDirectory()]
    const { authorizer, close, load } = await assemble(await developmentConfig(mine, {}))
    await load()
    const capabilities = async (token: string) => await authorizer.capabilities({ kind: 'token', token }, [])
    expect(await capabilities(await developmentToken(mine, {}, alice))).toMatchObject({
      ok: true,
      capabilities: { tools: { files: ['read_file'], weather: ['alerts', 'forecast'] } },
    })
    expect(await capabilities(await developmentToken(other, {}, alice))).toMatchObject({ ok: false })
    await close()
  })
})

describe('a development token', () => {
  it('is one for twelve hours', async () => {
    const { iat = 0, exp = 0, sub } = decodeJwt(await developmentToken(await makeDirectory(), {}, alice))
    expect({ sub, lifetime: exp - iat }).toEqual({ sub: 'alice', lifetime: 43_200 })
  })
})

describe('production', () => {
  it('has no embedded default, no development issuer and no key nobody configured', async () => {
    const directory = await makeDirectory({ 'jwks.json': '{"keys":[]}' })
    const issuers = [{ issuer: 'https://sso.example.com', jwks: { file: 'jwks.json' }, audiences: ['a'] }]
    const config = await parseConfig({ issuers }, directory)
    for (const refused of [
      developmentConfig(directory, production),
      developmentToken(directory, production, alice),
      capabilityKeyFile(config, production),
    ]) {
      await expect(refused).rejects.toThrow(ConfigError)
      await expect(refused).rejects.toThrow('NODE_ENV is production; mend: ')
    }
    expect(await readdir(directory)).toEqual(['jwks.json'])
    expect(await capabilityKeyFile(config, {})).toBe(join(directory, '.mcp-authz/capability-key.pem'))
  })
})
