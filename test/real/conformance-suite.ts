import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Listening, listening } from './conformance-server.ts'
import { collect, killWithThisProcess } from './envoy-process.ts'

/** The revisions whose requirements are run. */
export const revisions = ['2025-11-25', '2026-07-28'] as const

/** What the suite found of a server. */
export interface Findings {
  /** 0: everything that is scored passed. */
  readonly exitCode: number | null
  /** `scenario:check#n` -> SUCCESS, FAILURE, WARNING, INFO or SKIPPED. */
  readonly statuses: Readonly<Record<string, string>>
  /** The same key -> what it says of a check that did not pass. */
  readonly errors: Readonly<Record<string, string>>
  /** What it wrote, for whoever looks for the cause of a failure. */
  readonly log: string
}

const program = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)

/** Runs every requirement of a revision against the server at a port, for a minute and a half at most. */
export async function runSuite(port: number, revision: (typeof revisions)[number]): Promise<Findings> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-authz-conformance-'))
  const url = `http://127.0.0.1:${port}/mcp`
  const child = spawn(process.execPath, [program, 'server', '--url', url, '--requirements', revision, '-o', folder], {
    timeout: 90_000,
    killSignal: 'SIGKILL',
  })
  const unhook = killWithThisProcess(child)
  const log = collect(child)
  try {
    const [exitCode] = (await once(child, 'close')) as [number | null]
    return { exitCode, ...(await checksIn(folder)), log: log() }
  } finally {
    unhook()
    await rm(folder, { recursive: true })
  }
}

interface Check {
  readonly id: string
  readonly status: string
  readonly errorMessage?: string
}

async function checksIn(folder: string): Promise<Pick<Findings, 'statuses' | 'errors'>> {
  const statuses: Record<string, string> = {}
  const errors: Record<string, string> = {}
  for (const name of (await readdir(folder)).toSorted()) {
    const scenario = /^server-(.+?)-\d{4}-\d{2}-\d{2}T/.exec(name)?.[1] ?? name
    const checks = JSON.parse(await readFile(join(folder, name, 'checks.json'), 'utf8')) as readonly Check[]
    const seen = new Map<string, number>()
    for (const { id, status, errorMessage } of checks) {
      const at = (seen.get(id) ?? 0) + 1
      seen.set(id, at)
      const key = `${scenario}:${id}#${at}`
      statuses[key] = status
      if (errorMessage !== undefined) errors[key] = errorMessage
    }
  }
  return { statuses, errors }
}

/**
 * Puts a token on every request: the suite has no option for one. Raw headers and the host are passed on, as the suite
 * looks at both.
 */
export async function withToken(target: number, token: string): Promise<Listening> {
  const server = createServer((incoming, outgoing) => {
    const headers = [...incoming.rawHeaders, 'Authorization', `Bearer ${token}`]
    const { method, url: path } = incoming
    const upstream = request({ host: '127.0.0.1', port: target, method, path, headers, setHost: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      outgoing.flushHeaders()
      answer.pipe(outgoing)
    })
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('close', () => upstream.destroy())
    incoming.pipe(upstream)
  })
  return await listening(server)
}
