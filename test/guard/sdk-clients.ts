import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport as TransportOfV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import { onTestFinished } from 'vitest'

type Headers = Readonly<Record<string, string>>

/** What the tests need of a client, whatever its SDK. */
export interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>
  listPrompts(): Promise<{ prompts: { name: string }[] }>
  listResources(): Promise<{ resources: { uri: string }[] }>
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>
  getPrompt(params: { name: string }): Promise<unknown>
  readResource(params: { uri: string }): Promise<unknown>
}

/** A client of SDK v2: 2026-07-28 by `auto`, 2025-11-25 by `legacy`. */
export async function clientV2(url: URL, headers: Headers, mode: 'auto' | 'legacy' = 'auto'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
  onTestFinished(() => client.close())
  return client
}

/** A client of SDK v1. */
export async function clientV1(url: URL, headers: Headers): Promise<ClientV1> {
  const client = new ClientV1({ name: 'test', version: '1' })
  // Their class and their interface differ under exactOptionalPropertyTypes.
  await client.connect(new TransportV1(url, { requestInit: { headers } }) as TransportOfV1)
  onTestFinished(() => client.close())
  return client
}

export const clients: readonly (readonly [string, (url: URL, headers: Headers) => Promise<AnyClient>])[] = [
  ['SDK v2, 2026-07-28', async (url, headers) => await clientV2(url, headers)],
  ['SDK v2, 2025-11-25', async (url, headers) => await clientV2(url, headers, 'legacy')],
  ['SDK v1', async (url, headers) => (await clientV1(url, headers)) as unknown as AnyClient],
]
