import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { ReadOptions } from '../../src/mcp/reading.ts'
import { batches, type HeaderFields, kuadrant, rpc, strict, toolCall } from './requests.ts'

/** A request that some reader between client and tool would read in another way than its neighbour. */
export interface SmugglingCase {
  readonly name: string
  readonly body: string | Uint8Array
  readonly headers?: HeaderFields
  readonly options?: ReadOptions
  readonly code: string
  /** The code where tasks are bound to whoever made them, if it is another. */
  readonly boundCode?: string
  /** The length or wholeness of a body, which a proxy settles before it asks anybody. */
  readonly framing?: true
}

const head = '{"jsonrpc":"2.0","id":1,"method":"tools/call"'
const call = (params: string): string => `${head},"params":${params}}`
const utf16 = (text: string): Uint8Array => Buffer.from(text, 'utf16le')
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const as =
  (code: string) =>
  ([name, body, headers, options]: Row): SmugglingCase => ({
    name,
    body,
    headers: headers ?? {},
    options: options ?? strict,
    code,
  })

type Row = readonly [name: string, body: string | Uint8Array, headers?: HeaderFields, options?: ReadOptions]

const twofold: readonly Row[] = [
  ['two names, the last harmless', call('{"name":"secret","name":"forecast"}')],
  ['two names, the first harmless', call('{"name":"forecast","name":"secret"}')],
  ['two equal names', call('{"name":"forecast","name":"forecast"}')],
  ['a second name with an escaped letter', call('{"name":"forecast","n\\u0061me":"secret"}')],
  ['a second name escaped throughout', call('{"name":"forecast","\\u006e\\u0061\\u006D\\u0065":"secret"}')],
  ['a second key with an escaped slash', call('{"name":"forecast","a/b":1,"a\\/b":2}')],
  ['two methods', `{"method":"tools/list",${head.slice(1)},"params":{"name":"secret"}}`],
  ['two params', `${head},"params":{"name":"forecast"},"params":{"name":"secret"}}`],
  ['two ids', `${head},"id":2,"params":{"name":"forecast"}}`],
  ['two versions of JSON-RPC', `${head},"jsonrpc":"2.0","params":{"name":"forecast"}}`],
  ['an argument that stands twice', call('{"name":"forecast","arguments":{"path":"/a","path":"/b"}}')],
  ['an argument that stands twice deep down', call('{"name":"forecast","arguments":{"a":[[{"b":{"c":1,"c":2}}]]}}')],
  ['two __proto__', call('{"name":"forecast","__proto__":{},"__proto__":{"name":"secret"}}')],
  ['two empty keys', call('{"name":"forecast","":1,"":2}')],
  [
    'a second name after many keys',
    call(`{"name":"a",${Array.from({ length: 50 }, (_, at) => `"${at}":0,`).join('')}"name":"b"}`),
  ],
  ['a second method that is escaped', `${head},"m\\u0065thod":"tools/list","params":{"name":"forecast"}}`],
  ['a second id that is escaped', `${head},"\\u0069d":2,"params":{"name":"forecast"}}`],
  ['a second version in _meta', call('{"name":"forecast","_meta":{"a":1,"\\u0061":2}}')],
  ['two refs', rpc('completion/complete').replace('}', ',"params":{"ref":{"type":"ref/prompt","name":"a"},"ref":{}}}')],
]

const otherCase: readonly Row[] = [
  ['Method beside method', `${head},"Method":"tools/list","params":{"name":"forecast"}}`],
  ['METHOD before method', `{"METHOD":"tools/list",${head.slice(1)},"params":{"name":"forecast"}}`],
  ['Params beside params', `${head},"params":{"name":"forecast"},"Params":{"name":"secret"}}`],
  ['params with a long s', `${head},"params":{"name":"forecast"},"param\u017f":{"name":"secret"}}`],
  ['params with an escaped long s', `${head},"params":{"name":"forecast"},"param\\u017f":{"name":"secret"}}`],
  ['ID beside id', `${head},"ID":2,"params":{"name":"forecast"}}`],
  ['Name beside name', call('{"name":"forecast","Name":"secret"}')],
  ['NAME alone', call('{"NAME":"secret"}')],
  ['Arguments beside arguments', call('{"name":"forecast","arguments":{},"Arguments":{"path":"/"}}')],
  ['URI beside uri', rpc('resources/read', { uri: 'a:b', URI: 'a:secret' })],
  ['taskId with a Kelvin sign', call('{"name":"forecast","tas\u212aId":"x"}')],
  ['_META beside _meta', call('{"name":"forecast","_meta":{},"_META":{}}')],
  ['Ref beside ref', rpc('completion/complete', { ref: { type: 'ref/prompt', name: 'a' }, Ref: {} })],
  ['Name in a ref', rpc('completion/complete', { ref: { type: 'ref/prompt', name: 'a', Name: 'b' } })],
  ['Result beside a method', `${head},"Result":{},"params":{"name":"forecast"}}`],
  ['ResourceSubscriptions', rpc('subscriptions/listen', { notifications: { ResourceSubscriptions: ['a:secret'] } })],
  ['JsonRpc beside jsonrpc', `${head},"JsonRpc":"2.0","params":{"name":"forecast"}}`],
  ['TaskIds', rpc('subscriptions/listen', { notifications: { taskIDs: ['t'] } })],
  ['a result beside a method', `${head},"result":{},"params":{"name":"forecast"}}`],
  ['an error beside a method', `${head},"error":null,"params":{"name":"forecast"}}`],
]

const broken: readonly Row[] = [
  ['a second value', `${toolCall}${toolCall}`],
  ['a second value on a line of its own', `${toolCall}\n${toolCall}`],
  ['a closing brace too many', `${toolCall}}`],
  ['a NUL after the value', `${toolCall}\0`],
  ['a NUL before the value', `\0${toolCall}`],
  ['a raw NUL in the name', call('{"name":"fore\0cast"}')],
  ['a raw line end in the name', call('{"name":"fore\ncast"}')],
  ['text that is cut', toolCall.slice(0, -1)],
  ['text that is cut in a string', toolCall.slice(0, 20)],
  ['a comment', `/* */${toolCall}`],
  ['a trailing comma', call('{"name":"forecast",}')],
  ['single quotes', toolCall.replaceAll('"', "'")],
  ['a key without quotes', call('{name:"forecast"}')],
  ['NaN', call('{"name":"forecast","arguments":{"a":NaN}}')],
  ['a number with a leading zero', call('{"name":"forecast","arguments":{"a":01}}')],
  ['a byte-order mark', `\ufeff${toolCall}`],
  ['a byte-order mark at the end', `${toolCall}\ufeff`],
  ['a no-break space around the value', `\u00a0${toolCall}`],
  ['UTF-16', utf16(toolCall)],
  ['UTF-16 with a byte-order mark', utf16(`\ufeff${toolCall}`)],
  ['UTF-32', Uint8Array.from(Array.from(toolCall).flatMap((char) => [char.charCodeAt(0), 0, 0, 0]))],
  ['Latin-1', latin1(call('{"name":"forec\u00e4st"}'))],
  ['an overlong quote', latin1(call('{"name":"a\u00c0\u00a2"}'))],
  ['half of a surrogate pair in the name', call('{"name":"forecast\\ud800"}')],
  ['half of a surrogate pair in a key', call('{"name":"forecast","\\udc00":1}')],
  ['half of a surrogate pair in UTF-8', latin1(call('{"name":"a\u00ed\u00a0\u0080"}'))],
  ['compressed bytes without a word of it', gzipSync(toolCall)],
  ['an event of a stream', `data: ${toolCall}\n\n`],
  ['an event of a stream with a name', `event: message\nid: 1\ndata: ${toolCall}\n\n`],
  ['a comment of a stream', `: hello\n\n${toolCall}`],
  ['a record of a sequence', `\x1e${toolCall}\n`],
  ['two lines of JSON', `${toolCall}\n${rpc('tools/list')}\n`],
  ['a part of several', `--x\r\ncontent-type: application/json\r\n\r\n${toolCall}\r\n--x--\r\n`],
  ['a form without a word of it', `message=${encodeURIComponent(toolCall)}`],
  ['deflated bytes without a word of it', deflateSync(toolCall)],
  ['bytes of Brotli without a word of it', brotliCompressSync(toolCall)],
  ['the length that HTTP chunks carry', `5e\r\n${toolCall}\r\n0\r\n\r\n`],
  ['UTF-7', toolCall.replaceAll('"', '+ACI-')],
  ['more depth than allowed', call(`{"name":"forecast","arguments":${'['.repeat(70)}${']'.repeat(70)}}`)],
  ['depth without end', '['.repeat(60_000)],
  ['depth in keys without end', '{"a":'.repeat(12_000)],
  ['Infinity', call('{"name":"forecast","arguments":{"a":Infinity}}')],
  ['a hexadecimal number', call('{"name":"forecast","arguments":{"a":0x10}}')],
  ['a number with a plus', call('{"name":"forecast","arguments":{"a":+1}}')],
  ['a number that ends in its point', call('{"name":"forecast","arguments":{"a":1.}}')],
  ['a vertical tab between', `{\v${toolCall.slice(1)}`],
  ['a line separator of Unicode between', `{\u2028${toolCall.slice(1)}`],
  ['an escape that JSON has not', call('{"name":"fore\\x63ast"}')],
  ['an escape that is cut', call('{"name":"forecast\\u00"}')],
  ['half of a surrogate pair before a letter', call('{"name":"\\ud800\\u0041"}')],
  ['halves of a surrogate pair in the wrong order', call('{"name":"\\udc00\\ud800"}')],
  ['an overlong NUL', latin1(call('{"name":"a\u00c0\u0080"}'))],
  ['a code point beyond Unicode', latin1(call('{"name":"a\u00f4\u0090\u0080\u0080"}'))],
  ['a byte that UTF-8 has not', latin1(call('{"name":"a\u00ff"}'))],
  ['an id that is an object', toolCall.replace('"id":1', '"id":{"id":1}')],
  ['an id that is an array', toolCall.replace('"id":1', '"id":[1]')],
  ['an id that is true', toolCall.replace('"id":1', '"id":true')],
  ['a method that is null', toolCall.replace('"tools/call"', 'null')],
  ['a method in an array', toolCall.replace('"tools/call"', '["tools/call"]')],
  ['a version of JSON-RPC that is a number', toolCall.replace('"2.0"', '2.0')],
  ['another version of JSON-RPC', toolCall.replace('"2.0"', '"1.0"')],
  ['no version of JSON-RPC', toolCall.replace('"jsonrpc":"2.0",', '')],
  ['params that are null', `${head},"params":null}`],
  ['params that are text', `${head},"params":"{\\"name\\":\\"forecast\\"}"}`],
  ['a call without params', `${head}}`],
  ['a name that is an object', call('{"name":{"toString":"forecast"}}')],
  ['a string of JSON', JSON.stringify(toolCall)],
  ['null', 'null'],
  ['only blanks', ' \n'],
  ['the name in __proto__', call('{"__proto__":{"name":"secret"}}')],
  ['the params in __proto__', `${head},"__proto__":{"params":{"name":"secret"}}}`],
  ['the method in __proto__', '{"jsonrpc":"2.0","id":1,"__proto__":{"method":"tools/list"}}'],
  ['the version in constructor', '{"id":1,"method":"ping","constructor":{"jsonrpc":"2.0"}}'],
  ['a name in an array', call('{"name":["forecast"]}')],
  ['params by position', call('["forecast"]')],
  ['an item method as a notification', toolCall.replace('"id":1,', '')],
  ['an id of null', toolCall.replace('"id":1', '"id":null')],
  ['result and error at once', '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}'],
]

const legacyCall = rpc('tools/call', {
  name: 'forecast',
  _meta: { 'io.modelcontextprotocol/protocolVersion': '2025-03-26' },
})

const batched: readonly Row[] = [
  ['a batch of one', `[${toolCall}]`],
  ['a batch of none', '[]'],
  ['a batch under a version that had them', `[${toolCall}]`, { 'mcp-protocol-version': '2025-03-26' }],
  ['a batch under a version that has none', `[${toolCall}]`, { 'mcp-protocol-version': '2025-06-18' }, batches],
  ['a batch that names no version', `[${toolCall}]`, {}, batches],
  ['a batch of the time before batches', `[${toolCall}]`, { 'mcp-protocol-version': '2024-11-05' }, batches],
  ['a batch of today', `[${toolCall}]`, { 'mcp-protocol-version': '2026-07-28' }, batches],
  ['a batch that names no version but one of its elements does', `[${legacyCall}]`, {}, batches],
  [
    'a batch without end',
    `[${Array.from({ length: 300 }, () => '{"jsonrpc":"2.0","method":"notifications/x"}').join(',')}]`,
    { 'mcp-protocol-version': '2025-03-26' },
    batches,
  ],
  ['a call beside a response', `[{"jsonrpc":"2.0","id":1,"result":{}},${toolCall}]`],
  ['a batch in a batch', `[[${toolCall}]]`, { 'mcp-protocol-version': '2025-03-26' }, batches],
]

const legacy = { 'mcp-protocol-version': '2025-11-25' }
const modernCall = rpc('tools/call', {
  name: 'forecast',
  _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
})

const mismatched: readonly Row[] = [
  ['a harmless Mcp-Method', toolCall, { 'mcp-method': 'tools/list' }],
  ['a harmless Mcp-Name', toolCall, { 'mcp-name': 'alerts' }],
  ['an Mcp-Name in another case', toolCall, { 'mcp-name': 'FORECAST' }],
  ['an encoded Mcp-Name that is harmless', toolCall, { 'mcp-name': '=?base64?YWxlcnRz?=' }],
  ['modern headers beside a legacy version', toolCall, { ...legacy, 'mcp-method': 'tools/list', 'mcp-name': 'alerts' }],
  ['a modern name beside a legacy version', toolCall, { ...legacy, 'mcp-method': 'tools/call', 'mcp-name': 'alerts' }],
  ['an Mcp-Method in another case', toolCall, { 'mcp-method': 'TOOLS/CALL' }],
  ['an Mcp-Method twice', toolCall, { 'mcp-method': ['tools/call', 'tools/call'] }],
  ['an Mcp-Name beside a list', rpc('tools/list'), { 'mcp-name': 'forecast' }],
  ['an Mcp-Name that is empty', toolCall, { 'mcp-name': '' }],
  ['an encoded Mcp-Name of two spellings', toolCall, { 'mcp-name': '=?base64?Zm9yZWNhc3R=?=' }],
  ['an encoded Mcp-Name with a blank', toolCall, { 'mcp-name': '=?base64?Zm9y ZWNhc3Q=?=' }],
  ['an encoded Mcp-Name without an end', toolCall, { 'mcp-name': '=?base64?Zm9yZWNhc3Q=' }],
  ['an encoded Mcp-Name in capitals', toolCall, { 'mcp-name': '=?BASE64?Zm9yZWNhc3Q=?=' }],
  ['an encoded Mcp-Name that is no UTF-8', toolCall, { 'mcp-name': '=?base64?/w==?=' }],
  ['a task in Mcp-Name beside a call', rpc('tools/call', { name: 'a', taskId: 'b' }), { 'mcp-name': 'b' }],
  ['a modern _meta beside a legacy version', modernCall, legacy],
  ['an Mcp-Name twice', toolCall, { 'mcp-name': ['forecast', 'secret'] }],
  ['an Mcp-Session-Id twice', toolCall, { 'mcp-session-id': ['s-1', 's-2'] }],
  ['an Mcp-Name of the arguments', rpc('tools/call', { name: 'a', arguments: { name: 'b' } }), { 'mcp-name': 'b' }],
  [
    'another version in _meta',
    rpc('ping', { _meta: { 'io.modelcontextprotocol/protocolVersion': '2025-06-18' } }),
    { 'mcp-protocol-version': '2026-07-28' },
  ],
  ["a harmless word in the router's place", toolCall, { 'x-mcp-method': 'tools/list' }, kuadrant],
  ["a harmless name in the router's place", toolCall, { 'x-mcp-toolname': 'alerts' }, kuadrant],
  ["a prompt in the router's place", toolCall, { 'x-mcp-promptname': 'forecast' }, kuadrant],
  ['two servers', toolCall, { 'x-mcp-servername': ['mcpBroker', 'ns/a'] }, kuadrant],
]

const misdescribed: readonly Row[] = [
  ['text', toolCall, { 'content-type': 'text/plain' }],
  ['a form', toolCall, { 'content-type': 'application/x-www-form-urlencoded' }],
  ['two types', toolCall, { 'content-type': ['application/json', 'text/plain'] }],
  ['two types in one', toolCall, { 'content-type': 'application/json, text/plain' }],
  ['another charset', utf16(toolCall), { 'content-type': 'application/json; charset=utf-16le' }],
  ['a stream', toolCall, { 'content-type': 'text/event-stream' }],
  ['a sequence', toolCall, { 'content-type': 'application/json-seq' }],
  ['JSON of another kind', toolCall, { 'content-type': 'application/vnd.api+json' }],
  ['a type that only begins so', toolCall, { 'content-type': 'application/jsonp' }],
  ['several parts', toolCall, { 'content-type': 'multipart/mixed; boundary=x' }],
  ['deflated bytes', deflateSync(toolCall), { 'content-encoding': 'deflate' }],
  ['bytes of Brotli', brotliCompressSync(toolCall), { 'content-encoding': 'br' }],
  ['an encoding that was not done', toolCall, { 'content-encoding': 'gzip' }],
  ['two charsets', toolCall, { 'content-type': 'application/json; charset=utf-8; charset=utf-7' }],
  ['compressed bytes', gzipSync(toolCall), { 'content-encoding': 'gzip' }],
  ['bytes compressed twice', gzipSync(gzipSync(toolCall)), { 'content-encoding': 'identity, gzip, gzip' }],
]

const partial: readonly Row[] = [
  [
    'a length that ends before the second value',
    `${toolCall}${toolCall}`,
    { 'content-length': String(toolCall.length) },
  ],
  ['a length that goes on', toolCall, { 'content-length': String(toolCall.length + 1) }],
  ['two lengths', toolCall, { 'content-length': [String(toolCall.length), '0'] }],
  ['a whole value of a body that is not whole', toolCall, { 'x-envoy-auth-partial-body': 'true' }],
]

const forged: readonly Row[] = [
  ['a server', toolCall, { 'x-mcp-servername': 'mcpBroker' }],
  ['a tool', toolCall, { 'x-mcp-toolname': 'forecast' }],
  ['a prompt', toolCall, { 'x-mcp-promptname': 'forecast' }],
  ['a resource', toolCall, { 'x-mcp-resourceuri': 'a:b' }],
  ['a method', toolCall, { 'x-mcp-method': 'tools/call' }],
  ['an address of a server', toolCall, { 'mcp-init-host': 'upstream.test' }],
  ['an address of a server beside initialize', rpc('initialize'), { 'mcp-init-host': 'upstream.test' }],
  ['a method beside initialize', rpc('initialize'), { 'x-mcp-method': 'initialize' }],
]

const unknown: readonly Row[] = [
  ['a method in another case', toolCall.replace('tools/call', 'Tools/Call')],
  ['a method with a blank', toolCall.replace('tools/call', 'tools/call ')],
  ['a method with a NUL', toolCall.replace('tools/call', 'tools/call\\u0000')],
  ['an HTTP method', rpc('GET')],
  ['the word for responses', rpc('response')],
  ['a method every object has', rpc('constructor')],
  ['no notification', rpc('notifications/')],
  ['a method with a slash more', toolCall.replace('tools/call', 'tools//call')],
  ['a method in letters that look alike', toolCall.replace('tools/call', 't\u043eols/call')],
  ['what servers ask of clients: sampling', rpc('sampling/createMessage', { messages: [] })],
  ['what servers ask of clients: elicitation', rpc('elicitation/create', { message: 'm' })],
  ['what servers ask of clients: roots', rpc('roots/list')],
  ['an extension that nobody mapped', rpc('skills/get', { name: 'forecast' })],
]

const ofTasks: readonly Row[] = [
  ['a subscription to tasks', rpc('subscriptions/listen', { notifications: { taskIds: ['t'] } })],
  ['a task of nobody', rpc('tasks/get', { taskId: 't' })],
  ['the result of a task of nobody', rpc('tasks/result', { taskId: 't' }), { 'mcp-name': 't' }],
  ['the end of a task of nobody', rpc('tasks/cancel', { taskId: 't' })],
  ['input for a task of nobody', rpc('tasks/update', { taskId: 't', inputResponses: {} })],
]

const unpublished: readonly Row[] = [
  ['a version of the future', toolCall, { 'mcp-protocol-version': '2027-01-01' }],
  ['a version before the first', toolCall, { 'mcp-protocol-version': '2024-10-07' }],
  ['a version that is empty', toolCall, { 'mcp-protocol-version': '' }],
  ['a version with more after it', toolCall, { 'mcp-protocol-version': '2025-06-18;q=1' }],
  ['a version of the future in _meta', modernCall.replace('2026-07-28', '2027-01-01')],
  ['a version that is a number', modernCall.replace('"2026-07-28"', '20260728')],
]

export const smugglingCases: readonly SmugglingCase[] = [
  ...twofold.map(as('body_ambiguous')),
  ...otherCase.map(as('body_ambiguous')),
  ...broken.map(as('body_malformed')),
  ...batched.map(as('batch_refused')),
  ...mismatched.map(as('header_mismatch')),
  ...misdescribed.map(as('content_type')),
  ...partial.map(as('body_partial')).map((row): SmugglingCase => ({ ...row, framing: true })),
  ...forged.map(as('header_forbidden')),
  ...unknown.map(as('method_unknown')),
  ...ofTasks.map(as('method_unknown')).map((row) => ({ ...row, boundCode: 'item_unknown' })),
  ...unpublished.map(as('version_unsupported')),
  { name: 'nothing', body: '', code: 'body_missing' },
  { name: 'nothing, of a length', body: '', headers: { 'content-length': '94' }, code: 'body_missing', framing: true },
  { name: 'blanks over the limit', body: `${toolCall}${' '.repeat(65_536)}`, code: 'body_too_large' },
]

const harmless: readonly Row[] = [
  ['a plain call', toolCall],
  ['a name escaped throughout', call('{"\\u006eame":"\\u0066orecast"}')],
  ['blanks around everything', ` \t\r\n${toolCall.replaceAll(/[{}:,]/g, ' $& ')} \n`],
  ['an id beyond every number', toolCall.replace('"id":1', '"id":1e999')],
  ['an id that doubles cannot hold', toolCall.replace('"id":1', '"id":9007199254740993')],
  ['a number of 4,000 digits', call(`{"name":"forecast","arguments":{"a":${'9'.repeat(4000)}}}`)],
  ['arguments in two cases', call('{"name":"forecast","arguments":{"Path":"/a","path":"/b"}}')],
  ['arguments in __proto__', call('{"name":"forecast","arguments":{"__proto__":{"name":"secret"}}}')],
  ['depth as far as allowed', call(`{"name":"forecast","arguments":{"a":${'['.repeat(59)}${']'.repeat(59)}}}`)],
  ['a pair of surrogates in the arguments', call('{"name":"forecast","arguments":{"a":"\\ud83d\\ude00"}}')],
  ['a retry with the input that was required', call('{"name":"forecast","inputResponses":{},"requestState":"s"}')],
  ['an encoded name in the header', toolCall, { 'mcp-method': 'tools/call', 'mcp-name': '=?base64?Zm9yZWNhc3Q=?=' }],
  ['modern headers that agree beside a legacy version', toolCall, { ...legacy, 'mcp-name': 'forecast' }],
]

/** Odd calls of `forecast` that every reader reads in the same way. */
export const harmlessCases: readonly Omit<SmugglingCase, 'code'>[] = harmless.map(([name, body, headers = {}]) => ({
  name,
  body,
  headers,
}))

/** A catalogue that holds what the cases name, so that one which is not refused reaches the tool. */
export const smugglingData = {
  servers: {
    s: {
      tools: ['forecast', 'alerts', 'secret', 'a', 'b'],
      prompts: ['a', 'b', 'forecast'],
      resources: ['a:b', 'a:secret'],
    },
  },
  roles: { everything: { s: ['tool:*', 'prompt:*', 'resource:*', 'template:*'] } },
}
