// A server on stdio that keeps state: `node stdio-server.ts v1|v2`. It says its process id, and each variable it is asked for.
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

let count = 0
const text = (value: unknown) => ({ content: [{ type: 'text' as const, text: String(value) }] })
const variable = { inputSchema: z.object({ name: z.string() }) }

process.stderr.write(`started ${process.env['API_KEY'] ?? ''}\n`)
if (process.argv[2] === 'v1') {
  const server = new McpServerV1({ name: 'stdio-v1', version: '1' })
  server.registerTool('count', {}, () => text(++count))
  server.registerTool('pid', {}, () => text(process.pid))
  server.registerTool('variable', variable, ({ name }) => text(process.env[name] ?? 'none'))
  server.registerTool('exit', {}, () => process.exit(3))
  await server.connect(new StdioServerTransport())
} else {
  serveStdio(() => {
    const server = new McpServer({ name: 'stdio-v2', version: '1' })
    server.registerTool('count', {}, () => text(++count))
    server.registerTool('pid', {}, () => text(process.pid))
    server.registerTool('variable', variable, ({ name }) => text(process.env[name] ?? 'none'))
    return server
  })
}
