import type { Input, InputResource, InputSubject, SubjectLimits } from './input.gen.ts'

/** What a question to the policy is made of. Who asks and what is asked come verified and read; nothing here is raw. */
export interface Question {
  readonly subject: {
    readonly id: string
    readonly grants: Readonly<Record<string, readonly string[]>>
    readonly roles: readonly string[]
    readonly capabilities?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
    readonly virtualServer?: string | null
    readonly groups?: readonly string[]
    readonly scopes?: readonly string[]
    readonly email?: string
    readonly withdrawnRoles?: readonly string[]
    readonly limits?: {
      readonly virtualServers?: readonly string[]
      readonly capabilities?: Readonly<Record<string, readonly string[]>>
    }
  }
  readonly action: string
  readonly target: {
    readonly type: InputResource['type']
    readonly name?: string
    readonly names?: readonly string[]
    /** Those of tools/call and prompts/get, as JSON; absent: not known, which is refused wherever a rule judges them. */
    readonly arguments?: unknown
  }
  /** Id of the server, where the door knows it. */
  readonly server?: string | undefined
  readonly virtualServers: readonly (string | null)[]
  readonly profile: 'strict' | 'kuadrant'
  /** Client-visible URIs carry the server's prefix before their authority. */
  readonly prefixedUris?: boolean
  /** Who opened the connection, as the door verified it. */
  readonly principal?: string | undefined
  /** Profile kuadrant: show lists of a type that the capability claim does not speak of. */
  readonly unenforced?: boolean
}

/** The one place where the policy's input is built: fixed fields only, so that nothing a client sends can overwrite one. */
export function buildInput({ subject, action, target, server, ...rest }: Question): Input {
  const { virtualServers, profile, prefixedUris = false, principal, unenforced = false } = rest
  return {
    subject: subjectOf(subject),
    action: { name: action },
    resource: {
      type: target.type,
      ...(server === undefined ? {} : { server }),
      ...(target.name === undefined ? {} : { name: target.name }),
      ...(target.names === undefined ? {} : { names: [...target.names] }),
      ...(target.arguments === undefined
        ? {}
        : { arguments: target.arguments as NonNullable<InputResource['arguments']> }),
    },
    context: {
      profile,
      virtual_servers:
        subject.virtualServer === undefined ? [...virtualServers] : [...virtualServers, subject.virtualServer],
      ...(prefixedUris ? { prefixed_uris: true } : {}),
      ...(principal === undefined ? {} : { principal }),
      ...(unenforced ? { unenforced: true } : {}),
    },
  }
}

// An absent key stays absent: to the policy no scopes at all are not the same as an empty list of them.
function subjectOf({ id, grants, roles, ...rest }: Question['subject']): InputSubject {
  const { capabilities, groups, scopes, email, withdrawnRoles, limits } = rest
  return {
    id,
    grants: grants as Record<string, string[]>,
    roles: roles as string[],
    ...(capabilities === undefined ? {} : { capabilities: capabilities as Record<string, Record<string, string[]>> }),
    ...(groups === undefined ? {} : { groups: groups as string[] }),
    ...(scopes === undefined ? {} : { scopes: scopes as string[] }),
    ...(email === undefined ? {} : { email }),
    ...(withdrawnRoles === undefined ? {} : { withdrawn_roles: withdrawnRoles as string[] }),
    ...(limits === undefined ? {} : { limits: limitsOf(limits) }),
  }
}

function limitsOf({ virtualServers, capabilities }: NonNullable<Question['subject']['limits']>): SubjectLimits {
  return {
    ...(virtualServers === undefined ? {} : { virtual_servers: virtualServers as string[] }),
    ...(capabilities === undefined ? {} : { capabilities: capabilities as Record<string, string[]> }),
  }
}
