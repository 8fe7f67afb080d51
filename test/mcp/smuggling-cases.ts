import { gzipSync } from 'node:zlib'
import type { ReadOptions } from '../../src/mcp/reading.ts'
import { batches, type HeaderFields, kuadrant, rpc, strict, toolCall } from './requests.ts'

/** A request that some reader between client and tool would read in another way than its neighbour. */
export interface SmugglingCase {
  readonly name: string
  readonly body: string | Uint8Array
  readonly headers?: HeaderFields
  readonly options?: ReadOptions
  readonly code: string
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
  ['the length that HTTP chunks carry', `5e\r\n${toolCall}\r\n0\r\n\r\n`],
  ['UTF-7', toolCall.replaceAll('"', '+ACI-')],
  ['more depth than allowed', call(`{"name":"forecast","arguments":${'['.repeat(70)}${']'.repeat(70)}}`)],
  ['depth without end', '['.repeat(60_000)],
  ['depth in keys without end', '{"a":'.repeat(12_000)],
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

const batched: readonly Row[] = [
  ['a batch of one', `[${toolCall}]`],
  ['a batch of none', '[]'],
  ['a batch under a version that had them', `[${toolCall}]`, { 'mcp-protocol-version': '2025-03-26' }],
  ['a batch under a version that has none', `[${toolCall}]`, { 'mcp-protocol-version': '2025-06-18' }, batches],
  ['a batch that names no version', `[${toolCall}]`, {}, batches],
  ['a batch in a batch', `[[${toolCall}]]`, { 'mcp-protocol-version': '2025-03-26' }, batches],
]

const mismatched: readonly Row[] = [
  ['a harmless Mcp-Method', toolCall, { 'mcp-method': 'tools/list' }],
  ['a harmless Mcp-Name', toolCall, { 'mcp-name': 'alerts' }],
  ['an Mcp-Name in another case', toolCall, { 'mcp-name': 'FORECAST' }],
  ['an encoded Mcp-Name that is harmless', toolCall, { 'mcp-name': '=?base64?YWxlcnRz?=' }],
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
  ['a subscription to tasks', rpc('subscriptions/listen', { notifications: { taskIds: ['t'] } })],
]

export const smugglingCases: readonly SmugglingCase[] = [
  ...twofold.map(as('body_ambiguous')),
  ...otherCase.map(as('body_ambiguous')),
  ...broken.map(as('body_malformed')),
  ...batched.map(as('batch_refused')),
  ...mismatched.map(as('header_mismatch')),
  ...misdescribed.map(as('content_type')),
  ...partial.map(as('body_partial')),
  ...forged.map(as('header_forbidden')),
  ...unknown.map(as('method_unknown')),
  { name: 'nothing', body: '', code: 'body_missing' },
  { name: 'nothing, of a length', body: '', headers: { 'content-length': '94' }, code: 'body_missing' },
  { name: 'blanks over the limit', body: `${toolCall}${' '.repeat(65_536)}`, code: 'body_too_large' },
  {
    name: 'an unknown version',
    body: toolCall,
    headers: { 'mcp-protocol-version': '2027-01-01' },
    code: 'version_unsupported',
  },
]
