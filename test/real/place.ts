import { afterAll, beforeAll, describe, expect } from 'vitest'
import { type Change, envoyConfig } from './envoy-config.ts'
import { type Envoy, envoyProgram, startEnvoy } from './envoy-process.ts'
import { type Installation, type InstallationOptions, install, type RunningService } from './installation.ts'
import { startUpstream, type Upstream } from './mcp-servers.ts'

/** Client side port, Envoy, the service and an upstream, all of them real and wired together. */
export interface Place {
  readonly installation: Installation
  readonly service: RunningService
  readonly upstream: Upstream
  readonly envoy: Envoy
  close(): Promise<void>
}

/** `describe` where Envoy is installed. */
export const real = describe.runIf(envoyProgram !== undefined)

/**
 * Opens one for the tests of a file; `listeners` says how each listener differs from the documented one. After the
 * tests no token may stand in a log.
 */
export function usePlace(listeners: Readonly<Record<string, Change>>, options: InstallationOptions = {}): () => Place {
  let place: Place | undefined
  beforeAll(async () => {
    if (envoyProgram !== undefined) place = await openPlace(listeners, options)
  })
  afterAll(async () => {
    if (place === undefined) return
    const { installation, envoy, service } = place
    expect(leaks(installation.secrets(), (await envoy.written()) + service.log())).toEqual([])
    await place.close()
  })
  return () => {
    if (place === undefined) throw new Error('the place is not open')
    return place
  }
}

async function openPlace(listeners: Readonly<Record<string, Change>>, options: InstallationOptions): Promise<Place> {
  const installation = await install(options)
  const service = await installation.start()
  const upstream = await startUpstream()
  const ports = { authorizers: [service.grpcPort], upstream: upstream.port }
  const envoy = await startEnvoy((accessLog) => envoyConfig(accessLog, ports, listeners))
  return {
    installation,
    service,
    upstream,
    envoy,
    async close() {
      await envoy.stop()
      await Promise.all([service.stop(), upstream.close()])
      await installation.remove()
    },
  }
}

/** Which of these secrets stand in a text. */
export function leaks(secrets: readonly string[], text: string): readonly string[] {
  return secrets.filter((secret) => text.includes(secret))
}
