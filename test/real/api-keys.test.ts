import { expect, test } from 'vitest'
import { runIn } from '../cli/terminal.ts'
import { type HeaderLines, mcpHeaders, reasonIn, send, toolCall } from './http-client.ts'
import { leaks, real, usePlace } from './place.ts'

const place = usePlace({ documented: () => undefined })

/** A key of alice's that is bound to addresses, made on the command line while everything runs. */
async function keyFor(addresses: string): Promise<string> {
  const { configFile } = place().installation
  const order = ['api-keys', 'create', '--config', configFile, '--sub', 'alice', '--role', 'forecaster', '--scope', '-']
  return (await runIn('/', order, {}, [`addresses: ${addresses}`])).out.trim()
}

/** The HTTP status and reason of a call through Envoy; tried again until the service knows the key. */
async function answer(key: string, headers: HeaderLines = []): Promise<string> {
  for (;;) {
    const sent = { headers: [...mcpHeaders(key), ...headers], body: toolCall('weather_forecast') }
    const answered = await send(place().envoy.port('documented'), sent)
    const said = answered.status === 200 ? '200' : `${answered.status} ${reasonIn(answered)}`
    if (said !== '401 api_key_unknown') return said
  }
}

real('an API key that is bound to addresses', () => {
  test('opens for a client whose address Envoy names, and for no other', { timeout: 20_000 }, async () => {
    const [mine, others] = [await keyFor('[127.0.0.0/8]'), await keyFor('[203.0.113.7]')]
    expect(await answer(mine)).toBe('200')
    expect(await answer(others)).toBe('403 address_refused')
    const { envoy, service } = place()
    expect(leaks([mine, others], (await envoy.written()) + service.log())).toEqual([])
  })

  test.each(['x-forwarded-for', 'x-envoy-external-address', 'x-real-ip', 'forwarded'])(
    'opens nothing for a client that says in %s that it is somebody else',
    { timeout: 20_000 },
    async (name) => {
      const key = await keyFor('[203.0.113.7]')
      const value = name === 'forwarded' ? 'for=203.0.113.7' : '203.0.113.7'
      expect(await answer(key, [[name, value]])).toBe('403 address_refused')
    },
  )
})
