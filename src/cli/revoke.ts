import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { textOf } from '../policy/errors.ts'
import { type ListedRevocation, listed } from '../revocation/entry.ts'
import { type OrderFields, orderFields, readOrder } from '../revocation/order.ts'
import { describe } from '../revocation/revoker.ts'
import { type ExitCode, exit, type Terminal, UsageError } from './exit.ts'
import { withKept } from './state.ts'

/** Options of `revoke`. */
export interface RevokeOptions extends Omit<OrderFields, 'server'> {
  readonly config?: string
  readonly tokenFile?: string
  readonly json?: true
}

/** `revoke`: takes something away; done when it survives a restart. */
export async function revoke(options: RevokeOptions, terminal: Terminal): Promise<ExitCode> {
  const reading = readOrder(await fieldsOf(options, terminal), Date.now() / 1000)
  if (!reading.ok) throw new UsageError(asOptions(reading.message))
  return await withKept(options, { terminal, state: 'create' }, async ({ revoker }) => {
    const { id, shared } = await revoker.revoke(reading.order)
    const said = `revoked ${describe(reading.order.target)} (${id})`
    terminal.out.write(options.json ? `${JSON.stringify({ id, shared })}\n` : `${said}\n`)
    if (!shared) terminal.err.write('other replicas do not know of it yet: their store cannot be reached now\n')
    return exit.ok
  })
}

/** `revocations`: lists what is in force. */
export async function printRevocations(
  options: { readonly config?: string; readonly json?: true },
  terminal: Terminal,
): Promise<ExitCode> {
  return await withKept(options, { terminal, state: 'create' }, async ({ revocations, unseal }) => {
    const entries = revocations.entries().map((entry) => listed(entry, unseal))
    const text = options.json ? JSON.stringify({ revocations: entries }) : entries.map(inWords).join('\n')
    terminal.out.write(text === '' ? 'nothing is revoked\n' : `${text}\n`)
    return exit.ok
  })
}

/** The names of fields as the options that give them. */
function asOptions(message: string): string {
  const isField = (name: string): boolean => orderFields.some((field) => field === name)
  const optionOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  return message.replace(/`(\w+)`/g, (quoted, name: string) => (isField(name) ? `\`${optionOf(name)}\`` : quoted))
}

async function fieldsOf(options: RevokeOptions, { cwd }: Terminal): Promise<OrderFields> {
  const { config: _, json: __, tokenFile, grant, ...fields } = options
  const token = tokenFile === undefined ? fields.token : await tokenIn(resolve(cwd, tokenFile), fields.token)
  return { ...fields, token, ...grantOf(grant) }
}

async function tokenIn(file: string, token: string | undefined): Promise<string> {
  if (token !== undefined) throw new UsageError('expected one of --token and --token-file')
  return await readFile(file, 'utf8').then(
    (text) => text.trim(),
    (thrown: unknown) => {
      throw new UsageError(`--token-file \`${file}\`: cannot be read: ${textOf(thrown)}`)
    },
  )
}

function grantOf(text: string | undefined): Pick<OrderFields, 'grant' | 'server'> {
  if (text === undefined) return {}
  const [, server, grant] = /^(.+?)=(.+)$/su.exec(text) ?? []
  if (server === undefined || grant === undefined) {
    throw new UsageError(`--grant \`${text}\`: expected SERVER=TYPE:NAME, like weather=tool:forecast`)
  }
  return { server, grant }
}

function inWords({ id, kind, about, at, issuedBefore, until, reason }: ListedRevocation): string {
  const parts = [
    about ?? kind,
    `since ${time(at)}`,
    ...(issuedBefore === undefined ? [] : [`of what was issued before ${time(issuedBefore)}`]),
    ...(until === undefined ? [] : [`until ${time(until)}`]),
    ...(reason === undefined ? [] : [`because: ${reason}`]),
  ]
  return `${id}  ${parts.join(', ')}`
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
