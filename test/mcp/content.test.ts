import { describe } from 'vitest'
import { type Case, tested } from './cases.ts'
import { toolCall } from './requests.ts'

describe('content type and encoding', () => {
  const type = (value: string | readonly string[], expected = 'content_type'): Case => [
    toolCall,
    { 'content-type': value },
    expected,
  ]
  tested([
    ...[
      'application/json',
      'APPLICATION/Json',
      ' application/json\t',
      'application/json;charset=utf-8',
      'application/json ; Charset="UTF-8"',
      'application/json; charset="u\\tf-8"',
      'application/json; profile=x; charset=utf-8; q="a;b\\"c"',
      'application/json; ; charset=utf-8 ;',
    ].map((value) => type(value, 'read')),
    ...[
      '',
      'text/plain',
      'application/jsonx',
      'application/json-rpc',
      'application/json/x',
      'application/vnd.api+json',
      'text/event-stream',
      'multipart/form-data; boundary=application/json',
      'application/json, application/json',
      'application/json,text/plain',
      'application/json; charset',
      'application/json; charset=',
      'application/json; charset = utf-8',
      'application/json; charset=utf-16',
      'application/json; charset=utf8',
      'application/json; charset=latin1',
      'application/json; charset=utf-8; charset=utf-8',
      'application/json; charset=utf-8; charset=utf-16',
      'application/json; charset="utf-8',
      'application/json; charset=utf-8 x',
      'application/json charset=utf-8',
      'application/json; a="b"c',
      'application/json\u00a0',
      `application/json${' '.repeat(50_000)}x`,
    ].map((value) => type(value)),
    type([]),
    type(['application/json', 'application/json']),
    [toolCall, { 'content-encoding': 'identity' }, 'read'],
    [toolCall, { 'content-encoding': ' Identity ' }, 'read'],
    [toolCall, { 'content-encoding': '' }, 'content_type'],
    [toolCall, { 'content-encoding': 'gzip' }, 'content_type'],
    [toolCall, { 'content-encoding': 'identity, gzip' }, 'content_type'],
    [toolCall, { 'content-encoding': ['identity', 'identity'] }, 'content_type'],
  ])
})

describe('the wholeness of a body', () => {
  tested([
    [toolCall, { 'content-length': String(toolCall.length) }, 'read'],
    [toolCall, { 'content-length': ` 0${toolCall.length}\t` }, 'read'],
    ...[
      '',
      '0',
      `${toolCall.length + 1}`,
      `${toolCall.length}.0`,
      `+${toolCall.length}`,
      '1e2',
      '0x60',
      '9'.repeat(400),
    ].map((length): Case => [toolCall, { 'content-length': length }, 'body_partial']),
    [toolCall, { 'content-length': [String(toolCall.length), String(toolCall.length)] }, 'body_partial'],
    [toolCall, { 'x-envoy-auth-partial-body': 'false' }, 'read'],
    ...['true', 'False', '', '0', 'false,false'].map(
      (partial): Case => [toolCall, { 'x-envoy-auth-partial-body': partial }, 'body_partial'],
    ),
    [toolCall, { 'x-envoy-auth-partial-body': ['false', 'false'] }, 'body_partial'],
  ])
})
