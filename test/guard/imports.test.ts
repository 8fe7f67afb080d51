import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

/** What a module loads at run time: imports and re-exports that are more than types. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const found = text.matchAll(
    /^\s*(?:import|export)\s(?!type\b)[^'"]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gmu,
  )
  return [...found].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '')
}

/** Every module of ours, and every package, that loading this one loads. */
function graphOf(entry: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const waiting = [entry]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue
    files.add(file)
    for (const specifier of file.endsWith('.ts') ? importsOf(file) : []) {
      if (specifier.startsWith('.')) waiting.push(resolve(dirname(file), specifier))
      else if (!specifier.startsWith('node:')) packages.add(specifier)
    }
  }
  return { files, packages }
}

const sourceOf = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))

it('loads neither gRPC, nor express, nor an MCP SDK, nor another door', () => {
  const { files, packages } = graphOf(sourceOf('guard/index.ts'))
  expect([...packages]).toEqual(expect.arrayContaining(['@open-policy-agent/opa-wasm', 'jose', 'yaml']))
  expect(
    [...packages].filter((name) => /grpc|express|protobuf|@modelcontextprotocol|pino|commander/u.test(name)),
  ).toEqual([])
  expect([...files].filter((file) => /\/src\/(?:envoy|http|cli)\//u.test(file))).toEqual([])
})

it('would find them', () => {
  const { packages } = graphOf(sourceOf('service.ts'))
  expect([...packages]).toEqual(expect.arrayContaining(['@grpc/grpc-js', 'express']))
})
