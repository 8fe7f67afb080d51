# METADATA
# title: Catalogue
# description: What `data.mcp.servers` lists. Everything that does not depend on the request is in `computed`.
package mcp.authz.catalogue

import data.mcp.authz.templates

# METADATA
# description: The list of a server, and the key of a capability map, that holds items of a type
lists := {"tool": "tools", "prompt": "prompts", "resource": "resources", "template": "templates"}

# METADATA
# description: The index, as the host put it back or, without one, computed on the spot
tables := data.mcp_index

tables := computed if not data.mcp_index

# METADATA
# description: The index of the catalogue, from the data alone
computed := {
	"enabled": sort(_enabled),
	"listed": _listed,
	"prefixes": _prefixes,
	"prefix_lengths": array.reverse(sort({count(start) | some start, _ in _prefixes})),
	"unprefixed": {type: _listing(type) | some type in ["tool", "prompt"]},
	"uris": {type: _listing(type) | some type in ["resource", "template"]},
	"templates": _templates,
	"annotations": _annotations,
}

# METADATA
# description: Whether the catalogue has the server, enabled or not
known(server) if data.mcp.servers[server]

# METADATA
# description: Whether the server is switched off
disabled(server) if data.mcp.servers[server].state == "Disabled"

# METADATA
# description: Whether the server lists the item
listed(server, type, name) if tables.listed[server][type][name]

# METADATA
# description: What the catalogue says of the item's behaviour, each time that it lists it; never what its server says
annotations(server, type, name) := tables.annotations[server][type][name]

annotations(server, type, name) := [{}] if not tables.annotations[server][type][name]

# METADATA
# description: |
#   Whether the item was seen with a definition that the catalogue does not approve; the host puts what it saw beside the
#   data, as `data.mcp_changed`
changed(server, type, name) if data.mcp_changed[server][type][name]

# METADATA
# description: Prefix of a server's names as clients see them
prefix(server) := object.get(data.mcp.servers[server], "prefix", "")

_enabled contains server if {
	some server, _ in data.mcp.servers
	not disabled(server)
}

_listed[server][type] := found if {
	some server, entry in data.mcp.servers
	some type, list in lists
	found := {_name(item): true | some item in entry[list]}
}

_name(item) := item if is_string(item)

_name(item) := item.name if is_object(item)

_annotations[server][type][item.name] contains item.annotations if {
	some server, entry in data.mcp.servers
	some type, list in lists
	some item in entry[list]
	item.annotations
}

# Listed once more without any, it is also an item of which nothing is said.
_annotations[server][type][name] contains {} if {
	some server, entry in data.mcp.servers
	some type, list in lists
	annotated := {item.name | some item in entry[list]; item.annotations}
	count(annotated) > 0
	some item in entry[list]
	not item.annotations
	name := _name(item)
	name in annotated
}

_prefixes[start] := server if {
	some server in _enabled
	start := prefix(server)
	start != ""
}

_listing(type) := {name: sort(servers) | some name, servers in _listing_servers[type]}

_listing_servers[type][name] contains server if {
	some server in _enabled
	some type, names in _listed[server]
	_without_prefix(server, type)
	some name, _ in names
}

_without_prefix(_, type) if type in {"resource", "template"}

_without_prefix(server, type) if {
	type in {"tool", "prompt"}
	prefix(server) == ""
}

_templates[server][text] := templates.compiled(text) if {
	some server, types in _listed
	some text, _ in types.template
}
