import { developmentToken } from '../development.ts'
import { type ExitCode, exit, type Terminal, UsageError } from './exit.ts'

/** `token`: prints a token of the development issuer. */
export async function printToken(
  { sub, role, grant }: { readonly sub: string; readonly role: readonly string[]; readonly grant: readonly string[] },
  { cwd, env, out }: Terminal,
): Promise<ExitCode> {
  if (sub === '') throw new UsageError('--sub: expected a subject that is not empty')
  const token = await developmentToken(cwd, env, { subject: sub, roles: role, grants: grantsOf(grant) })
  out.write(`${token}\n`)
  return exit.ok
}

/** Literal grants by server id, of options like `weather=tool:forecast`. */
export function grantsOf(texts: readonly string[]): Record<string, string[]> {
  const grants = new Map<string, string[]>()
  for (const text of texts) {
    const [, server, value] = /^(.+?)=((?:tool|prompt|resource|template):.+)$/su.exec(text) ?? []
    if (server === undefined || value === undefined) {
      throw new UsageError(`--grant \`${text}\`: expected SERVER=TYPE:NAME, like weather=tool:forecast`)
    }
    grants.set(server, [...(grants.get(server) ?? []), value])
  }
  return Object.fromEntries(grants)
}
