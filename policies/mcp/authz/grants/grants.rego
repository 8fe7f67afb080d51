# METADATA
# title: Grants
# description: What a subject may use, from its token's literal grants, its roles, or a capability claim
package mcp.authz.grants

import data.mcp.authz.catalogue
import data.mcp.authz.patterns
import data.mcp.authz.profiles

# METADATA
# description: |
#   The roles in force, of those that are defined: the credential's and its groups', less what was withdrawn since,
#   whichever of the two still says it
roles := {role |
	some role in _held
	not role in _withdrawn
	data.mcp.roles[role]
}

# METADATA
# description: Whether the subject holds a grant for the item, by name or by pattern
granted(server, type, name) if named(server, type, name)

granted(server, type, name) if {
	catalogue.listed(server, type, name)
	item := concat(":", [type, name])
	some role in roles
	some key in patterns.keys(server)
	some pattern in data.mcp.roles[role][key]
	patterns.begins(pattern, item)
}

# METADATA
# description: Whether a grant names the very item
named(server, type, name) if {
	_literal(name)
	concat(":", [type, name]) in input.subject.grants[server]
}

named(server, "tool", name) if {
	profiles.unprefixed_roles
	_literal(name)
	not contains(name, ":")
	name in input.subject.grants[server]
}

named(server, type, name) if {
	_literal(name)
	item := concat(":", [type, name])
	some role in roles
	some key in patterns.keys(server)
	item in data.mcp.roles[role][key]
}

named(server, type, name) if {
	not _by_authority(type)
	name in input.subject.capabilities[catalogue.lists[type]][server]
}

named(server, "resource", uri) if {
	_by_authority("resource")
	authority(uri) in input.subject.capabilities.resources[server]
}

# METADATA
# description: |
#   Whether the credential says nothing of a type, and profile kuadrant is told to let lists of it pass then. It bears
#   on lists alone; a call needs a grant.
unclaimed(type) if {
	profiles.unenforced
	not input.subject.limits
	input.subject.capabilities
	not input.subject.capabilities[catalogue.lists[type]]
}

# METADATA
# description: Names that grants may name on a server, a superset
names(server, type) := ({name |
	some value in array.concat(object.get(input.subject.grants, server, []), _patterns(server))
	startswith(value, concat("", [type, ":"]))
	name := trim_prefix(value, concat("", [type, ":"]))
} | {name |
	some name in input.subject.grants[server]
	type == "tool"
	profiles.unprefixed_roles
}) | {name |
	some name in input.subject.capabilities[catalogue.lists[type]][server]
}

# METADATA
# description: Servers that grants may name, a superset
servers contains server if some server, _ in input.subject.grants

servers contains server if {
	some role in roles
	some server, _ in data.mcp.roles[role]
}

servers contains server if {
	some by_server in input.subject.capabilities
	some server, _ in by_server
}

# METADATA
# description: The authority of a URI (RFC 3986, section 3.2), with its port; undefined without a non-empty one
authority(uri) := regex.find_all_string_submatch_n(`^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)`, uri, 1)[0][1]

# No wildcard in a token; an empty name names nothing.
_literal(name) if {
	name != ""
	not endswith(name, "*")
}

# Kuadrant's claim names resources by their authorities.
_by_authority("resource") if profiles.kuadrant

_held contains role if some role in input.subject.roles

_held contains role if {
	some group in input.subject.groups
	some role in data.mcp.groups[group]
}

_withdrawn := {role | some role in input.subject.withdrawn_roles}

_patterns(server) := [pattern |
	some role in roles
	some key in patterns.keys(server)
	some pattern in data.mcp.roles[role][key]
]
