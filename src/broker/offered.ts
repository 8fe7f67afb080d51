import type { DefinedType } from '../mcp/definition.ts'
import type { Offer } from './upstream.ts'

/** A definition as its server lists it, and the name it has there. */
export interface Definition {
  readonly name: string
  readonly definition: Readonly<Record<string, unknown>>
}

/** What a server offers of one type. */
export function definitionsIn(offer: Offer, type: DefinedType): readonly Definition[] {
  switch (type) {
    case 'tool':
      return offer.tools.map((tool) => ({ name: tool.name, definition: { ...tool } }))
    case 'prompt':
      return offer.prompts.map((prompt) => ({ name: prompt.name, definition: { ...prompt } }))
    case 'resource':
      return offer.resources.map((resource) => ({ name: resource.uri, definition: { ...resource } }))
    case 'template':
      return offer.templates.map((template) => ({ name: template.uriTemplate, definition: { ...template } }))
    default:
      return type satisfies never
  }
}
