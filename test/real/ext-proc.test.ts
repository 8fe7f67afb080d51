import { describe, expect, test } from 'vitest'
import { clients } from './mcp-clients.ts'
import { type Person, seen, useMesh } from './mesh-place.ts'
import { real } from './place.ts'
import { paths } from './plain-server.ts'

const mesh = useMesh({ documented: () => undefined })

async function headersOf(person: Person): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await mesh().installation.token({ subject: person, roles: [person] })}` }
}

function url(path: string): URL {
  return new URL(`http://127.0.0.1:${mesh().envoy.port('documented')}${path}`)
}

real('two people before one plain server', () => {
  describe.each(paths)('at %s', (path) => {
    test.each(clients)('%s, version %s: each is shown what they may call', async (_, __, connect) => {
      const people = ['alice', 'bob'] as const
      const connected = await Promise.all(
        people.map(async (person) => await connect(url(path), await headersOf(person))),
      )
      const lists = await Promise.all(connected.map((client) => client.listAll()))
      expect(lists).toEqual(people.map((person) => seen[person]))
      await Promise.all(connected.map((client) => client.close()))
    })
  })
})
