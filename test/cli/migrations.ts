import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { folder, runIn } from './terminal.ts'

export const manifests = `# the weather team's
apiVersion: mcp.kuadrant.io/v1alpha1
kind: MCPServerRegistration
metadata:
  name: weather
spec:
  toolPrefix: weather_ # never changes
---
kind: Service
metadata: {annotations: {x-authorized-tool: kept, toolPrefixes: kept}} # not toolPrefix
---
apiVersion: kuadrant.io/v1
kind: AuthPolicy
spec:
  rules:
    authorization:
      calls:
        patternMatching:
          patterns:
            - predicate: |
                request.headers['x-mcp-toolname'] in (has(auth.identity.resource_access) ? auth.identity.resource_access[request.headers['x-mcp-servername']].roles : [])
            - predicate: "request.headers['x-mcp-toolname'] in ['greet']"
    response:
      success:
        headers:
          x-authorized-tools: # for the broker
            wristband:
              customClaims:
                'allowed-tools':
                  value: '{"team/weather":["forecast"]}'
---
kind: Deployment
spec:
  template:
    spec:
      containers:
        - command: ["./gateway", "--mcp-router-key", "k", "--enforce-tool-filtering=true"]
          args:
            # two keys
            - --session-signing-key=$(JWT_SESSION_SIGNING_KEY)
            - --mcp-router-key=$(MCP_ROUTER_API_KEY)
          env:
            - name: MCP_ROUTER_API_KEY
              valueFrom:
                secretKeyRef: {name: router, key: key}
            - name: JWT_SESSION_SIGNING_KEY # 32 bytes
              value: secret
`

export const migrated = `# the weather team's
apiVersion: mcp.kuadrant.io/v1alpha1
kind: MCPServerRegistration
metadata:
  name: weather
spec:
  prefix: weather_ # never changes
---
kind: Service
metadata: {annotations: {x-authorized-tool: kept, toolPrefixes: kept}} # not toolPrefix
---
apiVersion: kuadrant.io/v1
kind: AuthPolicy
spec:
  rules:
    authorization:
      calls:
        patternMatching:
          patterns:
            - predicate: |
                ('tool:' + request.headers['x-mcp-toolname']) in (has(auth.identity.resource_access) ? auth.identity.resource_access[request.headers['x-mcp-servername']].roles : [])
            - predicate: "request.headers['x-mcp-toolname'] in ['greet']"
    response:
      success:
        headers:
          x-mcp-authorized: # for the broker
            wristband:
              customClaims:
                'allowed-capabilities':
                  value: '{"tools":{"team/weather":["forecast"]}}'
---
kind: Deployment
spec:
  template:
    spec:
      containers:
        - command: ["./gateway", "--enforce-capability-filtering=true"]
          args:
            # two keys
            - --gateway-signing-key=$(GATEWAY_SIGNING_KEY)
          env:
            - name: GATEWAY_SIGNING_KEY # 32 bytes
              value: secret
`

export const computed = `kind: AuthPolicy
spec:
  authorization:
    allowed-tools:
      opa:
        rego: |
          allow = true
          tools = {server: roles | roles := input.auth.identity.resource_access[server].roles}
  headers:
    x-authorized-tools:
      wristband:
        customClaims:
          allowed-tools:
            selector: auth.authorization.allowed-tools.tools.@tostr
`

export const realm = {
  realm: 'mcp',
  roles: {
    realm: [{ name: 'all', composites: { client: { 'team/weather': ['forecast'], account: ['view'] } } }],
    client: {
      'team/weather': [
        { name: 'forecast' },
        { name: 'tool:alerts' },
        { name: 'prompt:plan' },
        { name: 'uma_protection' },
      ],
      account: [{ name: 'view' }],
    },
  },
  clientScopeMappings: { 'team/weather': [{ clientScope: 'basic', roles: ['forecast'] }] },
  users: [{ username: 'forecast', clientRoles: { 'team/weather': ['forecast', 'tool:alerts'], account: ['view'] } }],
  groups: [{ name: 'a', subGroups: [{ name: 'b', clientRoles: { 'team/weather': ['forecast'] } }] }],
}

export async function written(files: Readonly<Record<string, string>>, ...args: string[]) {
  const cwd = await folder(files)
  const ran = await runIn(cwd, ['migrate', ...Object.keys(files), '--write', ...args])
  const texts = await Promise.all(Object.keys(files).map((name) => readFile(join(cwd, name), 'utf8')))
  return { ...ran, cwd, texts }
}
