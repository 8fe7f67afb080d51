import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { createClient } from '@redis/client'
import { onTestFinished } from 'vitest'
import { toolPath } from '../../tools/paths.ts'
import { collect, eventually, killWithThisProcess } from './envoy-process.ts'

/** Redis's program; undefined where `npm run tools` has not installed it. */
export const redisProgram = toolPath('redis')

if (redisProgram === undefined) {
  process.stdout.write('tests with Redis are left out: it is not installed, run `npm run tools -- --only redis`\n')
}

/** A Redis that keeps nothing on disk: started again, it is empty. */
export interface RedisServer {
  readonly url: string
  /** Starts it again, on the same port. */
  start(): Promise<void>
  kill(): Promise<void>
  /** Holds it as it is: it answers nothing, and closes nothing. */
  freeze(): void
  thaw(): void
  /** One command as `redis-cli` would send it. */
  command(...words: readonly string[]): Promise<unknown>
}

/** Starts a Redis of the test's own; it ends with the test at the latest. */
export async function startRedis(...options: readonly string[]): Promise<RedisServer> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let running: { readonly child: ChildProcess; readonly unhook: () => void } | undefined
  const server: RedisServer = {
    url,
    async start() {
      running = await launch(port, options)
    },
    async kill() {
      const { child, unhook } = running ?? fail('it is not running')
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      unhook()
      running = undefined
    },
    freeze: () => void running?.child.kill('SIGSTOP'),
    thaw: () => void running?.child.kill('SIGCONT'),
    async command(...words) {
      const client = await createClient({ url })
        .on('error', () => undefined)
        .connect()
      try {
        return await client.sendCommand([...words])
      } finally {
        client.destroy()
      }
    },
  }
  await server.start()
  onTestFinished(async () => {
    if (running !== undefined) await server.kill()
  })
  return server
}

async function launch(port: number, options: readonly string[]): Promise<{ child: ChildProcess; unhook: () => void }> {
  const fixed = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', ...options]
  const child = spawn(redisProgram ?? fail('redis is not installed'), fixed)
  const unhook = killWithThisProcess(child)
  const log = collect(child)
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`redis ended with code ${child.exitCode}: ${log()}`)
    return log().includes('Ready to accept connections') || undefined
  }, 'redis is ready')
  return { child, unhook }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function fail(message: string): never {
  throw new Error(message)
}
