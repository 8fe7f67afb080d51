// The same of SDK v2, which serves every version.
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { createGuard } from '../../src/guard/index.ts'
import { mcpServer } from './sdk-server.ts'

const guard = await createGuard({ config: process.argv[2] ?? '' })
const transport = guard.transport(new StdioServerTransport(), {
  credential: () => process.env['MCP_TOKEN'] ?? '',
  changesEveryMs: 20,
})
serveStdio(() => mcpServer([]), { transport })
