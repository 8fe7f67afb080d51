import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CredentialDoors, openCredentialDoors } from './credential-doors.ts'
import { type CredentialCase, type CredentialDoor, credentialDoors, credentialTables } from './credentials.ts'
import type { PresentedCredential } from './presented.ts'

const patienceMs = 60_000

describe.for(credentialTables())('$file', (table) => {
  let opened: CredentialDoors
  /** One of its own for each case at each door: a use at one is none at another. */
  const presented = new Map<string, PresentedCredential>()
  const nameOf = (line: CredentialCase, door: CredentialDoor): string => `${table.cases.indexOf(line)}-${door}`
  const of = (line: CredentialCase, door: CredentialDoor): PresentedCredential => {
    const credential = presented.get(nameOf(line, door))
    if (credential === undefined) throw new Error(`${line.name}: it has no credential`)
    return credential
  }
  const lines = table.cases.flatMap((line) => (line.via ?? credentialDoors).map((door) => ({ line, door })))
  const revoked = lines.filter(({ line, door }) => line.revoked !== undefined && door === 'grpc')

  beforeAll(async () => {
    opened = await openCredentialDoors(table)
    for (const { line, door } of lines) {
      const name = nameOf(line, door)
      presented.set(name, await opened.office.make(line, `u-${name}`))
    }
    await opened.settle()
    for (const { line, door } of revoked) {
      expect(await opened.ask[door](line, of(line, door)), `${line.name}, before`).toEqual({ code: 'allow' })
    }
    for (const { line, door } of lines) await opened.office.revoke(line.revoked, of(line, door))
    await opened.settle()
  }, patienceMs)
  afterAll(async () => await opened.close(), patienceMs)

  it.for(lines.map((each) => ({ ...each, name: each.line.name })))('$door: $name', async ({ line, door }) => {
    const ask = async () => await opened.ask[door](line, of(line, door))
    for (let used = 0; used < (line.uses ?? 0); used += 1) expect(await ask()).toEqual({ code: 'allow' })
    const { want: code, scopes } = line
    expect(await ask()).toEqual(scopes === undefined ? { code } : { code, scopes })
  })
})
