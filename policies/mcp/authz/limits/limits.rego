# METADATA
# title: Limits of a credential
# description: |
#   What an API key is cut down to, whatever its roles grant. An absent limit is none; an empty one leaves nothing. They
#   bind for items of every type, in every profile.
package mcp.authz.limits

import data.mcp.authz.catalogue
import data.mcp.authz.names
import data.mcp.authz.patterns

# METADATA
# description: Whether the credential's limits leave the item
admits(_, _, _) if not input.subject.limits

admits(server, type, name) if {
	input.subject.limits
	_held(server, type, name)
	_listed(server, type, name)
}

_held(_, _, _) if not input.subject.limits.virtual_servers

_held(server, type, name) if {
	visible := names.visible(server, type, name)
	_visible[type][visible]
}

_listed(_, _, _) if not input.subject.limits.capabilities

_listed(server, type, name) if {
	item := concat(":", [type, name])
	some key in patterns.keys(server)
	some pattern in input.subject.limits.capabilities[key]
	_matches(pattern, item, server, type, name)
}

_matches(pattern, item, _, _, _) if pattern == item

_matches(pattern, item, server, type, name) if {
	patterns.begins(pattern, item)
	catalogue.listed(server, type, name)
}

# Client-visible names in any of the virtual servers; an id that nothing has adds none.
_visible[type] contains name if {
	some type, list in catalogue.lists
	some id in input.subject.limits.virtual_servers
	some name in data.mcp.virtual_servers[id][list]
}
