import { expect, onTestFinished, test } from 'vitest'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import { failing, startKeyServer } from './key-server.ts'
import { oldJwk } from './remote-issuer.ts'
import { issuerOptions, nowMs } from './tokens.ts'

test('why keys cannot be had is told once for each cause, with the issuer and the address, until they can be', async () => {
  const server = await startKeyServer()
  const clock = { ms: nowMs }
  const told: string[] = []
  const url = `${server.origin}/keys`
  const trusted = issuerOptions([], { keys: { kind: 'url', url } })
  const authenticator = createAuthenticator({
    issuers: [trusted],
    now: () => clock.ms,
    onKeysFault: (issuer, detail) => told.push(`${issuer} ${detail}`),
  })
  onTestFinished(async () => {
    authenticator.close()
    await server[Symbol.asyncDispose]()
  })
  const later = async () => {
    clock.ms += 1000
    await authenticator.load()
  }
  server.answer(failing)
  for (let i = 0; i < 3; i += 1) await later()
  expect(told).toEqual([`${trusted.issuer} \`${url}\`: expected status 200, found 503`])

  server.publish([oldJwk])
  await later()
  clock.ms += 11 * 60_000
  server.answer(failing)
  await later()
  expect(told).toHaveLength(2)
})

test('an address where nobody listens is told with what the system says of it', async () => {
  const server = await startKeyServer()
  const url = `${server.origin}/keys`
  await server[Symbol.asyncDispose]()
  const told: string[] = []
  const issuers = [issuerOptions([], { keys: { kind: 'url', url } })]
  const authenticator = createAuthenticator({ issuers, onKeysFault: (_, detail) => told.push(detail) })
  await authenticator.load()
  authenticator.close()
  expect(told).toHaveLength(1)
  expect(told[0]).toContain(`\`${url}\`: expected an answer in time: `)
  expect(told[0]).toContain('ECONNREFUSED')
})
