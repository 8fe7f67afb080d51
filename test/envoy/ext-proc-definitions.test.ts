import type { Client } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDefinitions } from '../../src/authorizer/definitions.ts'
import { createEnvoyDoor, type EnvoyDoor } from '../../src/envoy/server.ts'
import { definitionDigest } from '../../src/mcp/definition.ts'
import type { ChangedDefinitions } from '../../src/policy/engine.ts'
import { recording, strict } from './authorizers.ts'
import { connect } from './clients.ts'
import { bodyOf, json, leaving, listQuestion, openExchange, requestOf, seeing, tools } from './exchanges.ts'

const [wipe = { name: '' }, forecast = { name: '' }] = tools
const puts: ChangedDefinitions[] = []
let door: EnvoyDoor
let client: Client

beforeAll(async () => {
  const { server = '' } = listQuestion
  const pinned = [wipe, forecast].map((tool) => ({
    name: tool.name,
    sha256: definitionDigest('tool', tool, tool.name),
  }))
  const definitions = createDefinitions({
    data: { servers: { [server]: { tools: pinned } } },
    prefixedUris: false,
    put: (changed) => void puts.push(changed),
    onWarning: () => undefined,
  })
  const authorizer = { ...recording(), visible: seeing().visible, definitions }
  door = await createEnvoyDoor({ authorizer, read: strict, address: '127.0.0.1:0' })
  client = connect(door.address)
})
afterAll(async () => {
  client.close()
  await door.drain({ deadlineMs: 0 })
})

async function namesOf(listed: readonly object[]): Promise<readonly string[]> {
  const exchange = openExchange(client)
  await exchange.send(requestOf('bob', listQuestion))
  await exchange.send(json)
  const reply = await exchange.send(bodyOf(JSON.stringify({ jsonrpc: '2.0', id: 7, result: { tools: listed } })))
  await exchange.end()
  return (JSON.parse(leaving(reply)) as { result: { tools: { name: string }[] } }).result.tools.map(({ name }) => name)
}

it('leaves out of a list what is defined otherwise than approved, and puts that into force', async () => {
  expect(await namesOf(tools)).toEqual(['wipe', 'forecast'])
  expect(puts).toEqual([])
  expect(await namesOf([{ ...wipe, description: 'also reads your mail' }, forecast])).toEqual(['forecast'])
  expect(puts).toEqual([{ [listQuestion.server ?? '']: { tool: { wipe: true } } }])
})
