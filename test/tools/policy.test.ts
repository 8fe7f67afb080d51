import { cp, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../tools/paths.ts'
import { runCommand } from '../../tools/run-command.ts'
import { folderWith } from './folders.ts'

describe('npm run policy and npm run bundle without OPA', { timeout: 30_000 }, () => {
  it.each(['policy.ts', 'bundle.ts'])('say how to get it, and fail: %s', async (script) => {
    const folder = await folderWith({ 'package.json': '{ "type": "module" }\n' })
    for (const part of ['tools', 'src', 'policies']) await cp(join(root, part), join(folder, part), { recursive: true })
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    const { code, stderr } = await runCommand(process.execPath, [join(folder, 'tools', script)])
    expect(code).toBe(1)
    expect(stderr).toBe('OPA is missing or out of date: run `npm run tools`\n')
  })
})
