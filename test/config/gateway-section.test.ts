// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { type LoadOptions, loadConfig } from '../../src/config/load.ts'
import { errorOf, makeDirectory } from './workspace.ts'

const sso = 'issuers:\n  - issuer: https://sso.example.com\n    audiences: [gateway]\n'
const key = 'this-is-a-key-of-the-gateway-that-is-long-enough'
const other = 'this-is-another-key-of-the-gateway-long-enough-too'
const short = 'this-one-is-a-secret-too'

async function load(text: string, options: Partial<LoadOptions> = {}): Promise<Config> {
  const directory = await makeDirectory({ 'mcp-authz.yaml': sso + text })
  return await loadConfig(join(directory, 'mcp-authz.yaml'), { env: {}, ...options })
}

/** All of the error, each line after the file's name. */
async function refusal(text: string, options: Partial<LoadOptions> = {}): Promise<string> {
  const { message } = await errorOf(() => load(text, options))
  return message.replaceAll(/^.*?mcp-authz\.yaml:/gm, '')
}

function textOf({ gateway }: Config): string | undefined {
  return gateway.signingKey && new TextDecoder().decode(gateway.signingKey)
}

const trusted = 'capabilities: {trusted: {url: "https://authz.example.com/.well-known/jwks.json"}}\n'
const env = { GATEWAY_SIGNING_KEY: key }
const old = { JWT_SESSION_SIGNING_KEY: key }
const file = `gateway: {signingKey: ${key}}\n`

describe('where the signing key of the gateway comes from', () => {
  const flag = { text: other, from: '--gateway-signing-key' }

  it.each<readonly [string, string, Partial<LoadOptions>, string]>([
    ['the file', file, {}, key],
    ['the environment, as the file says', 'gateway: {signingKey: "${KEY}"}\n', { env: { KEY: key } }, key],
    ['the environment', '', { env }, key],
    ['the environment over the file', `gateway: {signingKey: ${other}}\n`, { env }, key],
    ['the environment by its old name', `gateway: {signingKey: ${other}}\n`, { env: old }, key],
    ['the new name over the old', '', { env: { ...env, JWT_SESSION_SIGNING_KEY: other } }, key],
    ['the file, where the variable is empty', file, { env: { GATEWAY_SIGNING_KEY: '' } }, key],
    ['the command line over all of them', file, { env, signingKey: flag }, other],
  ])('is %s', async (_, text, options, expected) => {
    expect(textOf(await load(text, options))).toBe(expected)
  })

  it('is nowhere, where nobody gives one and nothing needs it', async () => {
    expect((await load('')).gateway).toEqual({ signingKey: undefined, backendInit: false, sessions: false })
  })

  it('is warned about where it is the old name, also where the new one counts', async () => {
    expect((await load('', { env })).warnings).toEqual([])
    const deprecated = 'JWT_SESSION_SIGNING_KEY is deprecated: name it GATEWAY_SIGNING_KEY'
    expect((await load('', { env: old })).warnings).toEqual([deprecated])
    const both = `${deprecated}; GATEWAY_SIGNING_KEY is there too and counts`
    expect((await load('', { env: { ...env, ...old } })).warnings).toEqual([both])
  })
})

describe('a signing key', () => {
  const mend = 'mend: make one with `openssl rand -base64 48`'
  it.each<readonly [string, string, Partial<LoadOptions>, string]>([
    ['the file', `gateway:\n  signingKey: ${short}\n`, {}, `5:3: gateway.signingKey: the key is shorter`],
    [
      'the environment',
      '',
      { env: { GATEWAY_SIGNING_KEY: short } },
      '1:1: gateway.signingKey: GATEWAY_SIGNING_KEY is shorter',
    ],
    [
      'the environment by its old name',
      'gateway:\n  backendInit: true\n',
      { env: { JWT_SESSION_SIGNING_KEY: short } },
      '4:1: gateway.signingKey: JWT_SESSION_SIGNING_KEY is shorter',
    ],
    [
      'the command line',
      file,
      { signingKey: { text: '', from: '--gateway-signing-key' } },
      '4:11: gateway.signingKey: --gateway-signing-key is shorter',
    ],
  ])('of less than 32 bytes is refused, and not repeated: from %s', async (_, text, options, expected) => {
    const message = await refusal(text, options)
    expect(message).toBe(`${expected} than 32 bytes; ${mend}`)
    expect(message).not.toContain(short)
  })

  it('is measured in bytes', async () => {
    expect((await load('', { env: { GATEWAY_SIGNING_KEY: 'é'.repeat(16) } })).gateway.signingKey).toHaveLength(32)
    expect(await refusal('', { env: { GATEWAY_SIGNING_KEY: 'é'.repeat(15) } })).toContain('shorter than 32 bytes')
  })
})

describe('what needs a signing key', () => {
  it.each(['backendInit', 'sessions'])('refuses to start without one: %s', async (name) => {
    expect(await refusal(`mcp: {profile: kuadrant}\ngateway:\n  ${name}: true\n`)).toMatch(
      /^6:\d+: gateway\.\w+: it needs a signing key, and there is none; mend: set GATEWAY_SIGNING_KEY$/,
    )
  })

  it('is on with one', async () => {
    const text = 'mcp: {profile: kuadrant}\ngateway: {backendInit: true, sessions: true}\n'
    const { gateway } = await load(text, { env: { GATEWAY_SIGNING_KEY: key } })
    expect(gateway).toMatchObject({ backendInit: true, sessions: true })
  })

  it('is told once what is wrong, not twice, where the variable of the file is not set', async () => {
    const message = await refusal('gateway:\n  signingKey: "${KEY}"\n  backendInit: true\n')
    expect(message.split('\n')).toHaveLength(1)
    expect(message).toMatch(/^5:3: gateway\.signingKey: .*`?KEY`?/)
  })

  it('has sessions in profile kuadrant alone', async () => {
    expect(await refusal('gateway:\n  sessions: true\n', { env: { GATEWAY_SIGNING_KEY: key } })).toBe(
      '5:3: gateway.sessions: expected false, true is for profile kuadrant only; mend: remove it, or set `mcp.profile: kuadrant`',
    )
  })

  it('is true or false, and nothing else', async () => {
    expect(await refusal('gateway:\n  backendInit: "yes"\n')).toMatch(/^5:3: gateway\.backendInit: /)
    expect(await refusal('gateway:\n  backendinit: true\n')).toMatch(/did you mean `backendInit`/)
  })
})

describe('the state', () => {
  it('is beside the configuration unless named, and in no Redis', async () => {
    const { directory, state } = await load('')
    expect(state).toEqual({ file: join(directory, '.mcp-authz/state.db'), named: false, redis: undefined })
  })

  it('is where it is said', async () => {
    const { directory, state } = await load('state: {file: kept/state.db, redis: {url: "redis://127.0.0.1:6379"}}\n')
    const redis = { url: 'redis://127.0.0.1:6379', prefix: 'mcp-authz:' }
    expect(state).toEqual({ file: join(directory, 'kept/state.db'), named: true, redis })
  })

  it('warns where a Redis has nothing to tell entries from forged ones by', async () => {
    const redis = 'state: {redis: {url: "redis://127.0.0.1:6379"}}\n'
    const key = `gateway: {signingKey: "${'k'.repeat(32)}"}\n`
    expect((await load(redis)).warnings).toEqual([expect.stringMatching(/^state\.redis has no signing key: /)])
    expect((await load(`${redis}${key}`)).warnings).toEqual([])
    expect((await load(`${redis}insecure: {unsignedState: true}\n`)).warnings).toEqual([
      expect.stringMatching(/^insecure\.unsignedState is on: /),
    ])
  })

  it.each(['rediss://cache.example.com', 'redis+unix:///run/redis.sock', 'redis://user:pw@[::1]:6379/2'])(
    'may be in a Redis at %s',
    async (url) => {
      const { state } = await load(`state: {redis: {url: "${url}", prefix: "p:"}}\n`)
      expect(state.redis).toEqual({ url, prefix: 'p:' })
    },
  )

  it.each(['redis://:secret%word@cache', 'redis://secret%:pw@cache', 'redis://:secret%FFword@cache'])(
    'is no address with an escape that stands for nothing: %s',
    async (url) => {
      const message = await refusal(`state:\n  redis:\n    url: "${url}"\n`)
      expect(message).toContain('6:5: state.redis.url: expected escapes like `%20` in user and password')
      expect(message).toContain('mend: write a plain `%` as `%25`')
      expect(message).not.toContain('secret')
    },
  )

  it.each(['127.0.0.1:6379', 'http://:secret-word@cache.example.com', 'redis://', 'redis+unix://', 'cache'])(
    'is in no Redis at %s, and the address is not repeated',
    async (url) => {
      const message = await refusal(`state:\n  redis:\n    url: "${url}"\n`)
      expect(message).toBe(
        '6:5: state.redis.url: expected the address of a Redis or Valkey; mend: write it like redis://127.0.0.1:6379, rediss://HOST or redis+unix:///run/redis.sock',
      )
    },
  )

  it('needs the address of a Redis that it names', async () => {
    expect(await refusal('state:\n  redis: {prefix: "p:"}\n')).toMatch(/^5:\d+: state\.redis.*url/)
  })
})

describe('revocations', () => {
  it('are held against everybody, and nobody is let in for long where they cannot be known', async () => {
    expect((await load('')).revocations).toEqual({ whenUnknown: 'deny', maxUnknownSeconds: 5, followUrl: undefined })
  })

  it('are followed where it is said, with another stance', async () => {
    const text =
      'revocations: {whenUnknown: allow, maxUnknownSeconds: 60, follow: {url: "https://authz.example.com/.well-known/mcp-authz-revocations"}}\n'
    const { revocations, warnings } = await load(text + trusted)
    expect(revocations).toEqual({
      whenUnknown: 'allow',
      maxUnknownSeconds: 60,
      followUrl: 'https://authz.example.com/.well-known/mcp-authz-revocations',
    })
    expect(warnings).toEqual([expect.stringMatching(/^revocations\.whenUnknown is `allow`: /)])
  })

  it.each([
    ['whenUnknown: maybe', /^5:3: revocations\.whenUnknown: .*deny.*allow/],
    ['maxUnknownSeconds: -1', /^5:3: revocations\.maxUnknownSeconds: /],
    ['maxUnknownSeconds: 86401', /^5:3: revocations\.maxUnknownSeconds: /],
    ['follow: {}', /^5:\d+: revocations\.follow.*url/],
    [
      'follow: {url: "http://authz.example.com"}',
      /^5:12: revocations\.follow\.url: expected https; .*; mend: write an https address$/,
    ],
    [
      'follow: {url: "https://u:p@authz.example.com"}',
      /^5:12: revocations\.follow\.url: expected an address without user and password/,
    ],
  ])('are refused as %s', async (line, message) => {
    expect(await refusal(`revocations:\n  ${line}\n${trusted}`)).toMatch(message)
  })

  it('are followed from somebody whose signature can be verified, or not at all', async () => {
    const text = 'revocations: {follow: {url: "https://authz.example.com"}}\n'
    expect(await refusal(text)).toBe(
      '4:15: revocations.follow: nobody could have signed a list that is believed here; mend: name the public key of that service in `capabilities.trusted`',
    )
  })

  it('may be followed over http on loopback, and elsewhere under an insecure switch alone', async () => {
    const loopback = 'http://127.0.0.1:8181/.well-known/mcp-authz-revocations'
    expect((await load(`revocations: {follow: {url: "${loopback}"}}\n${trusted}`)).revocations.followUrl).toBe(loopback)
    const text = 'revocations: {follow: {url: "http://authz.example.com"}}\ninsecure: {httpIssuers: true}\n'
    expect((await load(text + trusted)).revocations.followUrl).toBe('http://authz.example.com')
  })
})
