import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { type Address, formatAddress, parseAddress } from '../address.ts'
import type { Authorizer } from '../authorizer/attempt.ts'
import { type CheckOptions, createCheck } from './check.ts'
import { createHealth, type Health } from './health.ts'
import { createProcessor, externalProcessor, type Processor } from './processor.ts'
import { createReflection, type Reflection } from './reflection.ts'
import { methodOf, type Service } from './service.ts'
import { openToGroup, removeStaleSocket } from './socket-file.ts'

export interface EnvoyDoorOptions extends CheckOptions {
  readonly authorizer: Pick<Authorizer, 'authorize' | 'visible'>
  /** Milliseconds for which a stream of external processing may be open without a first message. Default 10,000. */
  readonly silenceMs?: number
  /** `HOST:PORT` (port 0: any free one), `[IPV6]:PORT` or `unix:PATH`. */
  readonly address: string
}

/** A running server of ext_authz and ext_proc. */
export interface EnvoyDoor {
  /** What was bound, with the real port. */
  readonly address: string
  /** How many answers are being filtered now. */
  filtering(): number
  /** What health checks are told; true from the start. */
  setServing(serving: boolean): void
  /** Says NOT_SERVING, goes on answering, then closes. Resolves when the door is shut; a second call waits for the first. */
  drain(options: DrainOptions): Promise<void>
}

export interface DrainOptions {
  /** Milliseconds until whatever still runs is cut off. */
  readonly deadlineMs: number
  /**
   * Milliseconds in which Envoy's health check can see NOT_SERVING before connections close; must be longer than its
   * `interval`. Default 1500, since examples/envoy/envoy.yaml checks every second.
   */
  readonly noticeMs?: number
}

const authorization = 'envoy.service.auth.v3.Authorization'

/** Messages up to here are always read: a longer one is a gRPC error, which `failure_mode_allow` would let through. */
const leastMessageLimit = 64 * 1024 * 1024

/**
 * Listens for Envoy's ext_authz checks and for its external processing, which filters lists; with gRPC health checking
 * and reflection beside them.
 * @throws TypeError when the address is none; Error when it cannot be listened on
 */
export async function createEnvoyDoor(options: EnvoyDoorOptions): Promise<EnvoyDoor> {
  const listen = addressOf(options.address)
  const health = createHealth([authorization, externalProcessor])
  const reflection = createReflection([authorization, externalProcessor, 'grpc.health.v1.Health'])
  const processor = processorOf(options)
  const server = newServer(options.read.maxBodyBytes)
  for (const service of [checkService(options), processor.service, health.service, ...reflection.services]) {
    server.addService(service.definition, service.implementation)
  }
  const port = await bind(server, listen, options.address)
  let drained: Promise<void> | undefined
  return {
    address: formatAddress(listen.kind === 'tcp' ? { ...listen, port } : listen),
    filtering: () => processor.open(),
    setServing(serving) {
      if (drained === undefined) health.setServing(serving)
    },
    drain(limits) {
      drained ??= drain({ server, processor, health, reflection }, limits)
      return drained
    },
  }
}

function checkService(options: CheckOptions): Service {
  const check = createCheck(options)
  return {
    definition: { Check: methodOf(`/${authorization}/Check`, { responseStream: false }) },
    implementation: {
      Check(call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void {
        void check(call.request).then((bytes) => reply(null, bytes))
      },
    },
  }
}

function processorOf({ authorizer, silenceMs, onFault }: EnvoyDoorOptions): Processor {
  return createProcessor({
    authorizer,
    silenceMs,
    onUnfilterable(detail) {
      try {
        onFault?.({ code: 'policy_error', cause: `the answer to a list was held back: ${detail}` })
      } catch {
        // An answer is owed whatever becomes of the log.
      }
    },
  })
}

function newServer(maxBodyBytes: number): Server {
  const server = new Server({
    // A body may come as `body` of characters that take more room than their bytes, and headers come beside it.
    'grpc.max_receive_message_length': Math.max(2 * maxBodyBytes + 1024 * 1024, leastMessageLimit),
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
  })
  allowResets(server)
  return server
}

/**
 * Envoy resets a check whose client hung up. Node closes a connection after 1000 resets, and with it the checks of
 * everybody else. grpc-js has no option for the limits, but hands these options to `http2.createServer`.
 */
function allowResets(server: Server): void {
  const internals = server as unknown as { commonServerOptions?: Record<string, unknown> }
  if (internals.commonServerOptions === undefined) throw new Error('this version of grpc-js cannot raise reset limits')
  Object.assign(internals.commonServerOptions, { streamResetBurst: 1e6, streamResetRate: 1e6 })
}

function addressOf(text: string): Address {
  const reading = parseAddress(text)
  if (!reading.ok) throw new TypeError(`grpc address \`${text}\`: ${reading.detail}`)
  return reading.address
}

async function bind(server: Server, listen: Address, address: string): Promise<number> {
  if (listen.kind === 'unix') await removeStaleSocket(listen.path)
  const target = listen.kind === 'unix' ? `unix:${listen.path}` : formatAddress(listen)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(target, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound)
      else reject(new Error(`cannot listen on grpc address \`${address}\`: ${error.message}`, { cause: error }))
    })
  })
  if (listen.kind === 'unix') await openSocket(server, listen.path)
  return port
}

async function openSocket(server: Server, path: string): Promise<void> {
  try {
    await openToGroup(path)
  } catch (cause) {
    server.forceShutdown()
    throw cause
  }
}

interface Running {
  readonly server: Server
  readonly processor: Processor
  readonly health: Health
  readonly reflection: Reflection
}

async function drain({ server, processor, health, reflection }: Running, limits: DrainOptions): Promise<void> {
  const noticeMs = Math.min(limits.noticeMs ?? 1500, limits.deadlineMs)
  health.setServing(false)
  await wait(noticeMs)
  health.endWatches()
  reflection.endStreams()
  processor.endEvents()
  await new Promise<void>((resolve) => {
    const force = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, limits.deadlineMs - noticeMs)
    server.tryShutdown(() => {
      clearTimeout(force)
      resolve()
    })
  })
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
