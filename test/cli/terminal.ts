import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll } from 'vitest'
import { run } from '../../src/cli/program.ts'
import { root } from '../../tools/paths.ts'
import { pems } from '../config/workspace.ts'
import { encode, type Part } from '../identity/tokens.ts'

const left: (() => unknown)[] = []
afterAll(async () => {
  for (const clear of left.reverse()) await clear()
})

/** Has something cleared away after the file's last test, since tests that wait for processes run side by side. */
export function afterwards(clear: () => unknown): void {
  left.push(clear)
}

/** A directory with these files, gone after the last test. */
export async function folder(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-authz-cli-'))
  afterwards(() => rm(directory, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), content)
  }
  return directory
}

/** What a command left behind. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process, in a directory, with what is piped into it. */
export async function runIn(
  cwd: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  piped: readonly (string | Uint8Array)[] = [],
): Promise<Ran> {
  let out = ''
  let err = ''
  const code = await run(['node', 'mcp-authz', ...args], {
    cwd,
    env,
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    in: Readable.from(piped),
  })
  return { code, out, err }
}

export const binary = join(root, 'bin/mcp-authz.js')

/** A process of the real program, ended after the last test. */
export interface Program {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  /** The first line on standard output; rejects with what it said where it ends before. */
  ready(): Promise<string>
  /** The exit code, or the signal that ended it. */
  ended(): Promise<number | string>
  /** Resolves when standard error holds the text. */
  says(text: string | RegExp): Promise<void>
}

/** Starts the real program under this Node. */
export function start(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  const { NODE_ENV: _, ...inherited } = process.env
  const child = spawn(process.execPath, [binary, ...args], { cwd, env: { ...inherited, ...env } })
  const text = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.err += chunk
  })
  const closed = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  afterwards(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${text.out}${text.err}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  return {
    child,
    out: () => text.out,
    err: () => text.err,
    async ready() {
      await until(() => text.out.includes('\n'))
      return text.out.split('\n')[0] ?? ''
    },
    ended: () => closed,
    says: (wanted) => until(() => (typeof wanted === 'string' ? text.err.includes(wanted) : wanted.test(text.err))),
  }
}

/** The addresses in a ready line. */
export function addressesIn(line: string): { readonly grpc: string; readonly http: string } {
  const [, grpc = '', http = ''] = /^ready grpc=(\S+) http=(\S+)$/.exec(line) ?? []
  if (grpc === '') throw new Error(`not a ready line: ${line}`)
  return { grpc, http }
}

export const catalogue = `servers:
  weather: {prefix: weather_, tools: [forecast, alerts], resources: ["weather://stations"]}
virtual_servers:
  desk: {tools: [weather_forecast]}
roles:
  forecaster: {weather: ["tool:*"]}
`

/** A configuration whose ports the system chooses. */
export const config = `listen: {grpc: "127.0.0.1:0", http: "127.0.0.1:0"}
data: [catalogue.yaml]
issuers:
  - issuer: https://sso.example.com
    jwks: {file: jwks.json}
    audiences: [mcp-gateway]
capabilities: {key: {file: key.pem}}
`

export const claims = {
  alice: { sub: 'alice', realm_access: { roles: ['forecaster'] } },
  bob: { sub: 'bob' },
}

/** A directory with a whole configuration and the claims of two people; files given replace or add. */
export async function project(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  return await folder({
    'mcp-authz.yaml': config,
    'catalogue.yaml': catalogue,
    'jwks.json': '{"keys":[]}',
    'key.pem': pems.pkcs8,
    'alice.json': JSON.stringify(claims.alice),
    'bob.json': JSON.stringify(claims.bob),
    ...files,
  })
}

/** An unsigned token, for what must be refused. */
export function unsigned(payload: Part): string {
  return `${encode({ alg: 'none' })}.${encode(payload)}.`
}
