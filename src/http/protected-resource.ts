import { type Response, Router } from 'express'
import { metadataAddress, metadataOf, metadataRoot, type ProtectedResource } from '../mcp/protected-resource.ts'

/** Protected-resource metadata (RFC 9728) of the gateway that the service decides for. */
export function protectedResourceRoutes(described: ProtectedResource, origin: () => string): Router {
  const paths = pathsOf(described)
  const router = Router()
  router.use((request, response, next) => {
    if (!paths.has(request.path)) return next()
    // Clients in browsers fetch it from pages of anywhere, with headers of MCP's own; nothing in it is secret.
    response.set({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-allow-headers': '*',
      'access-control-max-age': '86400',
    })
    if (request.method === 'OPTIONS') return void response.status(204).end()
    if (!['GET', 'HEAD'].includes(request.method)) return refuse(response)
    const resource = described.resource ?? `${origin()}/mcp`
    response.set('cache-control', 'public, max-age=300').json(metadataOf(described, resource))
  })
  return router
}

/** The root, the usual path of an MCP endpoint, and where the challenges point. */
function pathsOf({ resource }: ProtectedResource): ReadonlySet<string> {
  const named = resource === undefined ? undefined : metadataAddress(resource)
  const own = named === undefined ? [] : [new URL(named).pathname]
  return new Set([metadataRoot, `${metadataRoot}/mcp`, ...own])
}

function refuse(response: Response): void {
  response.status(405).set('allow', 'GET, HEAD, OPTIONS').json({ error: 'the metadata can only be read' })
}
