/** The bytes of a request's body, and whether they are all of it. */
export interface Body {
  readonly bytes: Uint8Array
  /** False: the body is longer than the limit, and the rest of it was not read. */
  readonly whole: boolean
}

/**
 * Reads a body once, and no further than the first chunk beyond the limit.
 * @throws {TypeError} for a body that was read before or does not give bytes
 * @throws what the stream fails with
 */
export async function readBody({ body, bodyUsed }: Request, maxBytes: number): Promise<Body> {
  if (bodyUsed) throw new TypeError('the body of the request was read before it came to the guard')
  if (body === null) return { bytes: new Uint8Array(0), whole: true }
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  while (length <= maxBytes) {
    const { done, value } = await reader.read()
    if (done) return { bytes: Buffer.concat(chunks), whole: true }
    if (!(value instanceof Uint8Array)) throw new TypeError('the body of the request is not a stream of bytes')
    chunks.push(value)
    length += value.byteLength
  }
  // The rest is left to whoever serves the request: to cancel it would end the connection that the answer goes by.
  reader.releaseLock()
  return { bytes: Buffer.concat(chunks), whole: false }
}
