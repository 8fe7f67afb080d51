import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/** A connected MCP client, as far as the tests use one. */
export interface McpClient {
  readonly protocolVersion: string | undefined
  listTools(): Promise<readonly string[]>
  /** Names of tools and prompts, URIs of resources and templates. */
  listAll(): Promise<Lists>
  /** The text of the first piece of content. */
  callTool(name: string, onProgress?: () => void): Promise<string>
  close(): Promise<void>
}

/** What a client is shown. */
export interface Lists {
  readonly tools: readonly string[]
  readonly prompts: readonly string[]
  readonly resources: readonly string[]
  readonly templates: readonly string[]
}

/** Connects a client that sends these headers with everything. */
export type Connect = (url: URL, headers: Readonly<Record<string, string>>) => Promise<McpClient>

/** SDK v2; `auto` speaks 2026-07-28 where the server does, `legacy` what came before. */
function connectV2(mode: 'auto' | 'legacy'): Connect {
  return async (url, headers) => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
    return {
      protocolVersion: client.getNegotiatedProtocolVersion(),
      listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
      listAll: async () => await listsOf(client),
      async callTool(name, onprogress) {
        const { content } = await client.callTool(
          { name, arguments: {} },
          onprogress === undefined ? {} : { onprogress },
        )
        return textOf(content)
      },
      close: async () => await client.close(),
    }
  }
}

const connectV1: Connect = async (url, headers) => {
  const client = new ClientV1({ name: 'test', version: '1' })
  const transport = new TransportV1(url, { requestInit: { headers } })
  await client.connect(transport as Parameters<typeof client.connect>[0])
  return {
    protocolVersion: transport.protocolVersion,
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    listAll: async () => await listsOf(client),
    async callTool(name, onprogress) {
      const options = onprogress === undefined ? {} : { onprogress }
      const { content } = await client.callTool({ name, arguments: {} }, undefined, options)
      return textOf(content)
    },
    close: async () => await client.close(),
  }
}

/** Every client, with the protocol version it must come to. */
export const clients: readonly (readonly [name: string, version: string, connect: Connect])[] = [
  ['SDK v2', '2026-07-28', connectV2('auto')],
  ['SDK v2', '2025-11-25', connectV2('legacy')],
  ['SDK v1', '2025-11-25', connectV1],
]

async function listsOf(client: Client | ClientV1): Promise<Lists> {
  const [{ tools }, { prompts }, { resources }, { resourceTemplates }] = await Promise.all([
    client.listTools(),
    client.listPrompts(),
    client.listResources(),
    client.listResourceTemplates(),
  ])
  return {
    tools: tools.map(({ name }) => name),
    prompts: prompts.map(({ name }) => name),
    resources: resources.map(({ uri }) => uri),
    templates: resourceTemplates.map(({ uriTemplate }) => uriTemplate),
  }
}

function textOf(content: unknown): string {
  const [first] = content as readonly { readonly text?: string }[]
  return String(first?.text)
}
