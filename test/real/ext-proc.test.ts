import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Change, type Json, processorOf } from './envoy-config.ts'
import { type Measured, printFigures, quantileOf } from './figures.ts'
import { clients } from './mcp-clients.ts'
import { ask, headersOf, seen, unfilterable, useMesh, wholeList } from './mesh-place.ts'
import { real } from './place.ts'
import { everything, paths } from './plain-server.ts'

const listeners = {
  documented: () => undefined,
  /** Nothing is stripped before the check: what a client forges reaches it, and the choice of the first route. */
  unstripped: (manager) => {
    manager.early_header_mutation_extensions = []
  },
  /** No list is filtered here: what a call takes without. */
  without: (manager) => {
    manager.http_filters = manager.http_filters.filter(({ name }) => name !== 'envoy.filters.http.ext_proc')
    for (const host of manager.route_config.virtual_hosts)
      for (const place of [host, ...host.routes]) delete configOf(place)['envoy.filters.http.ext_proc']
  },
  /** Events are not let out one by one. */
  buffered: (manager) => {
    const processor = processorOf(manager)
    if (processor !== undefined) processor['allow_mode_override'] = false
  },
  /** Nobody asked the check to say which answers hold lists. */
  forgotten: (manager) => {
    for (const host of manager.route_config.virtual_hosts) delete configOf(host)['envoy.filters.http.ext_authz']
  },
  /** The check answers, and nobody filters. */
  unreachable: (manager) => {
    const processor = processorOf(manager)
    if (processor !== undefined)
      processor['grpc_service'] = { google_grpc: { target_uri: '127.0.0.1:1', stat_prefix: 'none' } }
  },
  /** Metadata does not reach the filter. */
  unforwarded: (manager) => {
    const processor = processorOf(manager)
    if (processor !== undefined) delete processor['metadata_options']
  },
} satisfies Record<string, Change>

function configOf(place: { typed_per_filter_config?: Json }): Json {
  const { typed_per_filter_config: config = {} } = place
  return config
}

const mesh = useMesh(listeners)

function url(path: string): URL {
  return new URL(`http://127.0.0.1:${mesh().envoy.port('documented')}${path}`)
}

/** How often Envoy has asked for a filter, on one listener. */
async function asked(listener = 'documented'): Promise<number> {
  return await mesh().envoy.counter(`http.${listener}.ext_proc.streams_started`)
}

const people = ['alice', 'bob'] as const
const call = { path: '/json', method: 'tools/call', params: { name: 'forecast', arguments: {} } } as const

real('two people before one plain server', () => {
  describe.each(paths)('at %s', (path) => {
    test.each(clients)('%s (%s at best): each is shown what they may call, and calls it', async (_, __, connect) => {
      const connected = await Promise.all(
        people.map(async (person) => await connect(url(path), await headersOf(mesh(), person))),
      )
      const lists = await Promise.all(connected.map((client) => client.listAll()))
      expect(lists).toEqual(people.map((person) => seen[person]))
      const [alice, bob] = connected
      const before = await asked()
      expect(await alice?.callTool('forecast')).toBe('forecast says hello')
      expect(await bob?.callTool('wipe')).toBe('wipe says hello')
      await expect(alice?.callTool('wipe')).rejects.toThrow(/role_missing/)
      expect(await asked()).toBe(before)
      await Promise.all(connected.map((client) => client.close()))
    })
  })

  test('each is shown no more than a virtual server has', async () => {
    mesh().server.answerWith((_, response) => answerJson(response, wholeList))
    const desk = { 'x-mcp-virtualserver': 'team/desk' }
    expect(await namesOf(await ask(mesh(), { person: 'bob' }))).toEqual(['alerts', 'wipe'])
    expect(await namesOf(await ask(mesh(), { person: 'bob', headers: desk }))).toEqual(['alerts'])
    expect(await namesOf(await ask(mesh(), { person: 'alice', headers: desk }))).toEqual(['forecast'])
    const unknown = await ask(mesh(), { person: 'bob', headers: { 'x-mcp-virtualserver': 'team/none' } })
    expect(await unknown.text()).not.toMatch(/alerts|wipe|"forecast/)
  })

  test('each is shown their own under load, while others hang up', { timeout: 60_000 }, async () => {
    mesh().server.answerWith((_, response) => answerJson(response, wholeList))
    const tokens = await Promise.all(people.map(async (person) => await headersOf(mesh(), person)))
    const failed = 'http.documented.ext_proc.streams_failed'
    const before = await mesh().envoy.counter(failed)
    for (let round = 0; round < 20; round += 1) {
      const asking = Array.from({ length: 20 }, (_, at) => ask(mesh(), { headers: tokens[at % 2] ?? {} }))
      const givingUp = Array.from({ length: 10 }, () => hangUp(tokens[0] ?? {}))
      const lists = await Promise.all(asking.map(async (answer) => await namesOf(await answer)))
      expect(lists).toEqual(asking.map((_, at) => seen[people[at % 2] ?? 'alice'].tools))
      await Promise.all(givingUp)
    }
    expect(await mesh().envoy.counter(failed)).toBe(before)
  })

  test('the server is not told of the filter, and is asked in a form that can be read', async () => {
    mesh().server.take()
    await ask(mesh(), { path: '/json', headers: { 'accept-encoding': 'gzip', 'if-none-match': '"x"' } })
    await ask(mesh(), { ...call, headers: { 'accept-encoding': 'gzip' } })
    const [list, called] = mesh().server.take()
    expect([list?.method, called?.method]).toEqual(['tools/list', 'tools/call'])
    for (const name of ['accept-encoding', 'if-none-match', 'x-mcp-authz-filter'])
      expect(list?.headers[name]).toBeUndefined()
    expect(called?.headers['accept-encoding']).toBe('gzip')
    expect(called?.headers['x-mcp-authz-filter']).toBeUndefined()
  })
})

async function namesOf(response: Response): Promise<readonly string[]> {
  const { result } = (await response.json()) as typeof wholeList
  return result.tools.map(({ name }) => name)
}

/** Asks for a list, and is gone before it comes. */
async function hangUp(headers: Readonly<Record<string, string>>): Promise<void> {
  const outgoing = request(url('/raw'), { method: 'POST', headers: { 'content-type': 'application/json', ...headers } })
  const gone = new Promise<void>((resolve) => outgoing.once('close', resolve))
  outgoing.on('error', () => undefined).end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }))
  setTimeout(() => outgoing.destroy(), Math.random() * 10)
  await gone
}

real.each(['documented', 'unstripped'])('a client that forges, listener %s', (listener) => {
  const forgeries: readonly Readonly<Record<string, string>>[] = [
    { 'x-mcp-authz-filter': 'none' },
    { 'X-MCP-Authz-Filter': 'list' },
    { 'x-mcp-authorized': 'eyJhbGciOiJub25lIn0.e30.' },
    { 'x-mcp-verified-sub': 'bob' },
    { 'x-mcp-virtualserver': '' },
  ]
  test.each(forgeries)('%o is shown no more', async (headers) => {
    mesh().server.answerWith((_, response) => answerJson(response, wholeList))
    const response = await ask(mesh(), { listener, headers })
    const body = await response.text()
    expect(body).not.toMatch(/wipe|alerts/)
  })

  test('of another method in the headers is refused', async () => {
    const response = await ask(mesh(), { listener, headers: { 'mcp-method': 'ping' } })
    expect(response.status).toBe(400)
  })

  test('of a filter where nobody listed is served without one', async () => {
    const before = await asked(listener)
    const response = await ask(mesh(), { ...call, listener, headers: { 'x-mcp-authz-filter': 'list' } })
    expect(response.status).toBe(200)
    expect(await asked(listener)).toBe(before)
  })
})

type Answer = Parameters<ReturnType<typeof mesh>['server']['answerWith']>[0]

const answerJson = (response: Parameters<Answer>[1], body: unknown, headers: Record<string, string> = {}): void =>
  void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

const many = { ...wholeList, result: { tools: Array.from({ length: 60_000 }, (_, at) => ({ name: `wipe${at}` })) } }
const huge = { ...wholeList, result: { tools: [{ name: 'wipe', description: 'x'.repeat(9 * 1024 * 1024) }] } }

real('an answer of the server', () => {
  test.each<[string, Answer]>([
    ['gzip', (_, r) => void r.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify(wholeList)))],
    ['text', (_, r) => void r.writeHead(200, { 'content-type': 'text/plain' }).end(JSON.stringify(wholeList))],
    ['of no type', (_, r) => void r.writeHead(200).end(JSON.stringify(wholeList))],
    ['broken', (_, r) => void r.writeHead(200, { 'content-type': 'application/json' }).end('{"result":{"tools":[')],
  ])('that cannot be filtered is an error instead: %s', async (_, answer) => {
    mesh().server.answerWith(answer)
    const response = await ask(mesh(), {})
    expect([response.status, response.headers.get('cache-control')]).toEqual([500, 'no-store'])
    expect(await response.json()).toEqual(unfilterable)
  })

  test('of 60,000 tools is cut, and one over 8 MiB is not passed on', async () => {
    mesh().server.answerWith((_, response) => answerJson(response, many))
    expect(await (await ask(mesh(), {})).json()).toEqual({ ...many, result: { tools: [] } })
    mesh().server.answerWith((_, response) => answerJson(response, huge))
    const response = await ask(mesh(), {})
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('wipe')
  })

  test('has the length of what is left of it, and may be kept by its caller alone', async () => {
    mesh().server.answerWith((_, response) => answerJson(response, wholeList, { etag: '"everybody"' }))
    const response = await ask(mesh(), {})
    const body = await response.text()
    expect(response.headers.get('etag')).toBeNull()
    expect(Number(response.headers.get('content-length') ?? body.length)).toBe(body.length)
    const { result } = JSON.parse(body) as typeof wholeList
    expect(result.tools.map(({ name }) => name)).toEqual(['forecast'])
    expect(result.cacheScope).toBe('private')
    expect(result.ttlMs).toBeLessThanOrEqual(300_000)
  })

  test.each([
    ['an error status', 404, 'no such session'],
    ['no body', 202, ''],
  ])('with %s is passed on', async (_, status, body) => {
    mesh().server.answerWith((_request, response) => void response.writeHead(status).end(body))
    const response = await ask(mesh(), {})
    expect([response.status, await response.text()]).toEqual([status, body])
  })
})

real('events', () => {
  const eventOf = (message: unknown): string => `data: ${JSON.stringify(message)}\n\n`
  const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }

  test.each(['POST', 'GET'])('leave one by one, a list among them cut, under %s', async (method) => {
    let finish = (): void => undefined
    mesh().server.answerWith((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(eventOf(progress))
      finish = () => response.end(eventOf(wholeList))
    })
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    const headers = { ...(await headersOf(mesh(), 'alice')), 'content-type': 'application/json', 'last-event-id': '1' }
    const outgoing = request(url('/raw'), { method, headers: { ...headers, accept: 'text/event-stream' } })
    outgoing.end(method === 'POST' ? body : undefined)
    const [response] = await once(outgoing, 'response')
    expect(String((await once(response, 'data'))[0])).toBe(eventOf(progress))
    finish()
    const rest = await text(response)
    expect(rest).toContain('"name":"forecast"')
    expect(rest).not.toMatch(/wipe|alerts/)
  })

  test('wait for the last where Envoy may not let them out one by one, and are cut as well', async () => {
    mesh().server.answerWith((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(eventOf(progress) + eventOf(wholeList))
    })
    const body = await (await ask(mesh(), { listener: 'buffered' })).text()
    expect(body).toContain('"name":"forecast"')
    expect(body).not.toMatch(/wipe|alerts/)
  })

  test('that their readers give up leave nothing open', async () => {
    mesh().server.answerWith((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(eventOf(progress))
    })
    const readers = await Promise.all(Array.from({ length: 40 }, async () => (await ask(mesh(), {})).body?.getReader()))
    await Promise.all(readers.map(async (reader) => await reader?.read()))
    expect(await openFilters()).toBe(40)
    for (const reader of readers) void reader?.cancel()
    await expect.poll(openFilters, { timeout: 5000 }).toBe(0)
  })

  async function openFilters(): Promise<number> {
    const metrics = await (await fetch(`http://${mesh().service.http}/metrics`)).text()
    return Number(/^mcp_authz_list_filters_open (\d+)$/m.exec(metrics)?.[1])
  }
})

real('a configuration with something left out', () => {
  test.each(['forgotten', 'unreachable', 'unforwarded'])('shows no list, listener %s', async (listener) => {
    mesh().server.answerWith((_, response) => answerJson(response, wholeList))
    const response = await ask(mesh(), { listener })
    expect(response.status).toBeGreaterThanOrEqual(500)
    expect(await response.text()).not.toMatch(/forecast|wipe|alerts/)
  })

  test('says so in JSON-RPC where the filter cannot be asked', async () => {
    const response = await ask(mesh(), { listener: 'unreachable' })
    const error = { code: -32603, message: 'the list could not be filtered' }
    expect(await response.json()).toEqual({ jsonrpc: '2.0', id: null, error })
    expect([response.status, response.headers.get('content-type')]).toEqual([503, 'application/json'])
  })

  test('that filters nothing would show all of it: what is tested here is there to be hidden', async () => {
    mesh().server.answerWith((_, response) => answerJson(response, wholeList))
    const { result } = (await (await ask(mesh(), { listener: 'without' })).json()) as typeof wholeList
    expect(result.tools.map(({ name }) => name)).toEqual(everything.tools)
  })
})

real('a call', () => {
  test('takes no longer where lists are filtered: nobody is asked', { timeout: 60_000 }, async () => {
    const names = ['without', 'documented'] as const
    const headers = await headersOf(mesh(), 'alice')
    const took: Record<(typeof names)[number], number[]> = { without: [], documented: [] }
    const before = await asked()
    for (let round = 0; round < 420; round += 1) {
      for (const listener of round % 2 === 0 ? names : names.toReversed()) {
        const start = performance.now()
        const response = await ask(mesh(), { ...call, listener, headers })
        await response.text()
        if (round >= 20) took[listener].push(performance.now() - start)
        expect(response.status).toBe(200)
      }
    }
    expect(await asked()).toBe(before)
    const rows: Measured[] = names.map((name) => [
      name === 'without' ? 'no list filter' : 'with list filter',
      took[name],
    ])
    printFigures('A tools/call through Envoy', rows)
    const ratio = quantileOf(took.documented, 0.5) / quantileOf(took.without, 0.5)
    process.stdout.write(`ratio of the medians ${ratio.toFixed(3)}; filter asked 0 times in 420 calls\n`)
    expect(ratio).toBeLessThan(2)
  })

  test('is what costs nothing; a list is asked about once', async () => {
    const before = await asked()
    await (await ask(mesh(), { path: '/json' })).text()
    expect(await asked()).toBe(before + 1)
  })
})
