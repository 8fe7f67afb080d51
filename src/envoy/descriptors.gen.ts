// Generated from src/envoy/proto by `npm run generate`; do not edit.

/** The .proto files of this server: name, imports, fully qualified symbols, FileDescriptorProto in base64. */
export const fileDescriptors: readonly {
  readonly name: string
  readonly imports: readonly string[]
  readonly symbols: readonly string[]
  readonly base64: string
}[] = [
  {
    "name": "envoy/config/core/v3/address.proto",
    "imports": [],
    "symbols": [
      "envoy.config.core.v3.SocketAddress",
      "envoy.config.core.v3.Address"
    ],
    "base64": "CiJlbnZveS9jb25maWcvY29yZS92My9hZGRyZXNzLnByb3RvEhRlbnZveS5jb25maWcuY29yZS52MyIgCg1Tb2NrZXRBZGRyZXNzEg8KB2FkZHJlc3MYAiABKAkiUwoHQWRkcmVzcxI9Cg5zb2NrZXRfYWRkcmVzcxgBIAEoCzIjLmVudm95LmNvbmZpZy5jb3JlLnYzLlNvY2tldEFkZHJlc3NIAEIJCgdhZGRyZXNzYgZwcm90bzM="
  },
  {
    "name": "envoy/config/core/v3/base.proto",
    "imports": [
      "google/protobuf/struct.proto",
      "google/protobuf/wrappers.proto"
    ],
    "symbols": [
      "envoy.config.core.v3.HeaderValue",
      "envoy.config.core.v3.HeaderValueOption",
      "envoy.config.core.v3.HeaderValueOption.HeaderAppendAction",
      "envoy.config.core.v3.HeaderMap",
      "envoy.config.core.v3.Metadata"
    ],
    "base64": "Ch9lbnZveS9jb25maWcvY29yZS92My9iYXNlLnByb3RvEhRlbnZveS5jb25maWcuY29yZS52MxocZ29vZ2xlL3Byb3RvYnVmL3N0cnVjdC5wcm90bxoeZ29vZ2xlL3Byb3RvYnVmL3dyYXBwZXJzLnByb3RvIjwKC0hlYWRlclZhbHVlEgsKA2tleRgBIAEoCRINCgV2YWx1ZRgCIAEoCRIRCglyYXdfdmFsdWUYAyABKAwixAIKEUhlYWRlclZhbHVlT3B0aW9uEjEKBmhlYWRlchgBIAEoCzIhLmVudm95LmNvbmZpZy5jb3JlLnYzLkhlYWRlclZhbHVlEioKBmFwcGVuZBgCIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5Cb29sVmFsdWUSUQoNYXBwZW5kX2FjdGlvbhgDIAEoDjI6LmVudm95LmNvbmZpZy5jb3JlLnYzLkhlYWRlclZhbHVlT3B0aW9uLkhlYWRlckFwcGVuZEFjdGlvbiJ9ChJIZWFkZXJBcHBlbmRBY3Rpb24SGwoXQVBQRU5EX0lGX0VYSVNUU19PUl9BREQQABIRCg1BRERfSUZfQUJTRU5UEAESHgoaT1ZFUldSSVRFX0lGX0VYSVNUU19PUl9BREQQAhIXChNPVkVSV1JJVEVfSUZfRVhJU1RTEAMiPwoJSGVhZGVyTWFwEjIKB2hlYWRlcnMYASADKAsyIS5lbnZveS5jb25maWcuY29yZS52My5IZWFkZXJWYWx1ZSKnAQoITWV0YWRhdGESSwoPZmlsdGVyX21ldGFkYXRhGAEgAygLMjIuZW52b3kuY29uZmlnLmNvcmUudjMuTWV0YWRhdGEuRmlsdGVyTWV0YWRhdGFFbnRyeRpOChNGaWx0ZXJNZXRhZGF0YUVudHJ5EgsKA2tleRgBIAEoCRImCgV2YWx1ZRgCIAEoCzIXLmdvb2dsZS5wcm90b2J1Zi5TdHJ1Y3Q6AjgBYgZwcm90bzM="
  },
  {
    "name": "envoy/extensions/filters/http/ext_proc/v3/processing_mode.proto",
    "imports": [],
    "symbols": [
      "envoy.extensions.filters.http.ext_proc.v3.ProcessingMode",
      "envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode",
      "envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.HeaderSendMode"
    ],
    "base64": "Cj9lbnZveS9leHRlbnNpb25zL2ZpbHRlcnMvaHR0cC9leHRfcHJvYy92My9wcm9jZXNzaW5nX21vZGUucHJvdG8SKWVudm95LmV4dGVuc2lvbnMuZmlsdGVycy5odHRwLmV4dF9wcm9jLnYzIpAGCg5Qcm9jZXNzaW5nTW9kZRJlChNyZXF1ZXN0X2hlYWRlcl9tb2RlGAEgASgOMkguZW52b3kuZXh0ZW5zaW9ucy5maWx0ZXJzLmh0dHAuZXh0X3Byb2MudjMuUHJvY2Vzc2luZ01vZGUuSGVhZGVyU2VuZE1vZGUSZgoUcmVzcG9uc2VfaGVhZGVyX21vZGUYAiABKA4ySC5lbnZveS5leHRlbnNpb25zLmZpbHRlcnMuaHR0cC5leHRfcHJvYy52My5Qcm9jZXNzaW5nTW9kZS5IZWFkZXJTZW5kTW9kZRJhChFyZXF1ZXN0X2JvZHlfbW9kZRgDIAEoDjJGLmVudm95LmV4dGVuc2lvbnMuZmlsdGVycy5odHRwLmV4dF9wcm9jLnYzLlByb2Nlc3NpbmdNb2RlLkJvZHlTZW5kTW9kZRJiChJyZXNwb25zZV9ib2R5X21vZGUYBCABKA4yRi5lbnZveS5leHRlbnNpb25zLmZpbHRlcnMuaHR0cC5leHRfcHJvYy52My5Qcm9jZXNzaW5nTW9kZS5Cb2R5U2VuZE1vZGUSZgoUcmVxdWVzdF90cmFpbGVyX21vZGUYBSABKA4ySC5lbnZveS5leHRlbnNpb25zLmZpbHRlcnMuaHR0cC5leHRfcHJvYy52My5Qcm9jZXNzaW5nTW9kZS5IZWFkZXJTZW5kTW9kZRJnChVyZXNwb25zZV90cmFpbGVyX21vZGUYBiABKA4ySC5lbnZveS5leHRlbnNpb25zLmZpbHRlcnMuaHR0cC5leHRfcHJvYy52My5Qcm9jZXNzaW5nTW9kZS5IZWFkZXJTZW5kTW9kZSJkCgxCb2R5U2VuZE1vZGUSCAoETk9ORRAAEgwKCFNUUkVBTUVEEAESDAoIQlVGRkVSRUQQAhIUChBCVUZGRVJFRF9QQVJUSUFMEAMSGAoURlVMTF9EVVBMRVhfU1RSRUFNRUQQBCIxCg5IZWFkZXJTZW5kTW9kZRILCgdERUZBVUxUEAASCAoEU0VORBABEggKBFNLSVAQAmIGcHJvdG8z"
  },
  {
    "name": "envoy/service/auth/v3/attribute_context.proto",
    "imports": [
      "envoy/config/core/v3/address.proto",
      "envoy/config/core/v3/base.proto"
    ],
    "symbols": [
      "envoy.service.auth.v3.AttributeContext",
      "envoy.service.auth.v3.AttributeContext.Peer",
      "envoy.service.auth.v3.AttributeContext.Request",
      "envoy.service.auth.v3.AttributeContext.HttpRequest"
    ],
    "base64": "Ci1lbnZveS9zZXJ2aWNlL2F1dGgvdjMvYXR0cmlidXRlX2NvbnRleHQucHJvdG8SFWVudm95LnNlcnZpY2UuYXV0aC52MxoiZW52b3kvY29uZmlnL2NvcmUvdjMvYWRkcmVzcy5wcm90bxofZW52b3kvY29uZmlnL2NvcmUvdjMvYmFzZS5wcm90byK5BQoQQXR0cmlidXRlQ29udGV4dBI8CgZzb3VyY2UYASABKAsyLC5lbnZveS5zZXJ2aWNlLmF1dGgudjMuQXR0cmlidXRlQ29udGV4dC5QZWVyEkAKB3JlcXVlc3QYBCABKAsyLy5lbnZveS5zZXJ2aWNlLmF1dGgudjMuQXR0cmlidXRlQ29udGV4dC5SZXF1ZXN0EloKEmNvbnRleHRfZXh0ZW5zaW9ucxgKIAMoCzI+LmVudm95LnNlcnZpY2UuYXV0aC52My5BdHRyaWJ1dGVDb250ZXh0LkNvbnRleHRFeHRlbnNpb25zRW50cnkaSQoEUGVlchIuCgdhZGRyZXNzGAEgASgLMh0uZW52b3kuY29uZmlnLmNvcmUudjMuQWRkcmVzcxIRCglwcmluY2lwYWwYBCABKAkaTAoHUmVxdWVzdBJBCgRodHRwGAIgASgLMjMuZW52b3kuc2VydmljZS5hdXRoLnYzLkF0dHJpYnV0ZUNvbnRleHQuSHR0cFJlcXVlc3Qa9QEKC0h0dHBSZXF1ZXN0Eg4KBm1ldGhvZBgCIAEoCRJRCgdoZWFkZXJzGAMgAygLMkAuZW52b3kuc2VydmljZS5hdXRoLnYzLkF0dHJpYnV0ZUNvbnRleHQuSHR0cFJlcXVlc3QuSGVhZGVyc0VudHJ5EgwKBGJvZHkYCyABKAkSEAoIcmF3X2JvZHkYDCABKAwSMwoKaGVhZGVyX21hcBgNIAEoCzIfLmVudm95LmNvbmZpZy5jb3JlLnYzLkhlYWRlck1hcBouCgxIZWFkZXJzRW50cnkSCwoDa2V5GAEgASgJEg0KBXZhbHVlGAIgASgJOgI4ARo4ChZDb250ZXh0RXh0ZW5zaW9uc0VudHJ5EgsKA2tleRgBIAEoCRINCgV2YWx1ZRgCIAEoCToCOAFiBnByb3RvMw=="
  },
  {
    "name": "envoy/service/auth/v3/external_auth.proto",
    "imports": [
      "envoy/config/core/v3/base.proto",
      "envoy/service/auth/v3/attribute_context.proto",
      "envoy/type/v3/http_status.proto",
      "google/protobuf/struct.proto",
      "google/rpc/status.proto"
    ],
    "symbols": [
      "envoy.service.auth.v3.Authorization",
      "envoy.service.auth.v3.Authorization.Check",
      "envoy.service.auth.v3.CheckRequest",
      "envoy.service.auth.v3.DeniedHttpResponse",
      "envoy.service.auth.v3.OkHttpResponse",
      "envoy.service.auth.v3.CheckResponse"
    ],
    "base64": "CillbnZveS9zZXJ2aWNlL2F1dGgvdjMvZXh0ZXJuYWxfYXV0aC5wcm90bxIVZW52b3kuc2VydmljZS5hdXRoLnYzGh9lbnZveS9jb25maWcvY29yZS92My9iYXNlLnByb3RvGi1lbnZveS9zZXJ2aWNlL2F1dGgvdjMvYXR0cmlidXRlX2NvbnRleHQucHJvdG8aH2Vudm95L3R5cGUvdjMvaHR0cF9zdGF0dXMucHJvdG8aHGdvb2dsZS9wcm90b2J1Zi9zdHJ1Y3QucHJvdG8aF2dvb2dsZS9ycGMvc3RhdHVzLnByb3RvIksKDENoZWNrUmVxdWVzdBI7CgphdHRyaWJ1dGVzGAEgASgLMicuZW52b3kuc2VydmljZS5hdXRoLnYzLkF0dHJpYnV0ZUNvbnRleHQihwEKEkRlbmllZEh0dHBSZXNwb25zZRIpCgZzdGF0dXMYASABKAsyGS5lbnZveS50eXBlLnYzLkh0dHBTdGF0dXMSOAoHaGVhZGVycxgCIAMoCzInLmVudm95LmNvbmZpZy5jb3JlLnYzLkhlYWRlclZhbHVlT3B0aW9uEgwKBGJvZHkYAyABKAkiZQoOT2tIdHRwUmVzcG9uc2USOAoHaGVhZGVycxgCIAMoCzInLmVudm95LmNvbmZpZy5jb3JlLnYzLkhlYWRlclZhbHVlT3B0aW9uEhkKEWhlYWRlcnNfdG9fcmVtb3ZlGAUgAygJIvsBCg1DaGVja1Jlc3BvbnNlEiIKBnN0YXR1cxgBIAEoCzISLmdvb2dsZS5ycGMuU3RhdHVzEkQKD2RlbmllZF9yZXNwb25zZRgCIAEoCzIpLmVudm95LnNlcnZpY2UuYXV0aC52My5EZW5pZWRIdHRwUmVzcG9uc2VIABI8Cgtva19yZXNwb25zZRgDIAEoCzIlLmVudm95LnNlcnZpY2UuYXV0aC52My5Pa0h0dHBSZXNwb25zZUgAEjEKEGR5bmFtaWNfbWV0YWRhdGEYBCABKAsyFy5nb29nbGUucHJvdG9idWYuU3RydWN0Qg8KDWh0dHBfcmVzcG9uc2UyYwoNQXV0aG9yaXphdGlvbhJSCgVDaGVjaxIjLmVudm95LnNlcnZpY2UuYXV0aC52My5DaGVja1JlcXVlc3QaJC5lbnZveS5zZXJ2aWNlLmF1dGgudjMuQ2hlY2tSZXNwb25zZWIGcHJvdG8z"
  },
  {
    "name": "envoy/service/ext_proc/v3/external_processor.proto",
    "imports": [
      "envoy/config/core/v3/base.proto",
      "envoy/extensions/filters/http/ext_proc/v3/processing_mode.proto",
      "envoy/type/v3/http_status.proto"
    ],
    "symbols": [
      "envoy.service.ext_proc.v3.ExternalProcessor",
      "envoy.service.ext_proc.v3.ExternalProcessor.Process",
      "envoy.service.ext_proc.v3.ProcessingRequest",
      "envoy.service.ext_proc.v3.HttpHeaders",
      "envoy.service.ext_proc.v3.HttpBody",
      "envoy.service.ext_proc.v3.HttpTrailers",
      "envoy.service.ext_proc.v3.ProcessingResponse",
      "envoy.service.ext_proc.v3.HeadersResponse",
      "envoy.service.ext_proc.v3.BodyResponse",
      "envoy.service.ext_proc.v3.TrailersResponse",
      "envoy.service.ext_proc.v3.CommonResponse",
      "envoy.service.ext_proc.v3.HeaderMutation",
      "envoy.service.ext_proc.v3.BodyMutation",
      "envoy.service.ext_proc.v3.ImmediateResponse"
    ],
    "base64": "CjJlbnZveS9zZXJ2aWNlL2V4dF9wcm9jL3YzL2V4dGVybmFsX3Byb2Nlc3Nvci5wcm90bxIZZW52b3kuc2VydmljZS5leHRfcHJvYy52MxofZW52b3kvY29uZmlnL2NvcmUvdjMvYmFzZS5wcm90bxo/ZW52b3kvZXh0ZW5zaW9ucy9maWx0ZXJzL2h0dHAvZXh0X3Byb2MvdjMvcHJvY2Vzc2luZ19tb2RlLnByb3RvGh9lbnZveS90eXBlL3YzL2h0dHBfc3RhdHVzLnByb3RvIoEEChFQcm9jZXNzaW5nUmVxdWVzdBJBCg9yZXF1ZXN0X2hlYWRlcnMYAiABKAsyJi5lbnZveS5zZXJ2aWNlLmV4dF9wcm9jLnYzLkh0dHBIZWFkZXJzSAASQgoQcmVzcG9uc2VfaGVhZGVycxgDIAEoCzImLmVudm95LnNlcnZpY2UuZXh0X3Byb2MudjMuSHR0cEhlYWRlcnNIABI7CgxyZXF1ZXN0X2JvZHkYBCABKAsyIy5lbnZveS5zZXJ2aWNlLmV4dF9wcm9jLnYzLkh0dHBCb2R5SAASPAoNcmVzcG9uc2VfYm9keRgFIAEoCzIjLmVudm95LnNlcnZpY2UuZXh0X3Byb2MudjMuSHR0cEJvZHlIABJDChByZXF1ZXN0X3RyYWlsZXJzGAYgASgLMicuZW52b3kuc2VydmljZS5leHRfcHJvYy52My5IdHRwVHJhaWxlcnNIABJEChFyZXNwb25zZV90cmFpbGVycxgHIAEoCzInLmVudm95LnNlcnZpY2UuZXh0X3Byb2MudjMuSHR0cFRyYWlsZXJzSAASOAoQbWV0YWRhdGFfY29udGV4dBgIIAEoCzIeLmVudm95LmNvbmZpZy5jb3JlLnYzLk1ldGFkYXRhEhoKEm9ic2VydmFiaWxpdHlfbW9kZRgKIAEoCEIJCgdyZXF1ZXN0IlYKC0h0dHBIZWFkZXJzEjAKB2hlYWRlcnMYASABKAsyHy5lbnZveS5jb25maWcuY29yZS52My5IZWFkZXJNYXASFQoNZW5kX29mX3N0cmVhbRgDIAEoCCIvCghIdHRwQm9keRIMCgRib2R5GAEgASgMEhUKDWVuZF9vZl9zdHJlYW0YAiABKAgiQQoMSHR0cFRyYWlsZXJzEjEKCHRyYWlsZXJzGAEgASgLMh8uZW52b3kuY29uZmlnLmNvcmUudjMuSGVhZGVyTWFwIuMEChJQcm9jZXNzaW5nUmVzcG9uc2USRQoPcmVxdWVzdF9oZWFkZXJzGAEgASgLMiouZW52b3kuc2VydmljZS5leHRfcHJvYy52My5IZWFkZXJzUmVzcG9uc2VIABJGChByZXNwb25zZV9oZWFkZXJzGAIgASgLMiouZW52b3kuc2VydmljZS5leHRfcHJvYy52My5IZWFkZXJzUmVzcG9uc2VIABI/CgxyZXF1ZXN0X2JvZHkYAyABKAsyJy5lbnZveS5zZXJ2aWNlLmV4dF9wcm9jLnYzLkJvZHlSZXNwb25zZUgAEkAKDXJlc3BvbnNlX2JvZHkYBCABKAsyJy5lbnZveS5zZXJ2aWNlLmV4dF9wcm9jLnYzLkJvZHlSZXNwb25zZUgAEkcKEHJlcXVlc3RfdHJhaWxlcnMYBSABKAsyKy5lbnZveS5zZXJ2aWNlLmV4dF9wcm9jLnYzLlRyYWlsZXJzUmVzcG9uc2VIABJIChFyZXNwb25zZV90cmFpbGVycxgGIAEoCzIrLmVudm95LnNlcnZpY2UuZXh0X3Byb2MudjMuVHJhaWxlcnNSZXNwb25zZUgAEkoKEmltbWVkaWF0ZV9yZXNwb25zZRgHIAEoCzIsLmVudm95LnNlcnZpY2UuZXh0X3Byb2MudjMuSW1tZWRpYXRlUmVzcG9uc2VIABJQCg1tb2RlX292ZXJyaWRlGAkgASgLMjkuZW52b3kuZXh0ZW5zaW9ucy5maWx0ZXJzLmh0dHAuZXh0X3Byb2MudjMuUHJvY2Vzc2luZ01vZGVCCgoIcmVzcG9uc2UiTgoPSGVhZGVyc1Jlc3BvbnNlEjsKCHJlc3BvbnNlGAEgASgLMikuZW52b3kuc2VydmljZS5leHRfcHJvYy52My5Db21tb25SZXNwb25zZSJLCgxCb2R5UmVzcG9uc2USOwoIcmVzcG9uc2UYASABKAsyKS5lbnZveS5zZXJ2aWNlLmV4dF9wcm9jLnYzLkNvbW1vblJlc3BvbnNlIlYKEFRyYWlsZXJzUmVzcG9uc2USQgoPaGVhZGVyX211dGF0aW9uGAEgASgLMikuZW52b3kuc2VydmljZS5leHRfcHJvYy52My5IZWFkZXJNdXRhdGlvbiKUAQoOQ29tbW9uUmVzcG9uc2USQgoPaGVhZGVyX211dGF0aW9uGAIgASgLMikuZW52b3kuc2VydmljZS5leHRfcHJvYy52My5IZWFkZXJNdXRhdGlvbhI+Cg1ib2R5X211dGF0aW9uGAMgASgLMicuZW52b3kuc2VydmljZS5leHRfcHJvYy52My5Cb2R5TXV0YXRpb24iZgoOSGVhZGVyTXV0YXRpb24SPAoLc2V0X2hlYWRlcnMYASADKAsyJy5lbnZveS5jb25maWcuY29yZS52My5IZWFkZXJWYWx1ZU9wdGlvbhIWCg5yZW1vdmVfaGVhZGVycxgCIAMoCSJACgxCb2R5TXV0YXRpb24SDgoEYm9keRgBIAEoDEgAEhQKCmNsZWFyX2JvZHkYAiABKAhIAEIKCghtdXRhdGlvbiKZAQoRSW1tZWRpYXRlUmVzcG9uc2USKQoGc3RhdHVzGAEgASgLMhkuZW52b3kudHlwZS52My5IdHRwU3RhdHVzEjoKB2hlYWRlcnMYAiABKAsyKS5lbnZveS5zZXJ2aWNlLmV4dF9wcm9jLnYzLkhlYWRlck11dGF0aW9uEgwKBGJvZHkYAyABKAwSDwoHZGV0YWlscxgFIAEoCTJ/ChFFeHRlcm5hbFByb2Nlc3NvchJqCgdQcm9jZXNzEiwuZW52b3kuc2VydmljZS5leHRfcHJvYy52My5Qcm9jZXNzaW5nUmVxdWVzdBotLmVudm95LnNlcnZpY2UuZXh0X3Byb2MudjMuUHJvY2Vzc2luZ1Jlc3BvbnNlKAEwAWIGcHJvdG8z"
  },
  {
    "name": "envoy/type/v3/http_status.proto",
    "imports": [],
    "symbols": [
      "envoy.type.v3.HttpStatus"
    ],
    "base64": "Ch9lbnZveS90eXBlL3YzL2h0dHBfc3RhdHVzLnByb3RvEg1lbnZveS50eXBlLnYzIhoKCkh0dHBTdGF0dXMSDAoEY29kZRgBIAEoBWIGcHJvdG8z"
  },
  {
    "name": "google/protobuf/struct.proto",
    "imports": [],
    "symbols": [
      "google.protobuf.Struct",
      "google.protobuf.Value",
      "google.protobuf.NullValue",
      "google.protobuf.ListValue"
    ],
    "base64": "Chxnb29nbGUvcHJvdG9idWYvc3RydWN0LnByb3RvEg9nb29nbGUucHJvdG9idWYihAEKBlN0cnVjdBIzCgZmaWVsZHMYASADKAsyIy5nb29nbGUucHJvdG9idWYuU3RydWN0LkZpZWxkc0VudHJ5GkUKC0ZpZWxkc0VudHJ5EgsKA2tleRgBIAEoCRIlCgV2YWx1ZRgCIAEoCzIWLmdvb2dsZS5wcm90b2J1Zi5WYWx1ZToCOAEi6gEKBVZhbHVlEjAKCm51bGxfdmFsdWUYASABKA4yGi5nb29nbGUucHJvdG9idWYuTnVsbFZhbHVlSAASFgoMbnVtYmVyX3ZhbHVlGAIgASgBSAASFgoMc3RyaW5nX3ZhbHVlGAMgASgJSAASFAoKYm9vbF92YWx1ZRgEIAEoCEgAEi8KDHN0cnVjdF92YWx1ZRgFIAEoCzIXLmdvb2dsZS5wcm90b2J1Zi5TdHJ1Y3RIABIwCgpsaXN0X3ZhbHVlGAYgASgLMhouZ29vZ2xlLnByb3RvYnVmLkxpc3RWYWx1ZUgAQgYKBGtpbmQiMwoJTGlzdFZhbHVlEiYKBnZhbHVlcxgBIAMoCzIWLmdvb2dsZS5wcm90b2J1Zi5WYWx1ZSobCglOdWxsVmFsdWUSDgoKTlVMTF9WQUxVRRAAYgZwcm90bzM="
  },
  {
    "name": "google/protobuf/wrappers.proto",
    "imports": [],
    "symbols": [
      "google.protobuf.BoolValue"
    ],
    "base64": "Ch5nb29nbGUvcHJvdG9idWYvd3JhcHBlcnMucHJvdG8SD2dvb2dsZS5wcm90b2J1ZiIaCglCb29sVmFsdWUSDQoFdmFsdWUYASABKAhiBnByb3RvMw=="
  },
  {
    "name": "google/rpc/status.proto",
    "imports": [],
    "symbols": [
      "google.rpc.Status"
    ],
    "base64": "Chdnb29nbGUvcnBjL3N0YXR1cy5wcm90bxIKZ29vZ2xlLnJwYyInCgZTdGF0dXMSDAoEY29kZRgBIAEoBRIPCgdtZXNzYWdlGAIgASgJYgZwcm90bzM="
  },
  {
    "name": "grpc/health/v1/health.proto",
    "imports": [],
    "symbols": [
      "grpc.health.v1.Health",
      "grpc.health.v1.Health.Check",
      "grpc.health.v1.Health.Watch",
      "grpc.health.v1.HealthCheckRequest",
      "grpc.health.v1.HealthCheckResponse",
      "grpc.health.v1.HealthCheckResponse.ServingStatus"
    ],
    "base64": "ChtncnBjL2hlYWx0aC92MS9oZWFsdGgucHJvdG8SDmdycGMuaGVhbHRoLnYxIiUKEkhlYWx0aENoZWNrUmVxdWVzdBIPCgdzZXJ2aWNlGAEgASgJIqkBChNIZWFsdGhDaGVja1Jlc3BvbnNlEkEKBnN0YXR1cxgBIAEoDjIxLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVzcG9uc2UuU2VydmluZ1N0YXR1cyJPCg1TZXJ2aW5nU3RhdHVzEgsKB1VOS05PV04QABILCgdTRVJWSU5HEAESDwoLTk9UX1NFUlZJTkcQAhITCg9TRVJWSUNFX1VOS05PV04QAzKuAQoGSGVhbHRoElAKBUNoZWNrEiIuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXF1ZXN0GiMuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXNwb25zZRJSCgVXYXRjaBIiLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVxdWVzdBojLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVzcG9uc2UwAWIGcHJvdG8z"
  },
  {
    "name": "grpc/reflection/v1/reflection.proto",
    "imports": [],
    "symbols": [
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1.ServerReflection.ServerReflectionInfo",
      "grpc.reflection.v1.ServerReflectionRequest",
      "grpc.reflection.v1.ExtensionRequest",
      "grpc.reflection.v1.ServerReflectionResponse",
      "grpc.reflection.v1.FileDescriptorResponse",
      "grpc.reflection.v1.ExtensionNumberResponse",
      "grpc.reflection.v1.ListServiceResponse",
      "grpc.reflection.v1.ServiceResponse",
      "grpc.reflection.v1.ErrorResponse"
    ],
    "base64": "CiNncnBjL3JlZmxlY3Rpb24vdjEvcmVmbGVjdGlvbi5wcm90bxISZ3JwYy5yZWZsZWN0aW9uLnYxIoUCChdTZXJ2ZXJSZWZsZWN0aW9uUmVxdWVzdBIMCgRob3N0GAEgASgJEhoKEGZpbGVfYnlfZmlsZW5hbWUYAyABKAlIABIgChZmaWxlX2NvbnRhaW5pbmdfc3ltYm9sGAQgASgJSAASSQoZZmlsZV9jb250YWluaW5nX2V4dGVuc2lvbhgFIAEoCzIkLmdycGMucmVmbGVjdGlvbi52MS5FeHRlbnNpb25SZXF1ZXN0SAASJwodYWxsX2V4dGVuc2lvbl9udW1iZXJzX29mX3R5cGUYBiABKAlIABIXCg1saXN0X3NlcnZpY2VzGAcgASgJSABCEQoPbWVzc2FnZV9yZXF1ZXN0IkUKEEV4dGVuc2lvblJlcXVlc3QSFwoPY29udGFpbmluZ190eXBlGAEgASgJEhgKEGV4dGVuc2lvbl9udW1iZXIYAiABKAUiuAMKGFNlcnZlclJlZmxlY3Rpb25SZXNwb25zZRISCgp2YWxpZF9ob3N0GAEgASgJEkUKEG9yaWdpbmFsX3JlcXVlc3QYAiABKAsyKy5ncnBjLnJlZmxlY3Rpb24udjEuU2VydmVyUmVmbGVjdGlvblJlcXVlc3QSTgoYZmlsZV9kZXNjcmlwdG9yX3Jlc3BvbnNlGAQgASgLMiouZ3JwYy5yZWZsZWN0aW9uLnYxLkZpbGVEZXNjcmlwdG9yUmVzcG9uc2VIABJVCh5hbGxfZXh0ZW5zaW9uX251bWJlcnNfcmVzcG9uc2UYBSABKAsyKy5ncnBjLnJlZmxlY3Rpb24udjEuRXh0ZW5zaW9uTnVtYmVyUmVzcG9uc2VIABJJChZsaXN0X3NlcnZpY2VzX3Jlc3BvbnNlGAYgASgLMicuZ3JwYy5yZWZsZWN0aW9uLnYxLkxpc3RTZXJ2aWNlUmVzcG9uc2VIABI7Cg5lcnJvcl9yZXNwb25zZRgHIAEoCzIhLmdycGMucmVmbGVjdGlvbi52MS5FcnJvclJlc3BvbnNlSABCEgoQbWVzc2FnZV9yZXNwb25zZSI3ChZGaWxlRGVzY3JpcHRvclJlc3BvbnNlEh0KFWZpbGVfZGVzY3JpcHRvcl9wcm90bxgBIAMoDCJLChdFeHRlbnNpb25OdW1iZXJSZXNwb25zZRIWCg5iYXNlX3R5cGVfbmFtZRgBIAEoCRIYChBleHRlbnNpb25fbnVtYmVyGAIgAygFIksKE0xpc3RTZXJ2aWNlUmVzcG9uc2USNAoHc2VydmljZRgBIAMoCzIjLmdycGMucmVmbGVjdGlvbi52MS5TZXJ2aWNlUmVzcG9uc2UiHwoPU2VydmljZVJlc3BvbnNlEgwKBG5hbWUYASABKAkiOgoNRXJyb3JSZXNwb25zZRISCgplcnJvcl9jb2RlGAEgASgFEhUKDWVycm9yX21lc3NhZ2UYAiABKAkyiQEKEFNlcnZlclJlZmxlY3Rpb24SdQoUU2VydmVyUmVmbGVjdGlvbkluZm8SKy5ncnBjLnJlZmxlY3Rpb24udjEuU2VydmVyUmVmbGVjdGlvblJlcXVlc3QaLC5ncnBjLnJlZmxlY3Rpb24udjEuU2VydmVyUmVmbGVjdGlvblJlc3BvbnNlKAEwAWIGcHJvdG8z"
  },
  {
    "name": "grpc/reflection/v1alpha/reflection.proto",
    "imports": [],
    "symbols": [
      "grpc.reflection.v1alpha.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfo",
      "grpc.reflection.v1alpha.ServerReflectionRequest",
      "grpc.reflection.v1alpha.ExtensionRequest",
      "grpc.reflection.v1alpha.ServerReflectionResponse",
      "grpc.reflection.v1alpha.FileDescriptorResponse",
      "grpc.reflection.v1alpha.ExtensionNumberResponse",
      "grpc.reflection.v1alpha.ListServiceResponse",
      "grpc.reflection.v1alpha.ServiceResponse",
      "grpc.reflection.v1alpha.ErrorResponse"
    ],
    "base64": "CihncnBjL3JlZmxlY3Rpb24vdjFhbHBoYS9yZWZsZWN0aW9uLnByb3RvEhdncnBjLnJlZmxlY3Rpb24udjFhbHBoYSKKAgoXU2VydmVyUmVmbGVjdGlvblJlcXVlc3QSDAoEaG9zdBgBIAEoCRIaChBmaWxlX2J5X2ZpbGVuYW1lGAMgASgJSAASIAoWZmlsZV9jb250YWluaW5nX3N5bWJvbBgEIAEoCUgAEk4KGWZpbGVfY29udGFpbmluZ19leHRlbnNpb24YBSABKAsyKS5ncnBjLnJlZmxlY3Rpb24udjFhbHBoYS5FeHRlbnNpb25SZXF1ZXN0SAASJwodYWxsX2V4dGVuc2lvbl9udW1iZXJzX29mX3R5cGUYBiABKAlIABIXCg1saXN0X3NlcnZpY2VzGAcgASgJSABCEQoPbWVzc2FnZV9yZXF1ZXN0IkUKEEV4dGVuc2lvblJlcXVlc3QSFwoPY29udGFpbmluZ190eXBlGAEgASgJEhgKEGV4dGVuc2lvbl9udW1iZXIYAiABKAUi0QMKGFNlcnZlclJlZmxlY3Rpb25SZXNwb25zZRISCgp2YWxpZF9ob3N0GAEgASgJEkoKEG9yaWdpbmFsX3JlcXVlc3QYAiABKAsyMC5ncnBjLnJlZmxlY3Rpb24udjFhbHBoYS5TZXJ2ZXJSZWZsZWN0aW9uUmVxdWVzdBJTChhmaWxlX2Rlc2NyaXB0b3JfcmVzcG9uc2UYBCABKAsyLy5ncnBjLnJlZmxlY3Rpb24udjFhbHBoYS5GaWxlRGVzY3JpcHRvclJlc3BvbnNlSAASWgoeYWxsX2V4dGVuc2lvbl9udW1iZXJzX3Jlc3BvbnNlGAUgASgLMjAuZ3JwYy5yZWZsZWN0aW9uLnYxYWxwaGEuRXh0ZW5zaW9uTnVtYmVyUmVzcG9uc2VIABJOChZsaXN0X3NlcnZpY2VzX3Jlc3BvbnNlGAYgASgLMiwuZ3JwYy5yZWZsZWN0aW9uLnYxYWxwaGEuTGlzdFNlcnZpY2VSZXNwb25zZUgAEkAKDmVycm9yX3Jlc3BvbnNlGAcgASgLMiYuZ3JwYy5yZWZsZWN0aW9uLnYxYWxwaGEuRXJyb3JSZXNwb25zZUgAQhIKEG1lc3NhZ2VfcmVzcG9uc2UiNwoWRmlsZURlc2NyaXB0b3JSZXNwb25zZRIdChVmaWxlX2Rlc2NyaXB0b3JfcHJvdG8YASADKAwiSwoXRXh0ZW5zaW9uTnVtYmVyUmVzcG9uc2USFgoOYmFzZV90eXBlX25hbWUYASABKAkSGAoQZXh0ZW5zaW9uX251bWJlchgCIAMoBSJQChNMaXN0U2VydmljZVJlc3BvbnNlEjkKB3NlcnZpY2UYASADKAsyKC5ncnBjLnJlZmxlY3Rpb24udjFhbHBoYS5TZXJ2aWNlUmVzcG9uc2UiHwoPU2VydmljZVJlc3BvbnNlEgwKBG5hbWUYASABKAkiOgoNRXJyb3JSZXNwb25zZRISCgplcnJvcl9jb2RlGAEgASgFEhUKDWVycm9yX21lc3NhZ2UYAiABKAkykwEKEFNlcnZlclJlZmxlY3Rpb24SfwoUU2VydmVyUmVmbGVjdGlvbkluZm8SMC5ncnBjLnJlZmxlY3Rpb24udjFhbHBoYS5TZXJ2ZXJSZWZsZWN0aW9uUmVxdWVzdBoxLmdycGMucmVmbGVjdGlvbi52MWFscGhhLlNlcnZlclJlZmxlY3Rpb25SZXNwb25zZSgBMAFiBnByb3RvMw=="
  }
]
