#!/usr/bin/env node
// Runs the sources in a checkout and the build in an installed package; says so plainly where Node is too old for either.
import { existsSync } from 'node:fs'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `mcp-authz needs Node 22.18 or newer, this is ${process.versions.node}: use \`npm run mcp-authz -- ...\` in a checkout, or a newer Node\n`,
  )
  process.exit(2)
}
const source = new URL('../src/cli/main.ts', import.meta.url)
await import(existsSync(source) ? source.href : new URL('../dist/cli/main.js', import.meta.url).href)
