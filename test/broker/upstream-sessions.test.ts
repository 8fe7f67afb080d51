import { describe, expect, it } from 'vitest'
import { begin, httpAt, isAlive, listen, stdioOf, type Tested, textOf, until } from './place.ts'
import { modernServer, rawServer, sessionServer } from './servers.ts'

async function ask(upstream: Tested, caller: string, name: string): Promise<string> {
  const client = await upstream.session(caller)
  return textOf(await client.callTool({ name }))
}

describe('the session of a caller', () => {
  it('is nobody else’s', async () => {
    const server = sessionServer()
    const upstream = begin(httpAt((await listen(server.listener)).url))
    await upstream.first
    expect(await ask(upstream, 'alice', 'count')).toBe('1')
    expect(await ask(upstream, 'alice', 'count')).toBe('2')
    expect(await ask(upstream, 'bob', 'count')).toBe('1')
    expect(await ask(upstream, 'alice', 'count')).toBe('3')
    // One more lists, and is lent to nobody.
    expect(server.opened()).toBe(3)
  })

  it('is everybody’s where that is configured', async () => {
    const server = sessionServer()
    const upstream = begin(httpAt((await listen(server.listener)).url, { sessions: 'shared' }))
    await upstream.first
    expect(await ask(upstream, 'alice', 'count')).toBe('1')
    expect(await ask(upstream, 'bob', 'count')).toBe('2')
    expect(server.opened()).toBe(1)
  })

  it('is opened once for calls that come together', async () => {
    const server = sessionServer()
    const upstream = begin(httpAt((await listen(server.listener)).url))
    await upstream.first
    const counts = await Promise.all(Array.from({ length: 5 }, () => ask(upstream, 'alice', 'count')))
    expect(counts.sort()).toEqual(['1', '2', '3', '4', '5'])
    expect(server.opened()).toBe(2)
  })
})

describe('a session', () => {
  it('is opened anew by the call after one that found it gone', async () => {
    const server = sessionServer()
    const upstream = begin(httpAt((await listen(server.listener)).url))
    await upstream.first
    const [listing] = server.sessions.keys()
    expect(await ask(upstream, 'alice', 'count')).toBe('1')
    for (const id of server.sessions.keys()) if (id !== listing) server.sessions.delete(id)
    await expect(ask(upstream, 'alice', 'count')).rejects.toMatchObject({ outage: 'unreachable', server: 'weather' })
    expect(await ask(upstream, 'alice', 'count')).toBe('1')
    expect(upstream.state().kind).toBe('ready')
  })

  it('is not opened where the server keeps none', async () => {
    const seen: Parameters<typeof rawServer>[2] = []
    const server = rawServer(
      () => ({ result: { tools: [], content: [{ type: 'text', text: 'hi' }] } }),
      { tools: {} },
      seen,
    )
    const upstream = begin(httpAt((await listen(server)).url))
    await upstream.first
    for (const caller of ['alice', 'bob']) expect(await ask(upstream, caller, 'any')).toBe('hi')
    expect(seen.filter(({ method }) => method === 'initialize')).toHaveLength(1)
    const modern = begin(httpAt((await listen(modernServer(['forecast']).listener)).url))
    await modern.first
    for (const caller of ['alice', 'bob']) expect(await ask(modern, caller, 'forecast')).toBe('forecast')
  })
})

describe('the sessions of callers', () => {
  it('are bounded: the one that was not used for longest ends once its calls are done', async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<void>()
    const server = sessionServer(gate)
    const upstream = begin(httpAt((await listen(server.listener)).url), { maxSessions: 1 })
    await upstream.first
    const waiting = ask(upstream, 'alice', 'wait')
    await until(() => expect(server.sessions.size).toBe(2))
    expect(await ask(upstream, 'bob', 'count')).toBe('1')
    expect(server.sessions.size).toBe(3)
    release()
    expect(await waiting).toBe('done')
    await until(() => expect(server.sessions.size).toBe(2))
    expect(await ask(upstream, 'bob', 'count')).toBe('2')
  })

  it('end where nobody uses them', async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<void>()
    const server = sessionServer(gate)
    const upstream = begin(httpAt((await listen(server.listener)).url), { idleMs: 20 })
    await upstream.first
    const waiting = ask(upstream, 'alice', 'wait')
    expect(await ask(upstream, 'bob', 'count')).toBe('1')
    // The listing one, and the one that is in use.
    await until(() => expect(server.sessions.size).toBe(2))
    release()
    expect(await waiting).toBe('done')
    await until(() => expect(server.sessions.size).toBe(1))
  })

  it('end with the server being switched off, whatever is asked through them', async () => {
    const server = sessionServer(new Promise(() => undefined))
    const upstream = begin(httpAt((await listen(server.listener)).url))
    await upstream.first
    const waiting = ask(upstream, 'alice', 'wait')
    await until(() => expect(server.sessions.size).toBe(2))
    upstream.setEnabled(false)
    await expect(waiting).rejects.toMatchObject({ name: 'UpstreamUnavailable' })
    await until(() => expect(server.sessions.size).toBe(0))
  })
})

describe('callers of a server on stdio', () => {
  it.each(['v1', 'v2'] as const)('have a process each: SDK %s', async (line) => {
    const upstream = begin(stdioOf(line))
    await upstream.first
    const alice = Number(await ask(upstream, 'alice', 'pid'))
    const bob = Number(await ask(upstream, 'bob', 'pid'))
    expect(alice).not.toBe(bob)
    expect(await ask(upstream, 'alice', 'pid')).toBe(String(alice))
    process.kill(alice, 'SIGKILL')
    await until(async () => expect(await ask(upstream, 'alice', 'pid')).not.toBe(String(alice)))
    expect(await ask(upstream, 'bob', 'pid')).toBe(String(bob))
    expect(upstream.state().kind).toBe('ready')
    const last = Number(await ask(upstream, 'alice', 'pid'))
    await upstream.close()
    for (const pid of [alice, bob, last]) expect(isAlive(pid)).toBe(false)
  })
})

describe('a session that the server refuses', () => {
  it('is told to the operator, not to the caller', async () => {
    const sessions: string[] = []
    const server = rawServer(
      (request, _, response) => {
        sessions.push(request.method)
        response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'one' })
        const serverInfo = { name: 'one', version: '1' }
        const initialized = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }
        const answers =
          sessions.filter((method) => method === 'initialize').length > 1
            ? { error: { code: 7, message: 'one session is enough' } }
            : { result: request.method === 'initialize' ? initialized : { tools: [] } }
        response.end(JSON.stringify({ jsonrpc: '2.0', id: request.id, ...answers }))
        return undefined
      },
      { own: true },
    )
    const upstream = begin(httpAt((await listen(server)).url), {
      health: { everySeconds: 3600, timeoutSeconds: 5, maxBackoffSeconds: 1 },
    })
    await upstream.first
    await expect(upstream.session('alice')).rejects.toThrow('server `weather` is not reachable')
    expect(upstream.warnings).toEqual(['server `weather`: no session for a caller: one session is enough'])
  })
})
