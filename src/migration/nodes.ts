import { isScalar, type YAMLMap } from 'yaml'

/** A node as the parser placed it. */
interface Placed {
  readonly range?: readonly [number, number, number] | null | undefined
}

/** Offset of a node's first letter. */
export function startOf(node: Placed): number {
  return node.range?.[0] ?? 0
}

/** Offset after a node's last letter. */
export function endOf(node: Placed): number {
  return node.range?.[1] ?? 0
}

/** The string under a key of a map. */
export function stringAt(map: YAMLMap, key: string): string | undefined {
  const value = map.get(key, true)
  return isScalar(value) && typeof value.value === 'string' ? value.value : undefined
}
