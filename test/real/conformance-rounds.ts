import { randomBytes } from 'node:crypto'
import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { textOf } from './conformance-content.ts'

/** State that only this process can have minted. */
export const stateCodec = createRequestStateCodec({ key: randomBytes(32) })

/** Registers the tools and the prompt that ask back (SEP-2322). */
export function registerRounds(server: McpServer): void {
  for (const [name, rounds] of Object.entries(tools)) {
    const asks = async (ctx: ServerContext) => await answer(rounds, ctx)
    server.registerTool(name, { description: name }, asks)
  }
  server.registerTool('test_input_required_result_capabilities', { description: 'asks what is supported' }, (ctx) => {
    const envelope: Readonly<Record<string, unknown>> = { ...ctx.mcpReq.envelope }
    const declared = Object(envelope[CLIENT_CAPABILITIES_META_KEY]) as object
    const inputRequests: InputRequests = {
      ...('sampling' in declared ? { sample: sample('Generate a greeting', 50) } : {}),
      ...('elicitation' in declared ? { user_name: elicit('What is your name?', 'name') } : {}),
    }
    return Object.keys(inputRequests).length === 0 ? done('nothing to ask') : inputRequired({ inputRequests })
  })
  server.registerTool('test_streaming_elicitation', { description: 'asks on its stream' }, (ctx) =>
    ctx.mcpReq.inputResponses === undefined ? inputRequired({ inputRequests: nameRequest }) : done('streamed'),
  )
  server.registerTool('test_missing_capability', { description: 'needs sampling' }, (ctx) =>
    ctx.mcpReq.inputResponses === undefined
      ? inputRequired({ inputRequests: { sample: sample('Say something', 10) } })
      : done('sampled'),
  )
  server.registerPrompt('test_input_required_result_prompt', { description: 'asks for its context' }, (ctx) => {
    const given = acceptedContent(ctx.mcpReq.inputResponses, 'user_context')
    const question = elicit('What context should the prompt use?', 'context')
    if (given === undefined) return inputRequired({ inputRequests: { user_context: question } })
    return { messages: [{ role: 'user', content: textOf(`Context: ${String(given['context'])}`) }] }
  })
}

/** One question after the other; `keeps`: the rounds behind are kept in sealed state. */
interface Rounds {
  readonly asks: readonly InputRequests[]
  readonly keeps: boolean
  readonly says: string
}

function elicit(message: string, key: string, type: 'string' | 'boolean' = 'string'): InputRequests[string] {
  const properties = type === 'string' ? { [key]: { type } } : { [key]: { type } }
  return inputRequired.elicit({ message, requestedSchema: { type: 'object', properties, required: [key] } })
}

function sample(text: string, maxTokens: number): InputRequests[string] {
  return inputRequired.createMessage({ messages: [{ role: 'user', content: textOf(text) }], maxTokens })
}

const nameRequest: InputRequests = { user_name: elicit('What is your name?', 'name') }
const rootsRequest: InputRequests = { client_roots: inputRequired.listRoots() }
const confirmRequest: InputRequests = { confirm: elicit('Please confirm', 'ok', 'boolean') }

const tools: Readonly<Record<string, Rounds>> = {
  test_input_required_result_elicitation: { asks: [nameRequest], keeps: false, says: 'Hello' },
  test_input_required_result_sampling: {
    asks: [{ capital_question: sample('What is the capital of France?', 100) }],
    keeps: false,
    says: 'The model said',
  },
  test_input_required_result_list_roots: { asks: [rootsRequest], keeps: false, says: 'The roots are' },
  test_input_required_result_request_state: { asks: [confirmRequest], keeps: true, says: 'state-ok' },
  test_input_required_result_tampered_state: { asks: [confirmRequest], keeps: true, says: 'state-ok' },
  test_input_required_result_multiple_inputs: {
    asks: [{ ...nameRequest, greeting: sample('Generate a greeting', 50), ...rootsRequest }],
    keeps: true,
    says: 'All came',
  },
  test_input_required_result_multi_round: {
    asks: [
      { step1: elicit('Step 1: What is your name?', 'name') },
      { step2: elicit('Step 2: What is your favorite color?', 'color') },
    ],
    keeps: true,
    says: 'Both came',
  },
}

async function answer(
  { asks, keeps, says }: Rounds,
  { mcpReq }: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const state = mcpReq.requestState<{ readonly round: number }>()
  const round = state?.round ?? 0
  const asked = asks[round] ?? {}
  const responses = mcpReq.inputResponses
  const isAnswered =
    (!keeps || state !== undefined) &&
    Object.keys(asked).every((key) => inputResponse(responses, key).kind !== 'missing')
  const next = isAnswered ? round + 1 : round
  const inputRequests = asks[next]
  if (inputRequests === undefined) return done(`${says}: ${JSON.stringify(responses)}`)
  return inputRequired({ inputRequests, ...(keeps ? { requestState: await stateCodec.mint({ round: next }) } : {}) })
}

function done(text: string): CallToolResult {
  return { content: [textOf(text)] }
}
