import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import type { DenialMode } from '../../src/mcp/denial-options.ts'
import { type Served, serve } from '../guard/sdk-server.ts'
import { type DenialClient, denialClients, type Seen, type Work } from './denial-clients.ts'
import { envoyProgram } from './envoy-process.ts'
import { usePlace } from './place.ts'

const modes: readonly DenialMode[] = ['explicit', 'challenge', 'rpc', 'tool-result', 'hide', 'coaz']
const agent = (mode: DenialMode): string => `denials-${mode}`

/** One service for all of them: a client says which mode it is to be denied in. */
const place = usePlace(
  { plain: () => undefined },
  {
    denial: {
      clients: [
        ...modes.map((mode) => ({ match: { userAgent: agent(mode) }, mode })),
        { match: { clientName: 'test', userAgent: 'by-name' }, mode: 'tool-result' },
        { match: { userAgent: 'python-httpx/' }, mode: 'tool-result' },
      ],
    },
    data: {
      servers: {
        weather: { prefix: 'weather_', tools: ['forecast', 'alerts'] },
        files: { prefix: 'files_', tools: ['read'] },
      },
      roles: { forecaster: { weather: ['tool:forecast'], files: ['tool:read'] } },
      scopes: { 'files:read': { files: ['tool:read'] } },
    },
  },
)
const allowed = 'weather_forecast'
/** What is denied, and why. */
const situations = ['weather_alerts', 'files_read'] as const

const denialsFile = new URL('../../docs/denials.md', import.meta.url)
const rewrite = process.env['DENIALS'] === 'write'
const clients = denialClients ?? []
let guard: Guard
let served: Served

if (denialClients === undefined) {
  const tools = 'npm run tools -- --only python-mcp1 --only python-mcp2'
  process.stdout.write(`what denials look like is left out: the Python SDK is not installed, run \`${tools}\`\n`)
}

const real = describe.runIf(envoyProgram !== undefined && denialClients !== undefined)

beforeAll(async () => {
  if (envoyProgram === undefined || denialClients === undefined) return
  guard = await createGuard({ config: place().installation.configFile })
  served = await serve(guard)
})
afterAll(async () => {
  await served?.close()
  await guard?.close()
})

interface Row {
  readonly mode: DenialMode
  readonly client: DenialClient
  /** By situation. */
  readonly cells: readonly string[]
}

async function rowsOf(client: DenialClient, url: string): Promise<readonly Row[]> {
  const authorization = `Bearer ${await place().installation.token()}`
  const works = modes.flatMap((mode) =>
    situations.map(
      (tool): Work => ({ url, headers: { authorization, 'user-agent': agent(mode) }, tools: [tool, allowed] }),
    ),
  )
  const seen = await client.run(works)
  return modes.map((mode, at) => {
    const own = seen.slice(at * situations.length, (at + 1) * situations.length)
    return { mode, client, cells: own.map((session) => cellOf(client, session)) }
  })
}

function cellOf(client: DenialClient, [version, first, second]: readonly (Seen | string)[]): string {
  expect(version).toBe(client.version)
  if (typeof first !== 'object') throw new Error('no call was made')
  if (first.kind === 'session dies') return `**the session dies** with ${textOf(first)}`
  if (typeof second !== 'object') throw new Error('no second call was made')
  // The session lives: what is allowed is still answered.
  expect(second.kind).toBe('result')
  return first.kind === 'tool error' ? `\`isError\`: ${textOf(first)}` : textOf(first)
}

function textOf({ class: name, code, text }: Seen): string {
  const about = [name, code].filter((part) => part !== undefined && part !== null).join(' ')
  const said = text
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replace(/http:\/\/127\.0\.0\.1:\d+\/[a-z/]*/g, 'URL')
    .replace(/\{"jsonrpc".*\}/, 'BODY')
    .replace(/\s*\n[\s\S]*/, ' …')
    .replaceAll('|', '\\|')
  return about === '' ? said : `\`${about}\` ${said}`
}

function tableOf(rows: readonly Row[]): string {
  const lines = modes.flatMap((mode) =>
    rows
      .filter((row) => row.mode === mode)
      .map(({ client, cells }) => `| \`${mode}\` | ${client.name} | ${client.version} | ${cells.join(' | ')} |`),
  )
  const head =
    '| mode | client | version | no role for the tool | a scope is missing |\n| --- | --- | --- | --- | --- |'
  return `${head}\n${lines.join('\n')}\n`
}

const frame = /(<!-- Written by test\/real\/denials\.test\.ts\. -->\n\n)[\s\S]*?(\n<!-- End\. -->)/

async function documented(table: string): Promise<{ now: string; wanted: string }> {
  const now = await readFile(denialsFile, 'utf8')
  const wanted = now.replace(frame, (_, before: string, after: string) => `${before}${table}${after}`)
  if (rewrite) await writeFile(denialsFile, wanted)
  return { now: rewrite ? wanted : now, wanted }
}

real('what is hidden', () => {
  const call = { jsonrpc: '2.0', id: 'a', method: 'tools/call' }
  const accept = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
  const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' }
  const client = { 'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' } }
  const capabilities = { 'io.modelcontextprotocol/clientCapabilities': {} }
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', ...client, ...capabilities }

  async function answerAt(url: string, name: string, version: string): Promise<unknown> {
    const isModern = version === '2026-07-28'
    const authorization = `Bearer ${await place().installation.token()}`
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...accept,
        authorization,
        'user-agent': agent('hide'),
        ...(isModern ? { ...modern, 'mcp-name': name } : { 'mcp-protocol-version': version }),
      },
      body: JSON.stringify({ ...call, params: { name, arguments: {}, ...(isModern ? { _meta } : {}) } }),
    })
    const named = ['content-type', 'cache-control', 'mcp-session-id', 'www-authenticate', 'x-accel-buffering']
    const headers = named.map((header) => response.headers.get(header))
    return { status: response.status, headers, body: await response.text() }
  }

  it.each(['2026-07-28', '2025-11-25'])(
    'is for Envoy and the guard what the server does not have: %s',
    async (version) => {
      const bare = `http://127.0.0.1:${place().upstream.port}/mcp`
      const unknown = await answerAt(bare, 'absent', version)
      place().upstream.take()
      for (const url of [`http://127.0.0.1:${place().envoy.port('plain')}/mcp`, served.url.href]) {
        expect(await answerAt(url, 'absent', version)).toEqual(unknown)
        const hidden = JSON.stringify(await answerAt(url, 'files_read', version))
        expect(JSON.parse(hidden.replace('files_read', 'absent'))).toEqual(unknown)
      }
      expect([place().upstream.take(), served.used]).toEqual([[], []])
    },
  )
})

real('a client that the configuration knows', { timeout: 60_000 }, () => {
  const work = async (headers: Readonly<Record<string, string>>): Promise<Work> => {
    const authorization = `Bearer ${await place().installation.token()}`
    const url = `http://127.0.0.1:${place().envoy.port('plain')}/mcp`
    return { url, headers: { authorization, ...headers }, tools: ['weather_alerts', allowed] }
  }

  async function kinds(name: string, version: string, asked: Work): Promise<unknown> {
    const client = clients.find((one) => one.name === name && one.version === version)
    const [seen = []] = (await client?.run([asked])) ?? []
    return seen.slice(1).map((call) => (typeof call === 'string' ? call : call.kind))
  }

  it('is known by the name that it gives with every request of 2026-07-28, and before that is not', async () => {
    const asked = await work({ 'user-agent': 'by-name' })
    expect(await kinds('TypeScript v2', '2026-07-28', asked)).toEqual(['tool error', 'result'])
    expect(await kinds('TypeScript v2', '2025-11-25', asked)).toEqual(['error', 'result'])
  })

  it('is one of the Python SDK 1.x by its User-Agent, and no later one', async () => {
    const asked = await work({})
    expect(await kinds('Python 1', '2025-11-25', asked)).toEqual(['tool error', 'result'])
    expect(await kinds('Python 2', '2025-11-25', asked)).toEqual(['error', 'result'])
  })
})

real('what the callers of real clients see of denials', { timeout: 120_000 }, () => {
  it('is the same through Envoy and the guard, and is what docs/denials.md says', async () => {
    const port = place().envoy.port('plain')
    const throughEnvoy: Row[] = []
    const throughGuard: Row[] = []
    for (const client of clients) {
      // Before 2026-07-28 there are sessions, which a denial must not end.
      const path = client.version === '2026-07-28' ? '/mcp' : '/mcp/session'
      throughEnvoy.push(...(await rowsOf(client, `http://127.0.0.1:${port}${path}`)))
      throughGuard.push(...(await rowsOf(client, served.url.href)))
    }
    expect(tableOf(throughGuard)).toBe(tableOf(throughEnvoy))
    const { now, wanted } = await documented(tableOf(throughEnvoy))
    expect(now).toMatch(frame)
    expect(now).toBe(wanted)
  })
})
