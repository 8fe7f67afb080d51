import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configuredKeyFile } from '../../src/config/key-path.ts'
import { errorOf, makeDirectory, onlyProblem } from './workspace.ts'

async function configOf(keyFile: string): Promise<{ directory: string; file: string }> {
  const text = `listen: {http: "\${NOT_SET}"}\ncapabilities:\n  key: {file: ${keyFile}}\n`
  const directory = await makeDirectory({ 'mcp-authz.yaml': text })
  return { directory, file: join(directory, 'mcp-authz.yaml') }
}

describe('the key file that a configuration names', () => {
  test('is relative to the configuration, and need not be there yet', async () => {
    const { directory, file } = await configOf('keys/new.pem')
    expect(await configuredKeyFile(file, {})).toBe(join(directory, 'keys/new.pem'))
  })

  test('is expanded from the environment', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax that is meant.
    const { directory, file } = await configOf('"${FOLDER:-keys}/${NAME}.pem"')
    expect(await configuredKeyFile(file, { NAME: 'new' })).toBe(join(directory, 'keys/new.pem'))
  })

  test('is refused where it names a variable that is not set, so that no key is written under the reference', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax that is meant.
    const { file } = await configOf('"${KEY_FILE}"')
    const problem = onlyProblem(await errorOf(() => configuredKeyFile(file, {})))
    expect(problem).toMatchObject({ file, line: 3, path: 'capabilities.key.file' })
    expect(problem.message).toBe('the environment variable `KEY_FILE` is not set')
  })

  test.each(['""', '7', '[a]', 'null'])('is none where it is %s', async (keyFile) => {
    const { file } = await configOf(keyFile)
    expect(await configuredKeyFile(file, {})).toBeUndefined()
  })
})
