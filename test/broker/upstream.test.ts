import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { begin, health, httpAt, isAlive, listen, program, shut, stdioOf, textOf, until } from './place.ts'
import { modernServer, sessionServer } from './servers.ts'

describe('an upstream is reached', () => {
  it('of 2026-07-28 over HTTP, and says what it offers', async () => {
    const { url } = await listen(modernServer(['forecast']).listener)
    const upstream = begin(httpAt(url))
    expect(upstream.state()).toMatchObject({ kind: 'connecting' })
    expect(upstream.offered()).toBeUndefined()
    await upstream.first
    expect(upstream.state()).toMatchObject({ kind: 'ready', protocolVersion: '2026-07-28', serverName: 'modern' })
    expect(upstream.offered()).toMatchObject({
      tools: [{ name: 'forecast', inputSchema: { type: 'object' } }],
      prompts: [{ name: 'brief' }],
      resources: [{ uri: 'weather://stations' }],
      templates: [{ uriTemplate: 'weather://{id}' }],
      completions: false,
    })
    const alice = await upstream.session('alice')
    expect(textOf(await alice.callTool({ name: 'forecast' }))).toBe('forecast')
    expect(await alice.getPrompt({ name: 'brief' })).toMatchObject({ messages: [] })
    expect(await alice.readResource({ uri: 'weather://7' })).toMatchObject({ contents: [{ uri: 'weather://7' }] })
    expect(upstream.changes()).toBe(1)
    expect(upstream.warnings).toEqual([])
  })

  it('of 2025-11-25 with sessions', async () => {
    const { url } = await listen(sessionServer().listener)
    const upstream = begin(httpAt(url))
    await upstream.first
    expect(upstream.state()).toMatchObject({ kind: 'ready', protocolVersion: '2025-11-25', serverName: 'sessions' })
    expect(upstream.offered()).toMatchObject({
      tools: [{ name: 'count' }, { name: 'wait' }],
      prompts: [],
      resources: [],
      templates: [],
    })
  })

  it.each([
    ['v1', '2025-11-25'],
    ['v2', '2026-07-28'],
  ] as const)('on stdio: SDK %s', async (line, protocolVersion) => {
    const upstream = begin(stdioOf(line))
    await upstream.first
    expect(upstream.state()).toMatchObject({ kind: 'ready', protocolVersion, serverName: `stdio-${line}` })
    const alice = await upstream.session('alice')
    expect(textOf(await alice.callTool({ name: 'count' }))).toBe('1')
  })
})

describe('an upstream on stdio', () => {
  it('may be one that somebody else wrote', async () => {
    const upstream = begin(
      program([fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'))]),
    )
    await upstream.first
    const { tools = [], prompts, resources, templates } = upstream.offered() ?? {}
    expect(tools.map(({ name }) => name)).toContain('echo')
    for (const list of [prompts, resources, templates]) expect(list).not.toHaveLength(0)
    const alice = await upstream.session('alice')
    expect(textOf(await alice.callTool({ name: 'echo', arguments: { message: 'hello' } }))).toContain('hello')
  })

  it('gets the variables that are given to it, and few others; what it writes to stderr is passed on', async () => {
    process.env['MCP_AUTHZ_TEST_SECRET'] = 'of the broker'
    const upstream = begin(stdioOf('v1', { env: { API_KEY: 'the-key-of-weather' } }))
    await upstream.first
    const alice = await upstream.session('alice')
    const variable = async (name: string) => textOf(await alice.callTool({ name: 'variable', arguments: { name } }))
    expect(await variable('API_KEY')).toBe('the-key-of-weather')
    expect(await variable('PATH')).toBe(process.env['PATH'])
    expect(await variable('MCP_AUTHZ_TEST_SECRET')).toBe('none')
    expect(upstream.log).toEqual(['weather: started [redacted]', 'weather: started [redacted]'])
  })
})

describe('an upstream that ends', () => {
  it('over HTTP is unreachable, and comes back at the same place', async () => {
    const tools = ['forecast']
    const server = await listen(modernServer(tools).listener)
    const upstream = begin(httpAt(server.url))
    await upstream.first
    await shut(server)
    await until(() => expect(upstream.state().kind).toBe('unreachable'))
    expect(upstream.offered()).toBeUndefined()
    expect(upstream.state().lastError).toMatch(/ECONNREFUSED|fetch failed|closed/)
    await expect(upstream.session('alice')).rejects.toThrow('server `weather` is not reachable')
    tools.push('alerts')
    await listen(modernServer(tools).listener, Number(new URL(server.url).port))
    await until(() => expect(upstream.state().kind).toBe('ready'))
    expect(upstream.offered()?.tools.map(({ name }) => name)).toEqual(['forecast', 'alerts'])
    expect(upstream.changes()).toBe(3)
    expect(upstream.warnings).toEqual([
      expect.stringMatching(/^server `weather` is not reachable: /),
      'server `weather` is reachable again',
    ])
  })

  it('with sessions is unreachable, and forgot them when it comes back', async () => {
    const server = await listen(sessionServer().listener)
    const upstream = begin(httpAt(server.url))
    await upstream.first
    const alice = await upstream.session('alice')
    for (const count of ['1', '2']) expect(textOf(await alice.callTool({ name: 'count' }))).toBe(count)
    await shut(server)
    await until(() => expect(upstream.state().kind).toBe('unreachable'))
    await listen(sessionServer().listener, Number(new URL(server.url).port))
    await until(() => expect(upstream.state().kind).toBe('ready'))
    await expect(alice.callTool({ name: 'count' })).rejects.toThrow('server `weather` is not reachable')
    await until(async () => expect(textOf(await alice.callTool({ name: 'count' }))).toBe('1'))
  })

  it('on stdio is started again', async () => {
    const upstream = begin(stdioOf('v1', { sessions: 'shared' }))
    await upstream.first
    const alice = await upstream.session('alice')
    const pid = Number(textOf(await alice.callTool({ name: 'pid' })))
    await expect(alice.callTool({ name: 'exit' })).rejects.toThrow('server `weather` is not reachable')
    await until(async () => expect(textOf(await alice.callTool({ name: 'pid' }))).not.toBe(String(pid)))
    expect(isAlive(pid)).toBe(false)
    expect(upstream.state().kind).toBe('ready')
  })
})

describe('an upstream that never was', () => {
  it('is tried again, and told of once', async () => {
    const server = await listen(() => undefined)
    await shut(server)
    const upstream = begin(httpAt(server.url))
    await upstream.first
    const { nextAttemptAt = 0, lastError } = upstream.state()
    expect(nextAttemptAt).toBeGreaterThan(0)
    expect(lastError).toContain('ECONNREFUSED')
    await until(() => expect(upstream.state().nextAttemptAt).not.toBe(nextAttemptAt))
    expect(upstream.warnings).toHaveLength(1)
  })

  it('is a program that cannot be started', async () => {
    const upstream = begin({ ...program([]), command: 'no-such-program-anywhere' })
    await upstream.first
    expect(upstream.state()).toMatchObject({ kind: 'unreachable', lastError: expect.stringContaining('ENOENT') })
  })
})

describe('an upstream that hangs', () => {
  it('is given up, and keeps nobody else waiting', async () => {
    const hanging = await listen(() => undefined)
    const { url } = await listen(modernServer(['forecast']).listener)
    const limits = { health: { ...health, timeoutSeconds: 0.2 } }
    const [dead, living] = [begin(httpAt(hanging.url), limits), begin(httpAt(url))]
    await living.first
    expect(living.state().kind).toBe('ready')
    await dead.first
    expect(dead.state()).toMatchObject({ kind: 'unreachable', lastError: expect.stringMatching(/timed out/i) })
  })
})

describe('an upstream that is switched', () => {
  it('off is disconnected: no offer, no session, no process', async () => {
    const upstream = begin(stdioOf('v1'))
    await upstream.first
    const alice = await upstream.session('alice')
    const pid = Number(textOf(await alice.callTool({ name: 'pid' })))
    upstream.setEnabled(false)
    expect(upstream.offered()).toBeUndefined()
    expect(upstream.state().kind).toBe('disabled')
    await expect(upstream.session('alice')).rejects.toThrow('server `weather` is disabled')
    await expect(alice.callTool({ name: 'pid' })).rejects.toThrow('server `weather` is disabled')
    await until(() => expect(isAlive(pid)).toBe(false))
    upstream.setEnabled(true)
    await until(() => expect(upstream.state().kind).toBe('ready'))
    expect(textOf(await alice.callTool({ name: 'count' }))).toBe('1')
    expect(upstream.warnings).toEqual([])
  })

  it('off from the beginning is not tried', async () => {
    const server = sessionServer()
    const { url } = await listen(server.listener)
    const upstream = begin(httpAt(url), { enabled: false })
    await upstream.first
    expect(upstream.state().kind).toBe('disabled')
    expect(server.opened()).toBe(0)
    upstream.setEnabled(true)
    await until(() => expect(upstream.state().kind).toBe('ready'))
  })

  it('off while it is being reached ends at once', async () => {
    const { url } = await listen(() => undefined)
    const upstream = begin(httpAt(url))
    upstream.setEnabled(false)
    await upstream.first
    await upstream.close()
    expect(upstream.state().kind).toBe('disabled')
  })

  it('off ends the sessions that it had, at the server too', async () => {
    const server = sessionServer()
    const { url } = await listen(server.listener)
    const upstream = begin(httpAt(url))
    await upstream.first
    await upstream.session('alice')
    expect(server.sessions.size).toBe(2)
    await upstream.close()
    expect(server.sessions.size).toBe(0)
  })
})
