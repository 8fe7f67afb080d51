# METADATA
# title: Patterns
# description: What `type:name` and `type:na*` by server mean, in a role and in the limits of a credential
package mcp.authz.patterns

import data.mcp.authz.catalogue

# METADATA
# description: |
#   The keys under which patterns of a server stand. `*` is every server of the catalogue, never a server whose id is
#   `*` alone.
keys(server) := {server, "*"} if catalogue.known(server)

keys(server) := {server} if {
	not catalogue.known(server)
	server != "*"
}

# METADATA
# description: |
#   Whether a pattern that ends in `*` matches the item `type:name`. A pattern without a colon has no type and matches
#   nothing.
begins(pattern, item) if {
	endswith(pattern, "*")
	contains(pattern, ":")
	startswith(item, trim_suffix(pattern, "*"))
}
