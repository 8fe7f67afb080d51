import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ConfigError, type Problem } from '../../src/config/problem.ts'

/** A directory of its own for one test, gone after it. */
export async function makeDirectory(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-authz-config-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), content)
  }
  return directory
}

/** The error that a promise or a call must end in. */
export async function errorOf(run: () => unknown): Promise<ConfigError> {
  try {
    await run()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('expected a ConfigError, nothing was thrown')
}

/** The one problem of an error; more than one fails the test with all of them. */
export function onlyProblem(error: ConfigError): Problem {
  const [problem] = error.problems
  if (problem === undefined || error.problems.length > 1) throw error
  return problem
}

const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** Real keys, in every encoding that matters. */
export const pems = {
  pkcs8: p256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  sec1: p256.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  encrypted: p256.privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'passphrase' })
    .toString(),
  spki: p256.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  p384: p384.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  p384Public: p384.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  rsa: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
}

/** JWK Sets as text. */
export const jwks = {
  public: JSON.stringify({ keys: [rsa.publicKey.export({ format: 'jwk' }), p256.publicKey.export({ format: 'jwk' })] }),
  private: JSON.stringify({
    keys: [p256.publicKey.export({ format: 'jwk' }), p256.privateKey.export({ format: 'jwk' })],
  }),
  symmetric: JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0LXNlY3JldA' }] }),
}
