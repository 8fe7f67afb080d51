import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'

/** A server of SDK v1 with the tools, prompts and resources of the catalogue; `used` is told what of it was used. */
export function serverV1(used: string[]): McpServer {
  const server = new McpServer({ name: 'v1', version: '1' })
  for (const name of ['weather_forecast', 'weather_alerts', 'files_read', 'files_wipe']) {
    server.registerTool(name, { description: name }, () => {
      used.push(name)
      return { content: [{ type: 'text', text: name }] }
    })
  }
  for (const name of ['weather_brief', 'files_summary']) {
    server.registerPrompt(name, { description: name }, () => ({ messages: [] }))
  }
  for (const uri of ['weather://stations', 'files://index']) {
    server.registerResource(uri, uri, {}, () => ({ contents: [{ uri, text: 'text' }] }))
  }
  return server
}
