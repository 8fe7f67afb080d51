import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { root, toolPath } from '../../tools/paths.ts'

/** OPA as pinned; where it is not installed, what needs it is left out, and said so. */
export const opa = toolPath('opa')
if (opa === undefined) process.stderr.write('left out: tests that need OPA, which `npm run tools` installs\n')

/** A folder that goes when the test does, with these files in it. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-authz-test-'))
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

/** A folder with the project's schemas and these policies, by their path below `policies/mcp/authz/`. */
export async function projectWith(policies: Readonly<Record<string, string>>): Promise<string> {
  const placed = Object.entries(policies).map(([path, text]) => [`policies/mcp/authz/${path}`, text])
  const folder = await folderWith({
    'policies/.manifest': '{"roots": ["mcp/authz"], "rego_version": 1}\n',
    ...Object.fromEntries(placed),
  })
  await cp(join(root, 'schemas'), join(folder, 'schemas'), { recursive: true })
  return folder
}

/** Package METADATA that binds input, and the four entrypoints: the least that builds. */
export const entrypoints = `# METADATA
# title: Entrypoints
# scope: subpackages
# schemas:
#   - input: schema.input
package mcp.authz

# METADATA
# description: denied unless alice asks
default decision := {"allow": false}

decision := {"allow": true} if input.subject.id == "alice"

# METADATA
# description: none
capabilities := {}

# METADATA
# description: none
visible := []

# METADATA
# description: none
index := {}
`

/** Tests that reach every line of `entrypoints`. */
export const entrypointTests = `package mcp.authz_test

import data.mcp.authz

test_allow if authz.decision.allow with input as {"subject": {"id": "alice"}}

test_deny if not authz.decision.allow with input as {"subject": {"id": "bob"}}

test_rest if {
	authz.capabilities == {}
	authz.visible == []
	authz.index == {}
}
`
