import type { ApiKeyBody, Permission } from '../api-keys/api-key.gen.ts'
import type { ApiKey } from '../api-keys/api-key.ts'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import { type ApiKeyOrder, createApiKey } from '../api-keys/create.ts'
import type { Usage, UsageCounter } from '../api-keys/usage.ts'
import { validatorOf } from '../config/schema.ts'
import type { Kept } from '../kept.ts'
import { textOf } from '../policy/errors.ts'
import { readOrder } from '../revocation/order.ts'
import { limitsInWords, timeInWords, usageInWords } from './api-key-words.ts'
import { type ExitCode, exit, type Terminal, UsageError } from './exit.ts'
import { expiryOf } from './expiry.ts'
import { oneLine, tableOf } from './printable.ts'
import { readScope } from './scope-file.ts'
import { type ConfigOption, withKept } from './state.ts'
import { grantsOf } from './token.ts'

/** Options of `api-keys create`. */
export interface CreateOptions extends ConfigOption {
  readonly sub: string
  readonly role: readonly string[]
  readonly grant: readonly string[]
  readonly group: readonly string[]
  readonly permission: readonly Permission[]
  readonly scope?: string
  readonly expires?: string
  readonly name?: string
  readonly json?: true
}

/** `api-keys create`: the key on standard output, alone; nobody can show it again. */
export async function createKey(options: CreateOptions, terminal: Terminal): Promise<ExitCode> {
  const order = await orderOf(options, terminal)
  const work = async ({ state: { ledger } }: Kept): Promise<ExitCode> => {
    const { id, secret, shared } = await createApiKey(order, { ledger, isBody }).catch(refuseUnfit)
    const { subject, expiresAt } = order
    const told = { id, key: secret, subject, ...(expiresAt === undefined ? {} : { expiresAt }) }
    terminal.out.write(options.json ? `${JSON.stringify(told)}\n` : `${secret}\n`)
    if (!options.json) terminal.err.write(`${id}: the key is shown this once, and kept nowhere\n`)
    if (!shared) terminal.err.write(`${id}: ${keyNotShared}\n`)
    return exit.ok
  }
  return await withKept(options, { terminal, state: 'create' }, work)
}

/** What a ledger cannot keep is a wrong order; what it could and did not is not. */
function refuseUnfit(thrown: unknown): never {
  throw thrown instanceof TypeError ? new UsageError(thrown.message) : thrown
}

async function orderOf(options: CreateOptions, terminal: Terminal): Promise<ApiKeyOrder> {
  const { sub: subject, role: roles, group: groups, permission: permissions, name, scope, expires } = options
  for (const [option, values] of Object.entries({ sub: [subject], role: roles, group: groups, name: [name] })) {
    if (values.includes('')) throw new UsageError(`--${option}: expected a name that is not empty`)
  }
  if (name !== undefined && name.length > 200) throw new UsageError('--name: expected at most 200 characters')
  return {
    subject,
    roles: [...roles],
    grants: grantsOf(options.grant),
    groups: [...groups],
    permissions: [...permissions],
    ...(name === undefined ? {} : { name }),
    ...(scope === undefined ? {} : { scope: await readScope(scope, terminal) }),
    ...(expires === undefined ? {} : { expiresAt: expiryOf(expires, Date.now() / 1000) }),
  }
}

/** `api-keys list`. */
export async function listKeys(options: ConfigOption & { json?: true }, terminal: Terminal): Promise<ExitCode> {
  const work = async ({ apiKeys, usage }: Kept): Promise<ExitCode> => {
    const listed = await Promise.all(
      apiKeys
        .all()
        .map(async (key) => ({ key, state: apiKeys.stateOf(key), used: await usedOf(key, usage, terminal) })),
    )
    const json = options.json === true
    terminal.out.write(json ? `${JSON.stringify(listed.map(inJson))}\n` : tableOf([head, ...listed.map(inWords)]))
    return exit.ok
  }
  return await withKept(options, { terminal, state: 'if-there' }, work)
}

/** `api-keys revoke`: exit 1 where there is no such key. */
export async function revokeKey(
  id: string,
  options: ConfigOption & { reason?: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const reading = readOrder({ apiKey: id, reason: options.reason }, Date.now() / 1000)
  if (!reading.ok) throw new UsageError(reading.message)
  const work = async ({ apiKeys, revoker }: Kept): Promise<ExitCode> => {
    if (apiKeys.get(id) === undefined) {
      terminal.err.write(`there is no API key \`${oneLine(id)}\`: \`api-keys list\` shows those there are\n`)
      return exit.denied
    }
    const { shared } = await revoker.revoke(reading.order)
    terminal.out.write(`${id} is revoked\n`)
    if (!shared) terminal.err.write(`${id}: ${notShared}\n`)
    return exit.ok
  }
  return await withKept(options, { terminal, state: 'if-there' }, work)
}

const notShared = 'kept here; other replicas learn of it as soon as they can be reached'
const keyNotShared =
  'kept here; other replicas do not know of it: their store cannot be reached now, or takes no API keys without GATEWAY_SIGNING_KEY'

const valid = validatorOf('api_key')
const isBody = (value: unknown): value is ApiKeyBody => valid(value)

async function usedOf({ id }: ApiKey, usage: UsageCounter, { err }: Terminal): Promise<Usage | undefined> {
  try {
    return await usage.usageOf(id)
  } catch (thrown) {
    err.write(`${id}: its uses cannot be had: ${textOf(thrown)}\n`)
    return undefined
  }
}

interface Listed {
  readonly key: ApiKey
  readonly state: ReturnType<ApiKeys['stateOf']>
  readonly used: Usage | undefined
}

/** Everything but the digest, which is nobody's business. */
function inJson({ key: { id, body }, state, used }: Listed): object {
  const { digest: _, ...told } = body
  return { id, ...told, state, usage: used ?? null }
}

const head = ['ID', 'NAME', 'SUBJECT', 'CREATED', 'EXPIRES', 'STATE', 'USED', 'LIMITS']

function inWords({ key: { id, body }, state, used }: Listed): readonly string[] {
  const { name = '', subject, createdAt, expiresAt, scope } = body
  const ends = expiresAt === undefined ? 'never' : timeInWords(expiresAt)
  return [id, name, subject, timeInWords(createdAt), ends, state, usageInWords(used), limitsInWords(scope)]
}
