import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { loadData } from '../../src/config/data.ts'
import { ConfigError } from '../../src/config/problem.ts'
import { type WatchOptions, watchData } from '../../src/config/watch.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import { makeDirectory } from './workspace.ts'

/** Everything that a watch handed over, in order: the tools of server `a`, or the text of an error. */
function record(files: readonly string[], options: Partial<WatchOptions> = {}) {
  const seen: string[] = []
  const watching = watchData(files, {
    onData: (data) => {
      seen.push(toolsOf(data))
    },
    onError: (error) => {
      seen.push(error instanceof ConfigError ? `refused ${error.problems[0]?.message}` : `failed ${String(error)}`)
    },
    ...options,
  })
  onTestFinished(() => watching.close())
  return {
    seen,
    watching,
    until: (expected: readonly string[]) =>
      vi.waitFor(() => expect(seen).toEqual(expected), { timeout: 8000, interval: 20 }),
  }
}

function toolsOf(data: Data): string {
  return Object.values(data.servers ?? {})
    .flatMap((server) => server.tools ?? [])
    .join(' ')
}

function tools(...names: readonly string[]): string {
  return `servers: {a: {tools: [${names.join(', ')}]}}\n`
}

const slow = { timeout: 20_000 }

describe('watched data', slow, () => {
  it('is handed over at first and whenever the file is written', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const file = join(directory, 'a.yaml')
    const { until } = record([file])
    await until(['one'])
    await writeFile(file, tools('two'))
    await until(['one', 'two'])
    await writeFile(file, tools('three'))
    await until(['one', 'two', 'three'])
  })

  it('is not handed over at first when it is in use already', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const file = join(directory, 'a.yaml')
    const { until } = record([file], { current: await loadData([file]) })
    await writeFile(file, tools('two'))
    await until(['two'])
  })

  it('is handed over when it changed between loading and watching', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const file = join(directory, 'a.yaml')
    const current = await loadData([file])
    await writeFile(file, tools('two'))
    await record([file], { current }).until(['two'])
  })
})

describe('a watch', slow, () => {
  it('follows a file that another is renamed over, again and again', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const file = join(directory, 'a.yaml')
    const { until } = record([file])
    const expected = ['one']
    await until(expected)
    for (const name of ['two', 'three', 'four']) {
      await writeFile(`${file}.tmp`, tools(name))
      await rename(`${file}.tmp`, file)
      expected.push(name)
      await until(expected)
    }
  })

  it('follows the link that Kubernetes swaps', async () => {
    const directory = await makeDirectory({
      '..1/a.yaml': tools('one'),
      '..2/a.yaml': tools('two'),
      '..3/a.yaml': tools('three'),
    })
    await symlink('..1', join(directory, '..data'))
    await symlink('..data/a.yaml', join(directory, 'a.yaml'))
    const { until } = record([join(directory, 'a.yaml')])
    await until(['one'])
    await swapLink(directory, '..2')
    await until(['one', 'two'])
    await swapLink(directory, '..3')
    await until(['one', 'two', 'three'])
  })

  it('follows a link into another directory', async () => {
    const elsewhere = await makeDirectory({ 'real.yaml': tools('one') })
    const directory = await makeDirectory()
    await symlink(join(elsewhere, 'real.yaml'), join(directory, 'a.yaml'))
    const { until } = record([join(directory, 'a.yaml')])
    await until(['one'])
    await writeFile(join(elsewhere, 'real.yaml'), tools('two'))
    await until(['one', 'two'])
  })
})

describe('watched data that is bad', slow, () => {
  it('is refused once when it is bad, and handed over when it is mended', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const file = join(directory, 'a.yaml')
    const { seen, until } = record([file])
    await until(['one'])
    await writeFile(file, 'servers: {a: {tol: []}}\n')
    await until(['one', 'refused unknown key `tol`'])
    await writeFile(join(directory, 'unrelated'), 'an event in the directory')
    await writeFile(file, 'servers: {a: {\n')
    await vi.waitFor(() => expect(seen).toHaveLength(3), { timeout: 8000 })
    expect(seen[2]).toMatch(/^refused not well-formed YAML/)
    await writeFile(file, tools('one'))
    await vi.waitFor(() => expect(seen.slice(3)).toEqual(['one']), { timeout: 8000 })
  })

  it('is not taken from a file that is empty for a moment, as one written in place is', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const file = join(directory, 'a.yaml')
    const { until } = record([file])
    await until(['one'])
    await writeFile(file, '')
    await until(['one', 'refused the file has become empty'])
    await writeFile(file, '{}\n')
    await until(['one', 'refused the file has become empty', ''])
  })

  it('may be empty from the start', async () => {
    const directory = await makeDirectory({ 'a.yaml': '' })
    const { until } = record([join(directory, 'a.yaml')])
    await until([''])
  })

  it('is refused once when a file vanishes, and handed over when it is back', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const file = join(directory, 'a.yaml')
    const { until } = record([file])
    await until(['one'])
    await rm(file)
    await until(['one', 'refused no such file'])
    await writeFile(file, tools('one'))
    await until(['one', 'refused no such file', 'one'])
  })
})

describe('a watched file', slow, () => {
  it('may come back with its directory', async () => {
    const parent = await makeDirectory({ 'd/a.yaml': tools('one') })
    const { until } = record([join(parent, 'd/a.yaml')])
    await until(['one'])
    await rename(join(parent, 'd'), join(parent, 'gone'))
    await until(['one', 'refused no such file'])
    await mkdir(join(parent, 'd'))
    await writeFile(join(parent, 'd/a.yaml'), tools('two'))
    await until(['one', 'refused no such file', 'two'])
  })

  it('may be in a directory that is not there yet', async () => {
    const parent = await makeDirectory()
    const { until } = record([join(parent, 'd/a.yaml')])
    await until(['refused no such file'])
    await mkdir(join(parent, 'd'))
    await rename(await writtenAside(parent), join(parent, 'd/a.yaml'))
    await until(['refused no such file', 'one'])
  })
})

describe('a set of watched files', slow, () => {
  it('is handed over whole when one of them changes', async () => {
    const first = await makeDirectory({ 'a.yaml': tools('one') })
    const second = await makeDirectory({ 'b.json': '{"servers": {"b": {"tools": ["two"]}}}' })
    const { until } = record([join(first, 'a.yaml'), join(second, 'b.json')])
    await until(['one two'])
    await writeFile(join(second, 'b.json'), '{"servers": {"b": {"tools": ["three"]}}}')
    await until(['one two', 'one three'])
    await writeFile(join(first, 'a.yaml'), tools('four'))
    await until(['one two', 'one three', 'four three'])
  })

  it('is handed over one at a time, the next when the last is taken', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const file = join(directory, 'a.yaml')
    const taken: string[] = []
    const gate = Promise.withResolvers<void>()
    record([file], {
      onData: async (data) => {
        taken.push(`begin ${toolsOf(data)}`)
        await gate.promise
        taken.push(`end ${toolsOf(data)}`)
      },
    })
    await vi.waitFor(() => expect(taken).toEqual(['begin one']), { timeout: 8000 })
    await writeFile(file, tools('two'))
    gate.resolve()
    await vi.waitFor(() => expect(taken).toEqual(['begin one', 'end one', 'begin two', 'end two']), { timeout: 8000 })
  })

  it('that is not taken is reported, and so is what comes after', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const file = join(directory, 'a.yaml')
    const { seen, until } = record([file], {
      onData: (data) => {
        if (toolsOf(data) === 'two') throw new Error('not taken')
        seen.push(toolsOf(data))
      },
    })
    await until(['one'])
    await writeFile(file, tools('two'))
    await until(['one', 'failed Error: not taken'])
    await writeFile(file, tools('three'))
    await until(['one', 'failed Error: not taken', 'three'])
  })
})

describe('a watch that ends', slow, () => {
  it('hands nothing over after it is closed', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const file = join(directory, 'a.yaml')
    const closed = record([file])
    const open = record([file])
    await closed.until(['one'])
    await open.until(['one'])
    closed.watching.close()
    await writeFile(file, tools('two'))
    await open.until(['one', 'two'])
    expect(closed.seen).toEqual(['one'])
  })

  it('may be one of no files at all', () => {
    const { seen, watching } = record([])
    watching.close()
    expect(seen).toEqual([])
  })

  it('does not keep the process alive', async () => {
    const directory = await makeDirectory({ 'a.yaml': tools('one') })
    const module = new URL('../../src/config/watch.ts', import.meta.url).href
    const script = `import { watchData } from ${JSON.stringify(module)}
watchData([${JSON.stringify(join(directory, 'a.yaml'))}], { onData: () => process.stdout.write('data'), onError: () => undefined })`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const output = child.stdout.toArray()
    const [code] = await once(child, 'exit')
    expect({ code, output: Buffer.concat(await output).toString() }).toEqual({ code: 0, output: 'data' })
  })
})

async function swapLink(directory: string, target: string): Promise<void> {
  await symlink(target, join(directory, '..data_tmp'))
  await rename(join(directory, '..data_tmp'), join(directory, '..data'))
}

async function writtenAside(parent: string): Promise<string> {
  await writeFile(join(parent, 'aside.yaml'), tools('one'))
  return join(parent, 'aside.yaml')
}
