import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { envoyConfig } from './envoy-config.ts'
import { type Envoy, envoyProgram, eventually, startEnvoy } from './envoy-process.ts'
import { mcpHeaders, send, toolCall } from './http-client.ts'
import { type Installation, install, type ServiceProcess } from './installation.ts'
import { startUpstream, type Upstream } from './mcp-servers.ts'
import { leaks, real } from './place.ts'

let installation: Installation
let upstream: Upstream
let services: readonly ServiceProcess[] = []
let envoy: Envoy

beforeAll(async () => {
  if (envoyProgram === undefined) return
  installation = await install()
  upstream = await startUpstream()
  services = await Promise.all([installation.spawn(), installation.spawn(), installation.spawn()])
  const ports = { authorizers: services.map(({ grpcPort }) => grpcPort), upstream: upstream.port }
  envoy = await startEnvoy((accessLog) => envoyConfig(accessLog, ports, { documented: () => undefined }))
}, 30_000)

afterAll(async () => {
  if (envoyProgram === undefined) return
  await envoy?.stop()
  await Promise.all(services.map(async (service) => await service.kill('SIGKILL')))
  await upstream?.close()
  await installation?.remove()
})

// The tests take one authorizer after the other away.
real('several authorizers behind one Envoy', { timeout: 30_000 }, () => {
  test('no request fails while one of them is stopped and drains', async () => {
    const load = await startLoad()
    await load.sent(200)
    expect(await services[0]?.kill('SIGTERM')).toBe(0)
    await load.sent(500)
    const { statuses } = await load.stop()
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  test('one that is killed is soon left out, and no request is let through without a decision', async () => {
    const load = await startLoad()
    await load.sent(200)
    expect(await services[1]?.kill('SIGKILL')).toBe('SIGKILL')
    await eventually(async () => (await load.settled()) || undefined, 'only 200s come back')
    const { statuses, arrived } = await load.stop()
    expect([200, 403, 503]).toEqual(expect.arrayContaining([...new Set(statuses)]))
    expect(arrived).toBe(statuses.filter((status) => status === 200).length)
  })

  test('without any of them every request is refused', async () => {
    expect(await services[2]?.kill('SIGKILL')).toBe('SIGKILL')
    const { sent, stop } = await startLoad()
    await sent(200)
    const { statuses, arrived } = await stop()
    expect([403, 503]).toEqual(expect.arrayContaining([...new Set(statuses)]))
    expect(arrived).toBe(0)
  })

  test('none of them, nor Envoy, logged a token', async () => {
    const logs = services.map(({ log }) => log()).join('')
    expect(logs).toContain('"subject":"alice"')
    expect(leaks(installation.secrets(), logs + (await envoy.written()))).toEqual([])
  })
})

interface Load {
  /** Resolves once that many more were answered. */
  sent(count: number): Promise<void>
  /** Whether the next hundred answers are all 200. */
  settled(): Promise<boolean>
  stop(): Promise<{ readonly statuses: readonly number[]; readonly arrived: number }>
}

/** Eight clients that send one call after the other. */
async function startLoad(): Promise<Load> {
  const headers = mcpHeaders(await installation.token())
  const statuses: number[] = []
  let stopped = false
  upstream.take()
  const client = async (): Promise<void> => {
    while (!stopped) {
      const { status } = await send(envoy.port('documented'), { headers, body: toolCall('weather_forecast') })
      statuses.push(status)
    }
  }
  const clients = Promise.all(Array.from({ length: 8 }, client))
  const sent = async (count: number): Promise<void> => {
    const wanted = statuses.length + count
    while (statuses.length < wanted) await Promise.race([sleep(10), clients])
  }
  return {
    sent,
    async settled() {
      const before = statuses.length
      await sent(100)
      return statuses.slice(before).every((status) => status === 200)
    },
    async stop() {
      stopped = true
      await clients
      return { statuses, arrived: upstream.take().length }
    },
  }
}
