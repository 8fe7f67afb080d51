import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

/** What one person can ask at one endpoint, and what came of it in a few words. */
export interface Session {
  tools(): Promise<string>
  counts(): Promise<string>
  call(name: string, args: Readonly<Record<string, unknown>>): Promise<string>
  read(uri: string): Promise<string>
  close(): Promise<void>
}

/** Connects a real MCP client. Without a token, or with a bad one, the endpoint says no before anything else. */
export async function openSession(port: number, headers: Readonly<Record<string, string>>): Promise<Session> {
  const denial = { text: '' }
  const client = new Client({ name: 'demo-client', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
  const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), {
    requestInit: { headers },
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      if (response.status >= 400) denial.text = reasonOf(response.status, await response.clone().text())
      return response
    },
  })
  const told = async (ask: () => Promise<string>): Promise<string> => {
    denial.text = ''
    return await ask().catch((error: unknown) => (denial.text === '' ? `failed: ${String(error)}` : denial.text))
  }
  const connection = await told(async () => {
    await client.connect(transport)
    return ''
  })
  const ask = async (question: () => Promise<string>) => (connection === '' ? await told(question) : connection)
  return {
    tools: async () => await ask(async () => namesOf((await client.listTools()).tools)),
    counts: async () => await ask(async () => await countsOf(client)),
    call: async (name, args) =>
      await ask(async () => `allowed: ${textOf((await client.callTool({ name, arguments: args })).content)}`),
    read: async (uri) => await ask(async () => `allowed: ${textOf((await client.readResource({ uri })).contents)}`),
    close: async () => await client.close(),
  }
}

function namesOf(items: readonly { readonly name: string }[]): string {
  return items.length === 0 ? 'none' : shorten(items.map(({ name }) => name).join(' '))
}

async function countsOf(client: Client): Promise<string> {
  const { tools } = await client.listTools()
  const { prompts } = await client.listPrompts()
  const { resources } = await client.listResources()
  const { length: templates } = (await client.listResourceTemplates()).resourceTemplates
  return `tools ${tools.length}, prompts ${prompts.length}, resources ${resources.length}, templates ${templates}`
}

/** The code of a denial, as every door of mcp-authz gives it. */
function reasonOf(status: number, text: string): string {
  try {
    const body = JSON.parse(text) as { error?: string | { data?: { reason?: string } } }
    const code = typeof body.error === 'string' ? body.error : body.error?.data?.reason
    if (code !== undefined) return `denied: ${status} ${code}`
  } catch {
    // Not ours; the status says what there is to say.
  }
  return `denied: ${status}`
}

function textOf(content: unknown): string {
  const [first] = Array.isArray(content) ? (content as { text?: string }[]) : []
  return shorten((first?.text ?? '').replace(/\s+/gu, ' '))
}

function shorten(text: string): string {
  return text.length > 44 ? `${text.slice(0, 41)}...` : text
}
