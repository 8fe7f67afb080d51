import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { permissions } from '../api-keys/permits.ts'
import { ConfigError } from '../config/problem.ts'
import { PolicyError, textOf } from '../policy/errors.ts'
import { version } from '../version.ts'
import { type CreateOptions, createKey, listKeys, revokeKey } from './api-keys.ts'
import { type AskOptions, printCapabilities, printCheck } from './ask.ts'
import type { BrokerOptions } from './broker.ts'
import type { CatalogueOptions } from './catalogue.ts'
import { type ExitCode, exit, type Terminal, UsageError } from './exit.ts'
import { generateKey, printPublicKeys, rotateKey } from './keys.ts'
import { type MigrateOptions, migrateFiles } from './migrate.ts'
import { printRevocations, type RevokeOptions, revoke } from './revoke.ts'
import type { ServeOptions } from './serve.ts'
import { printToken } from './token.ts'

const exitCodes = `
Exit codes: 0 allowed or done, 1 denied, 2 usage or configuration, 3 internal error.`

/** Runs one command line; the exit code, never a rejection. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const result: { code: ExitCode } = { code: exit.ok }
  const program = programOf(terminal, (code) => {
    result.code = code
  })
  try {
    await program.parseAsync([...argv])
    return result.code
  } catch (thrown) {
    return report(thrown, terminal)
  }
}

function report(thrown: unknown, { err }: Terminal): ExitCode {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exit.ok : exit.usage
  if (thrown instanceof ConfigError || thrown instanceof UsageError || thrown instanceof PolicyError) {
    err.write(`${thrown.message}\n`)
    return exit.usage
  }
  err.write(`mcp-authz: ${textOf(thrown)}\n`)
  return exit.internal
}

function programOf(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const program = new Command('mcp-authz')
    .description('Policy-as-code authorization for the Model Context Protocol.')
    .version(version(), '--version', 'print the version')
    .addHelpText('after', exitCodes)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out.write(text), writeErr: (text) => terminal.err.write(text) })
    .showHelpAfterError('(--help shows how it is used)')
  addServe(program, terminal, done)
  addBroker(program, terminal, done)
  addAsk(program, terminal, done)
  addKeys(program, terminal, done)
  addRevoke(program, terminal, done)
  addApiKeys(program, terminal, done)
  addToken(program, terminal, done)
  addCatalogue(program, terminal, done)
  addMigrate(program, terminal, done)
  return program
}

function addServe(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  program
    .command('serve')
    .description('Run the service: ext_authz over gRPC for Envoy; health, keys and AuthZEN over HTTP.')
    .addOption(configOption)
    .option('--grpc <address>', 'HOST:PORT or unix:PATH to listen on for Envoy')
    .option('--http <address>', 'HOST:PORT to listen on for HTTP')
    .option('--workers <n>', 'number of processes that share both ports', countFrom, 1)
    .option('--enforce-capability-filtering', 'the same as capabilities.enforce: true')
    .option(
      '--gateway-signing-key <key>',
      'HMAC secret of the gateway; everybody can read it here, GATEWAY_SIGNING_KEY is better',
    )
    .addOption(new Option('--session-signing-key <key>', 'deprecated: --gateway-signing-key').hideHelp())
    .addOption(logLevelOption)
    .addHelpText(
      'after',
      '\nWithout --config, ./mcp-authz.yaml is used; without that, an embedded default for development.',
    )
    .action(async (options: ServeOptions) => {
      // Loaded here alone: no other command needs gRPC and express, and they take most of the start.
      const { serve } = await import('./serve.ts')
      done(await serve(options, terminal))
    })
}

function addBroker(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  program
    .command('broker')
    .description('Run a broker: one MCP endpoint for the servers under `broker.upstreams`, with the guard before it.')
    .addOption(configOption)
    .option('--listen <address>', 'HOST:PORT to listen on for MCP clients')
    .option('--http <address>', 'HOST:PORT to listen on for health, status and metrics')
    .option('--enforce-capability-filtering', 'the same as capabilities.enforce: true')
    .addOption(logLevelOption)
    .action(async (options: BrokerOptions) => {
      // As with `serve`: no other command needs the SDK of MCP.
      const { broker } = await import('./broker.ts')
      done(await broker(options, terminal))
    })
}

function addAsk(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const ask = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .addOption(configOption)
      .option('--token <token>', 'bearer token of the subject')
      .option('--token-file <file>', 'file that holds the token')
      .option('--claims <file>', 'JSON file of claims, believed as they are')
      .option('--virtual-server <id>', 'decide under this virtual server')
      .option('--address <ip>', 'IP address the caller comes from, for API keys that are bound to some')
      .option('--json', 'print one JSON document')
  ask('check', 'Decide one request, as every door would.')
    .requiredOption('--method <method>', 'MCP method, like tools/call')
    .option('--params <json>', 'params of the request, like \'{"name":"weather_forecast"}\'')
    .option('--server <id>', "the server behind the door: names are then upstream's")
    .action(async (options: AskOptions) => done(await printCheck(options, terminal)))
  ask('capabilities', 'Print everything the subject may use.').action(async (options: AskOptions) =>
    done(await printCapabilities(options, terminal)),
  )
}

function addKeys(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const keys = program.command('keys').description('The key that signs x-mcp-authorized.')
  keys
    .command('generate')
    .description('Write a new P-256 private key (PEM, mode 0600); never over an existing file.')
    .addOption(configOption)
    .option('--out <file>', 'where to write it; default: capabilities.key.file of the configuration')
    .action(async (options: { config?: string; out?: string }) => done(await generateKey(options, terminal)))
  keys
    .command('public')
    .description('Print the public side: a JWK Set, or with --pem what a broker takes as its trusted key.')
    .addOption(configOption)
    .option('--pem', 'PEM (SPKI) of the signing key alone')
    .option('--next', 'of the key that is published and does not sign yet')
    .action(async (options: { config?: string; pem?: true; next?: true }) =>
      done(await printPublicKeys(options, terminal)),
    )
  keys
    .command('rotate')
    .description('Replace the key by a new one; the old public key stays published until its last token has died.')
    .addOption(configOption)
    .option('--publish-only', 'make and publish the next key, which signs once `keys rotate` is run again')
    .action(async (options: { config?: string; publishOnly?: true }) => done(await rotateKey(options, terminal)))
}

function addRevoke(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  program
    .command('revoke')
    .description('Take away a token, a session, a subject, an issuer, a role or a grant; in force in milliseconds.')
    .addOption(configOption)
    .option('--token <token>', 'one token, by what it is; only its digest is kept')
    .option('--token-file <file>', 'file that holds the token')
    .option('--jti <id>', 'one token, by its id')
    .option('--session <id>', 'a session of the issuer (`sid`)')
    .option('--subject <subject>', 'everything issued to a subject so far, its API keys included')
    .option('--issuer <issuer>', 'everything an issuer issued so far; beside another option: of this issuer alone')
    .option('--role <role>', 'a role, from --subject, --issuer or --everybody')
    .option('--grant <server=type:name>', 'a literal grant, like weather=tool:forecast; server `*` is every one')
    .option('--everybody', 'take the role or grant from everybody')
    .option('--issued-before <time>', 'what was issued until then, like 2026-11-24T12:00:00Z; default: until now')
    .option('--reason <text>', 'why, for those who list revocations')
    .option('--json', 'print one JSON document')
    .action(async (options: RevokeOptions) => done(await revoke(options, terminal)))
  program
    .command('revocations')
    .description('List what is revoked.')
    .addOption(configOption)
    .option('--json', 'print one JSON document')
    .action(async (options: { config?: string; json?: true }) => done(await printRevocations(options, terminal)))
}

function addApiKeys(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const keys = program.command('api-keys').description('Keys that act as a subject, cut down to a scope.')
  keys
    .command('create')
    .description('Make a key and print it; it is shown this once, and kept as a hash alone.')
    .addOption(configOption)
    .requiredOption('--sub <subject>', 'whom it acts as')
    .option('--role <role>', 'a role; may be given several times', collect, [])
    .option('--grant <server=type:name>', 'a literal grant; may be given several times', collect, [])
    .option('--group <group>', 'a group; may be given several times', collect, [])
    .option('--scope <file>', 'what it is cut down to, YAML or JSON; `-` is standard input')
    .option('--expires <when>', 'a duration like 90d, a day, or a time with its zone; absent: never')
    .option('--permission <permission>', `with this service itself: ${permissions.join(', ')}`, collectPermission, [])
    .option('--name <text>', 'what it is for')
    .option('--json', 'print one JSON document')
    .action(async (options: CreateOptions) => done(await createKey(options, terminal)))
  keys
    .command('list')
    .description('Print every key: whom it acts as, its state, limits and uses. Never the key itself.')
    .addOption(configOption)
    .option('--json', 'print one JSON document')
    .action(async (options: { config?: string; json?: true }) => done(await listKeys(options, terminal)))
  keys
    .command('revoke <id>')
    .description('End a key for good, everywhere.')
    .addOption(configOption)
    .option('--reason <text>', 'why, for those who list revocations')
    .action(async (id: string, options: { config?: string; reason?: string }) =>
      done(await revokeKey(id, options, terminal)),
    )
}

function addToken(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  program
    .command('token')
    .description('Print a token of the development issuer that the embedded default trusts.')
    .requiredOption('--sub <subject>', 'whom it speaks of')
    .option('--role <role>', 'a role; may be given several times', collect, [])
    .option('--grant <server=type:name>', 'a literal grant; may be given several times', collect, [])
    .action(async (options: { sub: string; role: string[]; grant: string[] }) =>
      done(await printToken(options, terminal)),
    )
}

function addCatalogue(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  program
    .command('catalogue [server...]')
    .description('Ask servers, as ID=URL or those of `broker.upstreams`, what they offer; prints data that approve it.')
    .addOption(configOption)
    .option('--check', 'print how it differs from the catalogue instead')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nWith --check, exits 1 where a pinned definition changed or a listed item is missing.')
    .action(async (servers: string[], options: CatalogueOptions) => {
      const { printCatalogue } = await import('./catalogue.ts')
      done(await printCatalogue(servers, options, terminal))
    })
}

function addMigrate(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  program
    .command('migrate <file...>')
    .description("Rewrite Kuadrant manifests, Rego and Keycloak realm exports to v0.7.0's names; prints a diff.")
    .option('--write', 'replace the files instead of printing what would change')
    .option(
      '--client <id>',
      'a Keycloak client whose roles are tools; several times; default: ids like ns/name',
      collect,
      [],
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExits 1 where a dry run found changes, or something is left to do by hand.')
    .action(async (files: string[], options: MigrateOptions) => done(await migrateFiles(files, options, terminal)))
}

const logLevelOption = new Option('--log-level <level>', 'what to log on standard error')
  .choices(['info', 'warn'])
  .default('info')
const configOption = new Option('--config <file>', 'configuration file')

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value]
}

function collectPermission(value: string, earlier: string[]): string[] {
  if (!permissions.some((name) => name === value)) throw new InvalidArgumentError(`expected ${permissions.join(', ')}.`)
  return [...earlier, value]
}

function countFrom(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 64) throw new InvalidArgumentError('expected 1 to 64.')
  return count
}
