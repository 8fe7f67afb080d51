import { expect, test } from 'vitest'
import { type HeaderLines, mcpHeaders, send, toolCall } from './http-client.ts'
import { real, usePlace } from './place.ts'

const place = usePlace({ documented: () => undefined }, { capabilities: { authorizedTools: true } })

const forged: readonly (readonly [string, HeaderLines])[] = [
  ['once', [['x-authorized-tools', 'forged']]],
  ['twice', ['X-Authorized-Tools', 'x-authorized-tools'].map((name) => [name, 'forged'] as const)],
  ['empty', [['x-authorized-tools', '']]],
]

real('x-authorized-tools that a client sent to Envoy, while it is an internal header', () => {
  test.each(forged)('does not reach the upstream, and is counted: %s', async (_, lines) => {
    const before = await counted()
    const headers = [...mcpHeaders(await place().installation.token()), ...lines]
    expect((await send(place().envoy.port('documented'), { headers, body: toolCall('weather_forecast') })).status).toBe(
      200,
    )
    const [request, ...more] = place().upstream.take()
    expect([more, request?.header('x-authorized-tools')]).toEqual([[], []])
    expect(request?.header('x-mcp-authorized')).toHaveLength(1)
    expect(await counted()).toBe(before + 1)
  })
})

async function counted(): Promise<number> {
  const metrics = await (await fetch(`http://${place().service.http}/metrics`)).text()
  return Number(/^mcp_authz_deprecated_credentials_total\{.*door="envoy"\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
}
