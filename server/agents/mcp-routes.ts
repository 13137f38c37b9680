// `POST /mcp`: the Model Context Protocol over Streamable HTTP, authenticated by an agent's token. Stateless: there are
// no sessions across requests, so a restart strands no client.
import { Hono } from 'hono'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from '../routing/context.ts'
import type { McpDeps } from './deps.ts'

/** Loaded on first use: protocol, picture and layout are a quarter of the server's code, and many servers have no agents. */
const loadMcp = async () => {
  const [{ WebStandardStreamableHTTPServerTransport }, { mcpServerFor }] = await Promise.all([
    import('@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'),
    import('./mcp.ts'),
  ])
  return { WebStandardStreamableHTTPServerTransport, mcpServerFor }
}

/** At the root, not under `/api`. */
export function mcpRoutes(deps: McpDeps, version: string): Hono<HttpEnv> {
  const router = new Hono<HttpEnv>()
  router.post('/mcp', async (c) => {
    const identity = c.get('identity')
    const { principal } = identity
    if (principal.kind !== 'agent' || identity.boardId !== null) {
      c.header('www-authenticate', 'Bearer realm="boardroom"')
      throw new BoardroomError(
        'not_signed_in',
        'this endpoint is for agents: send an agent’s token as Authorization: Bearer',
      )
    }
    if (!deps.calls.take(principal.agentId))
      throw new BoardroomError('too_many_requests', 'this agent sends too many requests; wait a moment', {
        details: { limit: 'agent_calls', retry_after_ms: deps.calls.retryAfterMs(principal.agentId) },
      })
    const caller = { identity, actor: c.get('actor'), agentId: principal.agentId, name: principal.name }
    const { WebStandardStreamableHTTPServerTransport, mcpServerFor } = await loadMcp()
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
    const server = mcpServerFor(deps, caller, version)
    await server.connect(transport)
    try {
      // Read here, so that a body above the limit is reported as such and not as unparsable.
      const body = await c.req.text()
      const { url, method, headers } = c.req.raw
      return await transport.handleRequest(new Request(url, { method, headers, body }))
    } finally {
      await server.close()
    }
  })
  return router
}
