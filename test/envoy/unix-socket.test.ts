import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createEnvoyDoor, type EnvoyDoor } from '../../src/envoy/server.ts'
import { recording, strict } from './authorizers.ts'
import { check, connect } from './clients.ts'
import { post, statusCode } from './messages.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-authz-'))
  path = join(folder, 'grpc.sock')
})

afterEach(async () => await rm(folder, { recursive: true }))

function open(): Promise<EnvoyDoor> {
  return createEnvoyDoor({ authorizer: recording(), read: strict, address: `unix:${path}` })
}

async function answers(): Promise<number> {
  const client = connect(`unix:${path}`)
  try {
    return statusCode(await check(client, post({ jsonrpc: '2.0', id: 1, method: 'tools/list' })))
  } finally {
    client.close()
  }
}

it('answers over a Unix socket and removes it when it closes', async () => {
  const door = await open()
  expect(door.address).toBe(`unix:${path}`)
  expect(await answers()).toBe(0)
  await door.drain({ deadlineMs: 0 })
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
})

it('lets owner and group in, nobody else', async () => {
  const door = await open()
  expect((await stat(path)).mode & 0o777).toBe(0o660)
  await door.drain({ deadlineMs: 0 })
})

it('takes the place of a socket that a dead server left', async () => {
  const listenAndDie = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  expect(() => execFileSync(process.execPath, ['-e', listenAndDie])).toThrow()
  expect((await stat(path)).isSocket()).toBe(true)
  const door = await open()
  expect(await answers()).toBe(0)
  await door.drain({ deadlineMs: 0 })
})

it('leaves a socket alone that somebody listens on', async () => {
  const first = await open()
  await expect(open()).rejects.toThrow(`\`unix:${path}\``)
  expect(await answers()).toBe(0)
  await first.drain({ deadlineMs: 0 })
})

it('leaves a file alone that is no socket', async () => {
  await writeFile(path, 'mine')
  await expect(open()).rejects.toThrow(`\`unix:${path}\``)
  expect((await stat(path)).size).toBe(4)
})
