import { access, chmod, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pinnedVersion, root } from '../../tools/paths.ts'
import { type Finished, runCommand } from '../../tools/run-command.ts'
import { folderWith, opa } from './folders.ts'

const version = pinnedVersion('opa')
const patient = { timeout: 60_000 }
const tooOld = '#!/bin/sh\necho go1.25.3\n'
const failing = `#!/bin/sh
if [ "$1" = env ]; then echo go1.26.0; exit 0; fi
while [ "$1" != -o ]; do shift; done
echo half > "$2"
echo 'proxy.invalid: no such host' >&2
exit 1
`

const javaOf = (version: string): string => `#!/bin/sh\necho 'openjdk version "${version}"' >&2\n`

/** A Maven that copies an archive with something else in it to where it is told. */
const otherArchive = `#!/bin/sh
for argument in "$@"; do
  case "$argument" in
    -DoutputDirectory=*) folder=\${argument#*=} ;;
    -Dartifact=*) version=\${argument#*dist:} ;;
  esac
done
if [ -n "$folder" ]; then echo other > "$folder/keycloak-quarkus-dist-\${version%%:*}.tar.gz"; fi
`

/** A copy of the project's tools where nothing is installed, and a PATH that holds Node and these programs alone. */
async function checkout(programs: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await folderWith({ 'package.json': '{ "type": "module" }\n' })
  await cp(join(root, 'tools'), join(folder, 'tools'), { recursive: true })
  await mkdir(join(folder, 'path'))
  await symlink(process.execPath, join(folder, 'path/node'))
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(folder, 'path', name), text)
    await chmod(join(folder, 'path', name), 0o755)
  }
  return folder
}

async function install(folder: string, args: readonly string[], ci = ''): Promise<Finished> {
  const env = { PATH: join(folder, 'path'), CI: ci }
  return await runCommand(process.execPath, [join(folder, 'tools/install.ts'), ...args], { env })
}

async function installed(folder: string): Promise<readonly string[]> {
  return await readdir(join(folder, '.tools'))
}

describe('npm run tools where Go and Python are missing', patient, () => {
  it('says for the tests what is left out and why, and is no failure', async () => {
    const folder = await checkout()
    const { code, stdout } = await install(folder, ['--for-tests'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^opa [\d.]+: .*not installed\n {2}Go 1\.26 or newer is not on PATH\n {2}left out without opa: /m,
    )
    expect(stdout).toMatch(/^envoy [\d.]+: .*not installed\n {2}(Python 3 with pip is not on PATH|PyPI has no wheel)/m)
    expect(stdout).toContain('left out without envoy: the tests against a real Envoy')
    expect(stdout).toMatch(/^redis [\d.]+: .*not installed\n {2}(Python 3 with pip is not on PATH|PyPI has no wheel)/m)
    expect(stdout).toContain('left out without redis: the tests against a real Redis')
    expect(stdout).toMatch(/^keycloak [\d.]+: .*not installed\n {2}Java 17 or newer is not on PATH$/m)
    expect(stdout).toContain('left out without keycloak: the tests against a real Keycloak')
    expect(stdout).toMatch(
      /^python-mcp1 1\.[\d.]+: .*not installed\n {2}(Python 3 with pip is not on PATH|`python3?`)/m,
    )
    expect(stdout).toMatch(/^python-mcp2 2\.[\d.]+: .*not installed\n/m)
    expect(stdout).toContain('left out without python-mcp2: what denials look like to clients of the Python SDK')
    expect(stdout).not.toContain('ghz')
    expect(await installed(folder)).toEqual([])
  })

  it('is a failure in CI', async () => {
    const { code, stdout } = await install(await checkout(), ['--for-tests'], 'true')
    expect(code).toBe(1)
    expect(stdout).toContain('Go 1.26 or newer is not on PATH')
    expect(stdout).toContain('CI is set, so nothing may be left out')
  })

  it('is a failure where everything was asked for', async () => {
    const { code, stdout } = await install(await checkout(), [])
    expect(code).toBe(1)
    expect(stdout).toContain('left out without ghz: ')
  })

  it('is a failure where the tool was asked for by name, and tries no other', async () => {
    const { code, stdout } = await install(await checkout(), ['--only', 'ghz'])
    expect(code).toBe(1)
    expect(stdout).not.toContain('envoy')
  })
})

describe('npm run tools with what does not serve', patient, () => {
  it('names the Go that is too old', async () => {
    const { stdout } = await install(await checkout({ go: tooOld }), ['--only', 'opa'])
    expect(stdout).toContain('Go 1.26 or newer is needed, `go` on PATH is go1.25.3')
  })

  it('names the Java that is too old, and a Maven that is missing', async () => {
    const old = { java: javaOf('1.8.0_402') }
    const { stdout } = await install(await checkout(old), ['--only', 'keycloak'])
    expect(stdout).toContain('Java 17 or newer is needed, `java` on PATH is 1.8.0_402')
    const lone = await install(await checkout({ java: javaOf('17.0.15') }), ['--only', 'keycloak'])
    expect(lone.stdout).toContain('Maven is not on PATH')
  })

  it('does not take a Keycloak that is not the one that is pinned', async () => {
    const folder = await checkout({ java: javaOf('21'), mvn: otherArchive })
    const { code, stdout } = await install(folder, ['--only', 'keycloak'])
    expect(code).toBe(1)
    expect(stdout).toContain('the archive is not the one that is pinned: its SHA-256 is ')
    expect(await installed(folder)).toEqual([])
  })

  it('leaves nothing behind of a build that fails, and says what it said', async () => {
    const folder = await checkout({ go: failing })
    const { code, stdout } = await install(folder, ['--only', 'ghz'])
    expect(code).toBe(1)
    expect(stdout).toContain('`go build` failed\n    proxy.invalid: no such host')
    expect(await installed(folder)).toEqual([])
  })

  it('does not take an opa of another version or without WebAssembly from PATH', async () => {
    for (const answer of ['Version: 1.21.0\nWebAssembly: available', `Version: ${version}\nWebAssembly: unavailable`]) {
      const folder = await checkout({ opa: `#!/bin/sh\necho '${answer}'\n` })
      expect((await install(folder, ['--only', 'opa'])).stdout).toContain('Go 1.26 or newer is not on PATH')
      expect(await installed(folder)).toEqual([])
    }
  })

  it.each([['--all'], ['--only', 'opa', 'extra'], ['--only', 'helm'], ['--only', '__proto__']])(
    'refuses arguments that it does not know: %s %s',
    async (...args) => {
      const { code, stderr } = await install(await checkout(), args)
      expect(code).toBe(2)
      expect(stderr).toMatch(/^usage: npm run tools/)
    },
  )
})

describe.runIf(opa)('npm run tools with a fitting opa on PATH', patient, () => {
  it('takes it over once, and finds it in place from then on without what it came from', async () => {
    const folder = await checkout()
    await symlink(String(opa), join(folder, 'path/opa'))
    const first = await install(folder, ['--only', 'opa'], 'true')
    expect(first.stdout).toMatch(new RegExp(`^opa ${version}: .* copied ${version} from PATH, [\\d.]+ s\\n$`))
    expect(await installed(folder)).toEqual(['opa', 'opa.stamp'])
    const before = await readFile(join(folder, '.tools/opa.stamp'), 'utf8')
    const env = { PATH: join(folder, 'nothing'), CI: 'true' }
    const again = await runCommand(process.execPath, [join(folder, 'tools/install.ts'), '--only', 'opa'], { env })
    expect(again).toEqual({ code: 0, stdout: `opa ${version}: ok\n`, stderr: '' })
    expect(await readFile(join(folder, '.tools/opa.stamp'), 'utf8')).toBe(before)
  })

  it('does not count a tool as installed once its pin has changed or its program is gone', async () => {
    const folder = await checkout()
    await symlink(String(opa), join(folder, 'path/opa'))
    await install(folder, ['--only', 'opa'])
    await writeFile(join(folder, 'tools/go.sum'), '')
    expect((await install(folder, ['--only', 'opa'])).stdout).toContain('copied')
    await rm(join(folder, '.tools/opa'))
    expect((await install(folder, ['--only', 'opa'])).stdout).toContain('copied')
    await access(join(folder, '.tools/opa'))
  })
})

describe.runIf(opa)('npm run tools in this checkout', patient, () => {
  it('has nothing left to do for opa, even without Go on PATH', async () => {
    const env = { PATH: join(await checkout(), 'path'), CI: 'true' }
    const run = await runCommand(process.execPath, [join(root, 'tools/install.ts'), '--only', 'opa'], { env })
    expect(run).toEqual({ code: 0, stdout: `opa ${version}: ok\n`, stderr: '' })
  })
})
