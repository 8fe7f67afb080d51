import { isObject, own } from '../../identity/claims.ts'
import type { IssuerOptions } from '../../identity/options.ts'
import type { Target } from '../revocation.ts'
import type { AdminAnswer, KeycloakAdmin } from './keycloak-admin.ts'
import { type Reach, textOf } from './keycloak-effect.ts'

/** Finds out what a role is to a token. */
export interface RoleDirectory {
  /** What is taken with a role from somebody; undefined where that cannot be told, or is more than one thing. */
  withdrawal(role: unknown, from: Reach): Promise<Target | undefined>
}

/**
 * Opens the directory of a realm's roles. Each answer is remembered as long as the directory is; open another one to
 * look again.
 */
export function openRoleDirectory(admin: KeycloakAdmin, { claims }: IssuerOptions): RoleDirectory {
  // Only there is a client's role a grant on the server of that name, and a realm's role a role.
  const isPlain = same(claims.grants, ['resource_access.*.roles']) && same(claims.roles, ['realm_access.roles'])
  const answers = new Map<string, Promise<AdminAnswer>>()
  const ask = async (path: string): Promise<unknown> => {
    const answer = answers.get(path) ?? admin.get(path)
    answers.set(path, answer)
    const found = await answer
    return found.ok ? found.value : undefined
  }

  async function serverOf(container: string | undefined): Promise<string | undefined> {
    if (container === undefined) return undefined
    const client = await ask(`/clients/${encodeURIComponent(container)}`)
    return isObject(client) ? textOf(own(client, 'clientId')) : undefined
  }

  return {
    async withdrawal(role, from) {
      const id = isObject(role) ? textOf(own(role, 'id')) : undefined
      if (id === undefined || !isPlain) return undefined
      // Events repeat what was sent, and who sends the name alone is taken to say that the role holds no others.
      const known = await ask(`/roles-by-id/${encodeURIComponent(id)}`)
      if (!isObject(known) || own(known, 'composite') !== false) return undefined
      const name = textOf(own(known, 'name'))
      const isOfClient = own(known, 'clientRole')
      if (name === undefined || typeof isOfClient !== 'boolean') return undefined
      if (!isOfClient) return { role: name, from }
      const server = await serverOf(textOf(own(known, 'containerId')))
      return server === undefined ? undefined : { grant: name, server, from }
    },
  }
}

function same(paths: readonly string[], wanted: readonly string[]): boolean {
  return paths.length === wanted.length && paths.every((path, index) => path === wanted[index])
}
