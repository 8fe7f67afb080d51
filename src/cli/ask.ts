import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Assembly, assemble } from '../assembly.ts'
import type { Credential } from '../identity/subject.ts'
import { parseStrictJson } from '../mcp/json.ts'
import type { Reading } from '../mcp/reading.ts'
import { readCall } from '../mcp/request.ts'
import type { Decision } from '../policy/decision.gen.ts'
import { textOf } from '../policy/errors.ts'
import { chooseConfig } from './configuration.ts'
import { type ExitCode, exit, type Terminal, UsageError } from './exit.ts'
import { oneLine } from './printable.ts'

/** Options of `check` and `capabilities`. */
export interface AskOptions {
  readonly config?: string
  readonly token?: string
  readonly tokenFile?: string
  readonly claims?: string
  readonly method?: string
  readonly params?: string
  readonly server?: string
  readonly virtualServer?: string
  readonly address?: string
  readonly json?: true
}

/** `check`: prints the decision; exit 0 allowed, 1 denied, whatever the reason. */
export async function printCheck(options: AskOptions, terminal: Terminal): Promise<ExitCode> {
  const credential = await credentialOf(options, terminal)
  return await withAssembly(options, terminal, async ({ authorizer, read }) => {
    const { method = '', params, server, virtualServer, address } = options
    const call = params === undefined ? { method } : { method, params }
    const reading = readCall(call, { server, virtualServer }, read)
    const { decision } = await authorizer.authorize({ credential, reading, address })
    terminal.out.write(options.json ? `${JSON.stringify(decision)}\n` : `${inWords(decision, { method, reading })}\n`)
    return codeOf(decision)
  })
}

/** `capabilities`: prints what the subject may use; where it is denied nothing, and the reason on standard error. */
export async function printCapabilities(options: AskOptions, terminal: Terminal): Promise<ExitCode> {
  const credential = await credentialOf(options, terminal)
  return await withAssembly(options, terminal, async ({ authorizer }) => {
    const { virtualServer, address, json } = options
    const virtualServers = virtualServer === undefined ? [] : [virtualServer]
    const outcome = await authorizer.capabilities(credential, virtualServers, address)
    if (!outcome.ok) {
      terminal.err.write(`${inWords(outcome.decision)}\n`)
      return codeOf(outcome.decision)
    }
    terminal.out.write(`${JSON.stringify(outcome.capabilities, null, json ? undefined : 2)}\n`)
    return exit.ok
  })
}

async function withAssembly(
  options: AskOptions,
  terminal: Terminal,
  work: (assembly: Assembly) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { config } = await chooseConfig(options.config, terminal)
  const assembly = await assemble(config, {
    onFault: (code, cause) => terminal.err.write(`${code}: ${cause}\n`),
    onWarning: (text) => terminal.err.write(`${text}\n`),
  })
  try {
    return await work(assembly)
  } finally {
    await assembly.close()
  }
}

async function credentialOf({ token, tokenFile, claims }: AskOptions, { cwd }: Terminal): Promise<Credential> {
  const given = [token, tokenFile, claims].filter((option) => option !== undefined)
  if (given.length !== 1) throw new UsageError('expected exactly one of --token, --token-file and --claims')
  if (token !== undefined) return { kind: 'token', token }
  if (tokenFile !== undefined) {
    const text = await readFile(resolve(cwd, tokenFile), 'utf8').catch(unreadable('--token-file', tokenFile))
    return { kind: 'token', token: text.trim() }
  }
  return { kind: 'claims', claims: await claimsOf(claims ?? '', cwd) }
}

async function claimsOf(file: string, cwd: string): Promise<Record<string, unknown>> {
  const bytes = await readFile(resolve(cwd, file)).catch(unreadable('--claims', file))
  const reading = parseStrictJson(bytes, { maxDepth: 64 })
  if (!reading.ok) throw new UsageError(`--claims \`${file}\`: expected one JSON object: ${reading.detail}`)
  const { value } = reading
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`--claims \`${file}\`: expected one JSON object of claims`)
  }
  return value as Record<string, unknown>
}

function unreadable(option: string, file: string): (thrown: unknown) => never {
  return (thrown) => {
    throw new UsageError(`${option} \`${file}\`: cannot be read: ${textOf(thrown)}`)
  }
}

function codeOf({ allow }: Decision): ExitCode {
  return allow ? exit.ok : exit.denied
}

/** What was asked, where the decision is on a request. */
interface Asked {
  readonly method: string
  readonly reading: Reading
}

function inWords(decision: Decision, asked?: Asked): string {
  const { allow, subject, reasons, revision } = decision
  const who = subject === undefined ? '' : ` for ${subject}`
  const head = `${allow ? 'allowed' : 'denied'}: ${whatOf(decision, asked)}${who} (revision ${revision})`
  const why = reasons.map(
    ({ code, message, required }) =>
      `  ${code}: ${message}${detailOf({ code, message }, asked)}${required ? `; needs ${required}` : ''}`,
  )
  return [head, ...why].map(oneLine).join('\n')
}

function whatOf({ action, resource }: Decision, asked: Asked | undefined): string {
  const { type, server, name } = resource
  if (action === '') return asked?.method ? `${asked.method}, which cannot be read,` : 'a request without a method'
  if (name === undefined) return `${action} of ${server ?? 'the server'}`
  return `${action} of ${type} ${name}${server === undefined ? '' : ` on ${server}`}`
}

/** More of it than a client is told. */
function detailOf({ code, message }: Pick<Decision['reasons'][number], 'code' | 'message'>, asked?: Asked): string {
  if (asked === undefined || asked.reading.ok || asked.reading.code !== code) return ''
  return asked.reading.detail === message ? '' : `: ${asked.reading.detail}`
}
