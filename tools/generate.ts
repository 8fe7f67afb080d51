// npm run generate: writes every generated source. With --check it compares instead and names what is out of date.
import { readFile, writeFile } from 'node:fs/promises'
import { compile, type JSONSchema } from 'json-schema-to-typescript'

const root = new URL('..', import.meta.url)
const typesOf = {
  'schemas/input.json': 'src/policy/input.gen.ts',
  'schemas/decision.json': 'src/policy/decision.gen.ts',
  'schemas/data.json': 'src/policy/data.gen.ts',
  'schemas/config.json': 'src/config/config.gen.ts',
  'schemas/capability_claim.json': 'src/capabilities/claim.gen.ts',
} as const

/** The text of every generated file, by its path from the project's root. */
export async function generated(): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const [schema, target] of Object.entries(typesOf)) files.set(target, await typesFrom(schema))
  return files
}

async function typesFrom(path: string): Promise<string> {
  const schema = JSON.parse(await readFile(new URL(path, root), 'utf8')) as JSONSchema
  return await compile(schema, schema.title ?? path, {
    bannerComment: `// Generated from ${path} by \`npm run generate\`; do not edit.`,
    format: false,
    unreachableDefinitions: true,
    ignoreMinAndMaxItems: true,
    additionalProperties: false,
  })
}

if (import.meta.main) {
  const stale: string[] = []
  for (const [path, text] of await generated()) {
    const file = new URL(path, root)
    if (process.argv.includes('--check')) {
      if ((await readFile(file, 'utf8').catch(() => '')) !== text) stale.push(path)
    } else {
      await writeFile(file, text)
    }
  }
  if (stale.length > 0) {
    process.stderr.write(`out of date, run \`npm run generate\`: ${stale.join(', ')}\n`)
    process.exitCode = 1
  }
}
