// npm run generate: writes every generated source. With --check it compares instead and names what is out of date.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { compile, type JSONSchema } from 'json-schema-to-typescript'
import { generatedCodecs } from './generate-proto.ts'

const root = new URL('..', import.meta.url)
const typesOf = {
  'schemas/input.json': 'src/policy/input.gen.ts',
  'schemas/decision.json': 'src/policy/decision.gen.ts',
  'schemas/data.json': 'src/policy/data.gen.ts',
  'schemas/config.json': 'src/config/config.gen.ts',
  'schemas/capability_claim.json': 'src/capabilities/claim.gen.ts',
  'schemas/api_key.json': 'src/api-keys/api-key.gen.ts',
} as const

/** The text of every generated file, by its path from the project's root. */
export async function generated(): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const [schema, target] of Object.entries(typesOf)) files.set(target, await typesFrom(schema))
  for (const [path, text] of await documentSchemas()) files.set(path, text)
  for (const [path, text] of await generatedCodecs()) files.set(path, text)
  return files
}

/** OPA binds a schema to a whole document (`data.mcp.servers`) and follows no reference out of its file: one file each. */
async function documentSchemas(): Promise<Map<string, string>> {
  const { $schema, properties, definitions } = JSON.parse(await readFile(new URL('schemas/data.json', root), 'utf8'))
  const comment = 'Generated from schemas/data.json by `npm run generate`; do not edit.'
  return new Map(
    Object.entries<object>(properties).map(([name, schema]) => [
      `schemas/mcp/${name}.json`,
      `${JSON.stringify({ $schema, $comment: comment, ...schema, definitions }, null, 2)}\n`,
    ]),
  )
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
      await mkdir(new URL('.', file), { recursive: true })
      await writeFile(file, text)
    }
  }
  if (stale.length > 0) {
    process.stderr.write(`out of date, run \`npm run generate\`: ${stale.join(', ')}\n`)
    process.exitCode = 1
  }
}
