# METADATA
# title: Profiles
# description: Where strict and kuadrant differ for the policy, and the settings with their defaults
package mcp.authz.profiles

# METADATA
# description: Whether a literal grant stands on its own (`settings.catalogue`; open by default in profile kuadrant)
open_catalogue if data.mcp.settings.catalogue == "open"

open_catalogue if {
	kuadrant
	not data.mcp.settings.catalogue
}

# METADATA
# description: Whether a grant that holds no colon is a tool
unprefixed_roles if data.mcp.settings.unprefixed_roles == true

# METADATA
# description: Whether Kuadrant's semantics apply
kuadrant if input.context.profile == "kuadrant"

# METADATA
# description: Whether lists of what a claim does not speak of are shown, as `capabilities.enforce` false says
unenforced if {
	kuadrant
	input.context.unenforced == true
}

# METADATA
# description: Whether client-visible URIs carry the server's prefix before their authority
prefixed_uris if input.context.prefixed_uris == true

# METADATA
# description: Whether a virtual server limits items of a type. Kuadrant's limit tools, and prompts where they list any.
limits(_, _) if not kuadrant

limits(_, "tool") if kuadrant

limits(id, "prompt") if {
	kuadrant
	count(data.mcp.virtual_servers[id].prompts) > 0
}
