import protobuf from 'protobufjs'

// What Envoy 1.40 fills in, with `encode_raw_headers` and `pack_as_bytes`; more than the service reads.
const { root } = protobuf.parse(
  `syntax = "proto3";
package envoy.service.auth.v3;
message SocketAddress { string address = 2; uint32 port_value = 3; }
message Address { SocketAddress socket_address = 1; }
message Peer { Address address = 1; }
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message HeaderValue { string key = 1; bytes raw_value = 3; }
message HeaderMap { repeated HeaderValue headers = 1; }
message HttpRequest {
  string id = 1; string method = 2; string path = 4; string host = 5; string scheme = 6;
  int64 size = 9; string protocol = 10; bytes raw_body = 12; HeaderMap header_map = 13;
}
message Request { Timestamp time = 1; HttpRequest http = 2; }
message Struct {}
message AttributeContext { Peer source = 1; Peer destination = 2; Request request = 4; Struct metadata_context = 11; }
message CheckRequest { AttributeContext attributes = 1; }`,
  { keepCase: true },
)
const checkRequest = root.lookupType('envoy.service.auth.v3.CheckRequest')

/** The bytes of a CheckRequest for a JSON-RPC POST, as Envoy sends it. */
export function encodeEnvoyCheck(token: string, body: string): Buffer {
  const rawBody = Buffer.from(body)
  const headers = Object.entries(headersFor(token, rawBody.length))
  const fields = {
    attributes: {
      source: { address: { socket_address: { address: '127.0.0.1', port_value: 52_814 } } },
      destination: { address: { socket_address: { address: '127.0.0.1', port_value: 8080 } } },
      request: {
        time: { seconds: 1_800_000_000, nanos: 123_456_000 },
        http: {
          id: '9241571902394867104',
          method: 'POST',
          path: '/mcp',
          host: 'mcp.example.com',
          scheme: 'http',
          size: rawBody.length,
          protocol: 'HTTP/1.1',
          raw_body: rawBody,
          header_map: { headers: headers.map(([key, value]) => ({ key, raw_value: Buffer.from(value) })) },
        },
      },
      metadata_context: {},
    },
  }
  const problem = checkRequest.verify(fields)
  if (problem !== null) throw new TypeError(problem)
  return Buffer.from(checkRequest.encode(checkRequest.fromObject(fields)).finish())
}

function headersFor(token: string, contentLength: number): Readonly<Record<string, string>> {
  return {
    ':authority': 'mcp.example.com',
    ':path': '/mcp',
    ':method': 'POST',
    ':scheme': 'http',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
    'mcp-protocol-version': '2025-06-18',
    'mcp-session-id': '6c2b0d0e-53f0-4a4e-8e5e-1b7d8a3f4c19',
    'user-agent': 'node',
    'content-length': String(contentLength),
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-proto': 'http',
    'x-request-id': '0b0a7d5c-9f5a-4d43-a2a4-6a7b1f3c2d10',
    'x-envoy-auth-partial-body': 'false',
  }
}
