import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url)

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly bin: Readonly<Record<string, string>>
}

describe('package.json', () => {
  it('exports modules that are built from sources which load, and their types', async () => {
    const { exports } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as Manifest
    const entries = Object.entries(exports).flatMap(([name, target]) =>
      typeof target === 'string' ? [] : [{ name, ...target }],
    )
    expect(entries.map(({ name }) => name)).toEqual(['.', './mcp', './policy'])
    for (const { types, default: built } of entries) {
      const source = built.replace('./dist/', './src/').replace(/\.js$/, '.ts')
      expect(types).toBe(built.replace(/\.js$/, '.d.ts'))
      expect(Object.keys((await import(new URL(source, root).href)) as object).length, source).toBeGreaterThan(0)
    }
  })

  it('names programs that are there', async () => {
    const { bin } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as Manifest
    for (const file of Object.values(bin)) expect(existsSync(new URL(file, root)), file).toBe(true)
  })
})
