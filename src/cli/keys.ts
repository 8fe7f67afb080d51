import { access, mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readCapabilityKey } from '../assembly.ts'
import { generateKeyPem, retiredFile, retiredKeys } from '../capabilities/key.ts'
import { configuredKeyFile } from '../config/key-path.ts'
import { capabilityKeyFile, stateDirectory } from '../development.ts'
import { chooseConfig } from './configuration.ts'
import { type ExitCode, exit, type Terminal, UsageError } from './exit.ts'

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

/** `keys public`. */
export async function printPublicKeys(options: KeysOptions & { pem?: true }, terminal: Terminal): Promise<ExitCode> {
  const { jwks, publicPem } = await readCapabilityKey(await keyFileOf(options, terminal))
  terminal.out.write(options.pem ? publicPem : `${JSON.stringify(jwks, null, 2)}\n`)
  return exit.ok
}

/** `keys rotate`: the retired public key is on disk before the new key is in place, so none is ever lost. */
export async function rotateKey(options: KeysOptions, terminal: Terminal): Promise<ExitCode> {
  const file = await keyFileOf(options, terminal)
  const old = await readCapabilityKey(file)
  const [jwk] = old.jwks.keys
  const retired = [{ jwk, retiredAt: Math.floor(Date.now() / 1000) }, ...(await retiredKeys(file))]
  await replace(retiredFile(file), `${JSON.stringify(retired, null, 2)}\n`)
  await replace(file, generateKeyPem())
  const { kid } = await readCapabilityKey(file)
  terminal.out.write(`${file}: key ${old.kid} is retired, ${kid} signs after the next start\n`)
  return exit.ok
}

async function keyFileOf({ config: file }: KeysOptions, terminal: Terminal): Promise<string> {
  const { config } = await chooseConfig(file, terminal)
  return await capabilityKeyFile(config, terminal.env)
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
  const next = `${file}.next`
  await writeFile(next, text, { mode: 0o600 })
  await rename(next, file)
}
