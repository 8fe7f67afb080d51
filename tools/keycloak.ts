import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { root } from './paths.ts'
import { type Finished, type Installed, lastWords, type RunOptions, runCommand } from './run-command.ts'

/** Who copies the distribution out of Maven Central, by its full version as everything else that is pinned. */
const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.9.0'
const oldestJava = 17

/** The one realm that every start begins with. */
const realmFile = join(root, 'test/real/keycloak/mcp-realm.json')

/** What a build and an import need, and no more: the compiler's second stage and a second collector only cost time here. */
const javaOptions = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xms128m -Xmx512m -Dfile.encoding=UTF-8'

/** What a start does not need. */
const leftovers = ['bin', 'data/transaction-logs', 'data/tmp', 'data/h2/keycloakdb.trace.db']

/** Fetches Keycloak, builds it for a database in files, and imports the tests' realm, so that a start does none of it. */
export async function installKeycloak(folder: string): Promise<Installed> {
  const unfit = await missing()
  if (unfit !== undefined) return { ok: false, reason: unfit }
  const archive = await fetchArchive(folder)
  if (!archive.ok) return archive
  const home = join(folder, 'keycloak')
  await mkdir(home)
  const unpacked = await runCommand('tar', ['xzf', archive.how, '-C', home, '--strip-components=1', '--no-same-owner'])
  if (unpacked.code !== 0) return failed('tar', unpacked)
  await rm(archive.how)
  const built = await kc(home, ['build', '--db=dev-file'])
  if (built.code !== 0) return failed('kc.sh build', built)
  // The administrator is made together with the first realm, so at no other time.
  const administrator = { KC_BOOTSTRAP_ADMIN_USERNAME: 'admin', KC_BOOTSTRAP_ADMIN_PASSWORD: 'admin' }
  const imported = await kc(home, ['import', '--optimized', '--cache=local', '--file', realmFile], administrator)
  if (imported.code !== 0) return failed('kc.sh import', imported)
  for (const path of leftovers) await rm(join(home, path), { recursive: true, force: true })
  return { ok: true, how: 'installed' }
}

async function missing(): Promise<string | undefined> {
  const java = await runCommand('java', ['-version'])
  if (java.code === 127) return `Java ${oldestJava} or newer is not on PATH`
  const version = /version "([^"]+)/.exec(`${java.stderr}${java.stdout}`)?.[1] ?? 'unknown'
  if (!(Number.parseInt(version, 10) >= oldestJava))
    return `Java ${oldestJava} or newer is needed, \`java\` on PATH is ${version}`
  const maven = await runCommand('mvn', ['--version'])
  return maven.code === 0 ? undefined : 'Maven is not on PATH'
}

/** With a repository of its own: Maven would else keep the archive for good. */
async function fetchArchive(folder: string): Promise<Installed> {
  const [artifact, sha256] = pinned()
  const repository = join(folder, 'maven')
  const places = [`-Dmaven.repo.local=${repository}`, `-DoutputDirectory=${folder}`, `-Dartifact=${artifact}`]
  const fetched = await runCommand('mvn', ['-q', '-B', `${plugin}:copy`, ...places])
  if (fetched.code !== 0) return failed('mvn', fetched)
  const [, name, version] = artifact.split(':')
  const target = join(folder, 'keycloak.tar.gz')
  await rename(join(folder, `${name}-${version}.tar.gz`), target)
  await rm(repository, { recursive: true, force: true })
  const found = await sha256Of(target)
  return found === sha256
    ? { ok: true, how: target }
    : { ok: false, reason: `the archive is not the one that is pinned: its SHA-256 is ${found}` }
}

function pinned(): readonly [artifact: string, sha256: string] {
  const line = readFileSync(join(root, 'tools/keycloak.txt'), 'utf8').trim()
  const [, artifact, sha256] = /^(\S+) sha256:([0-9a-f]{64})$/.exec(line) ?? []
  if (artifact === undefined || sha256 === undefined) throw new Error('tools/keycloak.txt names no artifact')
  return [artifact, sha256]
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

async function kc(home: string, args: readonly string[], more: RunOptions['env'] = {}): Promise<Finished> {
  return await runCommand(join(home, 'bin/kc.sh'), args, { env: { JAVA_OPTS: javaOptions, ...more } })
}

function failed(what: string, finished: Finished): Installed {
  return { ok: false, reason: `\`${what}\` failed\n${lastWords(finished, 8)}` }
}
