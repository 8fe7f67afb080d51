import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { access, constants, readFile, stat } from 'node:fs/promises'
import { readTrustedSet } from '../capabilities/trusted-keys.ts'
import { isObject } from '../identity/claims.ts'
import { fileFault, quoted } from './problem.ts'
import { maxSourceBytes } from './source.ts'

/** What was read from a file, or why it is of no use. Neither text holds anything of the file. */
export type FileReading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly mend: string }

/** RFC 7517 section 5: an object with the list `keys`. */
export interface PublicJwks {
  readonly keys: readonly Readonly<Record<string, unknown>>[]
}

/** Whether there is a file that can be read. */
export async function checkReadable(file: string): Promise<FileReading<undefined>> {
  try {
    if ((await stat(file)).isDirectory()) return refused(`${quoted(file)} is a directory`, 'name a file')
    await access(file, constants.R_OK)
    return { ok: true, value: undefined }
  } catch (error) {
    return unreadable(file, error)
  }
}

/** Reads a JWK Set of public keys. One that holds private or symmetric key members is refused. */
export async function readJwks(file: string): Promise<FileReading<PublicJwks>> {
  const reading = await readBytes(file)
  if (!reading.ok) return reading
  const value = parsedJson(reading.value)
  if (value === undefined) return refused(`${quoted(file)} is not JSON`, 'write a JWK Set: `{"keys": [...]}`')
  if (!isJwks(value)) return refused(`${quoted(file)} is not a JWK Set`, 'write an object: `{"keys": [...]}`')
  const secret = value.keys.findIndex((key) => secretMembers.some((member) => Object.hasOwn(key, member)))
  if (secret === -1) return { ok: true, value }
  const message = `key ${secret} of ${quoted(file)} is a private or symmetric key, expected public keys only`
  return refused(message, 'write the public side of each key, without `d`, `k` and the like')
}

/** Reads a shared secret: the bytes of the file less one final newline. */
export async function readSecret(file: string): Promise<FileReading<Uint8Array>> {
  const reading = await readBytes(file)
  if (!reading.ok) return reading
  const bytes = reading.value
  const newline = bytes.at(-1) !== 10 ? 0 : bytes.at(-2) === 13 ? 2 : 1
  const secret = Uint8Array.from(bytes.subarray(0, bytes.length - newline))
  if (secret.length === 0) return refused(`${quoted(file)} holds no secret`, 'write the secret into the file')
  return { ok: true, value: secret }
}

/** Checks that a file holds one P-256 private key, PEM of PKCS#8 or SEC1, not encrypted. */
export async function checkPrivateKey(file: string): Promise<FileReading<undefined>> {
  const create = (pem: string) => createPrivateKey({ key: pem, format: 'pem' })
  const mend = 'make one with `mcp-authz keys generate`'
  return await checkKey(
    file,
    /^-----BEGIN (?:EC )?PRIVATE KEY-----\s*$/gm,
    create,
    'private key (PKCS#8 or SEC1)',
    mend,
  )
}

/** Checks that a file holds one P-256 public key, PEM of SubjectPublicKeyInfo, or a JWK Set with a P-256 key. */
export async function checkTrustedKeys(file: string): Promise<FileReading<undefined>> {
  if (await isJsonObject(file)) return await checkTrustedSet(file)
  const create = (pem: string) => createPublicKey({ key: pem, format: 'pem' })
  const mend = 'write the output of `mcp-authz keys public --pem` into it'
  return await checkKey(file, /^-----BEGIN PUBLIC KEY-----\s*$/gm, create, 'public key (SPKI)', mend)
}

// RFC 7518 section 6: everything that is not public in RSA, EC, OKP and oct keys.
const secretMembers = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth']

async function isJsonObject(file: string): Promise<boolean> {
  const reading = await readBytes(file)
  return reading.ok && new TextDecoder().decode(reading.value).trimStart().startsWith('{')
}

async function checkTrustedSet(file: string): Promise<FileReading<undefined>> {
  const reading = await readJwks(file)
  if (!reading.ok) return reading
  try {
    readTrustedSet(reading.value)
    return { ok: true, value: undefined }
  } catch {
    const mend = 'write the output of `mcp-authz keys public` into it'
    return refused(`expected a P-256 key in the JWK Set ${quoted(file)}`, mend)
  }
}

async function checkKey(
  file: string,
  label: RegExp,
  create: (pem: string) => KeyObject,
  kind: string,
  mend: string,
): Promise<FileReading<undefined>> {
  const reading = await readBytes(file)
  if (!reading.ok) return reading
  const pem = new TextDecoder().decode(reading.value)
  const labels = pem.match(/^-----BEGIN [A-Z ]*KEY-----/gm) ?? []
  const fault = refused(`expected one P-256 ${kind} in PEM in ${quoted(file)}`, mend)
  if (labels.length !== 1 || pem.match(label)?.length !== 1) return fault
  try {
    const key = create(pem)
    const fits = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
    return fits ? { ok: true, value: undefined } : fault
  } catch {
    return fault
  }
}

async function readBytes(file: string): Promise<FileReading<Buffer>> {
  try {
    if ((await stat(file)).size > maxSourceBytes)
      return refused(`${quoted(file)} is larger than 16 MiB`, 'name another file')
    return { ok: true, value: await readFile(file) }
  } catch (error) {
    return unreadable(file, error)
  }
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

function isJwks(value: unknown): value is PublicJwks {
  if (!isObject(value) || !Object.hasOwn(value, 'keys')) return false
  return Array.isArray(value['keys']) && value['keys'].every(isObject)
}

function unreadable(file: string, error: unknown): FileReading<never> {
  return refused(`${fileFault(error)}: ${quoted(file)}`, 'create it, or name another file')
}

function refused(message: string, mend: string): FileReading<never> {
  return { ok: false, message, mend }
}
