import { expect, test } from 'vitest'
import { eventually } from './envoy-process.ts'
import { mcpHeaders, send, toolCall } from './http-client.ts'
import { real, usePlace } from './place.ts'

const place = usePlace({ documented: () => undefined })
const body = toolCall('weather_forecast')

real('a service that is not there', () => {
  test('lets nothing through, and everything that may when it is back', { timeout: 30_000 }, async () => {
    const headers = [...mcpHeaders(await place().installation.token()), ['x-mcp-authorized', 'forged'] as const]
    const status = async (): Promise<number> => (await send(place().envoy.port('documented'), { headers, body })).status
    expect(await status()).toBe(200)
    place().upstream.take()
    const { service } = place()
    await service.stop()
    for (let asked = 0; asked < 20; asked += 1) expect([403, 503]).toContain(await status())
    expect(place().upstream.take()).toEqual([])
    const again = await place().installation.start(service.grpc)
    await eventually(async () => (await status()) === 200 || undefined, 'it works again', 20_000)
    expect(place().upstream.take()[0]?.header('x-mcp-authorized')).not.toContain('forged')
    await again.stop()
    for (let asked = 0; asked < 5; asked += 1) expect([403, 503]).toContain(await status())
    expect(place().upstream.take()).toEqual([])
  })
})
