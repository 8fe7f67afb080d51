import { randomUUID } from 'node:crypto'
import { access, mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readCapabilityKey } from '../assembly.ts'
import {
  type CapabilityKey,
  generateKeyPem,
  nextFile,
  retiredFile,
  retiredKeys,
  stillPublished,
} from '../capabilities/key.ts'
import type { Config } from '../config/config.ts'
import { configuredKeyFile } from '../config/key-path.ts'
import { capabilityKeyFile, stateDirectory } from '../development.ts'
import { chooseConfig } from './configuration.ts'
import { type ExitCode, exit, type Terminal, UsageError } from './exit.ts'

/** How long a replica may take to see a new key (a Secret of Kubernetes takes a minute or two), and clocks be apart. */
const retirementMarginSeconds = 300

interface KeysOptions {
  readonly config?: string
}

/** `keys generate`. */
export async function generateKey(options: KeysOptions & { out?: string }, terminal: Terminal): Promise<ExitCode> {
  const file = await newKeyFile(options, terminal)
  await writeNew(file, generateKeyPem()).catch((error: NodeJS.ErrnoException) => {
    const mend = error.code === 'EEXIST' ? 'it exists; use `keys rotate` to replace it' : error.message
    throw new UsageError(`cannot write \`${file}\`: ${mend}`)
  })
  terminal.out.write(`${file}\n`)
  return exit.ok
}

/** `keys public`; `next`: of the key that `keys rotate --publish-only` made. */
export async function printPublicKeys(
  options: KeysOptions & { pem?: true; next?: true },
  terminal: Terminal,
): Promise<ExitCode> {
  const { file } = await keyFileOf(options, terminal)
  const key = await readCapabilityKey(file)
  const shown = options.next ? key.next : key
  if (shown === undefined) throw new UsageError('there is no next key: make one with `keys rotate --publish-only`')
  const jwks = options.next ? { keys: [shown.jwk] } : key.jwks
  terminal.out.write(options.pem ? shown.publicPem : `${JSON.stringify(jwks, null, 2)}\n`)
  return exit.ok
}

/** `keys rotate`; `publishOnly`: the next key is made and published, and signs once `keys rotate` is run again. */
export async function rotateKey(options: KeysOptions & { publishOnly?: true }, terminal: Terminal): Promise<ExitCode> {
  const { file, capabilities } = await keyFileOf(options, terminal)
  const old = await readCapabilityKey(file)
  const text = options.publishOnly ? await publishNext(file, old) : await retire(file, old, capabilities)
  terminal.out.write(`${file}: ${text}\n`)
  return exit.ok
}

async function publishNext(file: string, { kid, next }: CapabilityKey): Promise<string> {
  if (next !== undefined) {
    throw new UsageError(`key ${next.jwk.kid} is published already: \`keys rotate\` makes it sign`)
  }
  await replace(nextFile(file), generateKeyPem())
  const made = (await readCapabilityKey(file)).next
  return `key ${made?.jwk.kid} is published, ${kid} goes on signing until the next \`keys rotate\``
}

/** The retired public key is on disk before the new key is in place, so none is ever lost. */
async function retire(file: string, old: CapabilityKey, capabilities: Config['capabilities']): Promise<string> {
  const { lifetimeSeconds, publishAheadSeconds } = capabilities
  const retiredAt = Math.floor(Date.now() / 1000)
  const until = retiredAt + publishAheadSeconds + lifetimeSeconds + retirementMarginSeconds
  const retired = [{ jwk: old.jwk, retiredAt, until }, ...stillPublished(await retiredKeys(file), retiredAt)]
  await replace(retiredFile(file), `${JSON.stringify(retired, null, 2)}\n`)
  if (old.next === undefined) await replace(file, generateKeyPem())
  else await rename(nextFile(file), file)
  const { kid } = await readCapabilityKey(file)
  const ahead = `once a running service has published it for ${publishAheadSeconds} s, and after a start at once`
  return `key ${kid} signs ${ahead}; ${old.kid} is retired and stays published until ${new Date(until * 1000).toISOString()}`
}

async function keyFileOf(
  { config: named }: KeysOptions,
  terminal: Terminal,
): Promise<{ readonly file: string; readonly capabilities: Config['capabilities'] }> {
  const { config } = await chooseConfig(named, terminal)
  return { file: await capabilityKeyFile(config, terminal.env), capabilities: config.capabilities }
}

// The configuration may name a key that is not there yet: that is what the command is for.
async function newKeyFile({ config, out }: KeysOptions & { out?: string }, { cwd, env }: Terminal): Promise<string> {
  if (out !== undefined) return resolve(cwd, out)
  const usual = join(cwd, 'mcp-authz.yaml')
  const named =
    config === undefined
      ? await access(usual).then(
          () => usual,
          () => undefined,
        )
      : resolve(cwd, config)
  if (named === undefined) return join(stateDirectory(cwd), 'capability-key.pem')
  const file = await configuredKeyFile(named, env)
  if (file === undefined) throw new UsageError(`\`${named}\` names no capabilities.key.file: set it, or use --out FILE`)
  return file
}

async function writeNew(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, text, { mode: 0o600, flag: 'wx' })
}

async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
  await rename(draft, file)
}
