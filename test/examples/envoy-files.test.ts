import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { toolPath } from '../../tools/paths.ts'

const folder = fileURLToPath(new URL('../../examples/envoy/', import.meta.url))
const envoy = toolPath('envoy')

describe.runIf(envoy)('examples/envoy', { timeout: 20_000 }, () => {
  it.each(readdirSync(folder))('%s is a configuration that Envoy takes', async (file) => {
    const validate = ['--mode', 'validate', '-l', 'warn', '-c', folder + file]
    const { stdout, stderr } = await promisify(execFile)(envoy ?? '', validate)
    expect(stdout).toContain('OK')
    expect(stderr).not.toMatch(/deprecated/i)
  })
})
