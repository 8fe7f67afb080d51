// A server of SDK v1 behind the guard on stdio: `node stdio-server-v1.ts CONFIG`, its client's token in the environment.
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { createGuard } from '../../src/guard/index.ts'
import { serverV1 } from './sdk-v1-server.ts'

const guard = await createGuard({ config: process.argv[2] ?? '' })
const transport = guard.transport(new StdioServerTransport(), {
  credential: () => process.env['MCP_TOKEN'] ?? '',
  changesEveryMs: 20,
})
await serverV1([]).connect(transport)
