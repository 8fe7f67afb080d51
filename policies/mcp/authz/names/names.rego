# METADATA
# title: Names
# description: How clients see an item, and which item a client's name means
package mcp.authz.names

import data.mcp.authz.catalogue
import data.mcp.authz.profiles
import data.mcp.authz.templates

# METADATA
# description: The client-visible name; undefined for a server that is not in the catalogue
visible(server, type, name) := concat("", [catalogue.prefix(server), name]) if {
	type in {"tool", "prompt"}
	catalogue.known(server)
}

visible(server, type, uri) := _visible_uri(server, uri) if {
	type in {"resource", "template"}
	catalogue.known(server)
}

# METADATA
# description: The items a client-visible name may mean; one is the answer, several are ambiguous, none is unknown
owners(type, name) := [{"server": server, "name": substring(name, length, -1)}] if {
	type in {"tool", "prompt"}
	length := _prefix_length(name)
	server := catalogue.tables.prefixes[substring(name, 0, length)]
}

owners(type, name) := [{"server": server, "name": name} | some server in catalogue.tables.unprefixed[type][name]] if {
	type in {"tool", "prompt"}
	not _prefix_length(name)
}

owners("template", text) := _listing("template", text)

owners("resource", uri) := listing if {
	listing := _listing("resource", uri)
	count(listing) > 0
} else := [{"server": server, "name": name} |
	some server in catalogue.tables.enabled
	name := _upstream_uri(server, uri)
	count(_covering(server, name)) > 0
]

# METADATA
# description: Whether the name leads to other servers only, so that this item cannot be called as it would be listed
shadowed(server, type, name) if {
	found := owners(type, visible(server, type, name))
	count(found) > 0
	every owner in found {
		owner.server != server
	}
}

# METADATA
# description: Whether the name is the text of a listed template, of the known server or of any enabled one
is_template_text(name) if catalogue.listed(input.resource.server, "template", name)

is_template_text(name) if {
	not input.resource.server
	count(_listing("template", name)) > 0
}

_prefix_length(name) := [length |
	some length in catalogue.tables.prefix_lengths
	length <= count(name)
	catalogue.tables.prefixes[substring(name, 0, length)]
][0]

_listing(type, uri) := [{"server": server, "name": uri} | some server in catalogue.tables.uris[type][uri]] if {
	not profiles.prefixed_uris
}

_listing(type, uri) := [{"server": server, "name": name} |
	some name in _readings(uri)
	some server in catalogue.tables.uris[type][name]
	_visible_uri(server, name) == uri
] if {
	profiles.prefixed_uris
}

# What a client's URI may be upstream: itself, or without a prefix before its authority.
_readings(uri) := {uri} | {name |
	at := _authority_at(uri)
	some length in catalogue.tables.prefix_lengths
	catalogue.tables.prefixes[substring(uri, at, length)]
	name := concat("", [substring(uri, 0, at), substring(uri, at + length, -1)])
}

_covering(server, uri) := [text |
	some text, template in catalogue.tables.templates[server]
	templates.covers(template, uri)
]

_visible_uri(_, uri) := uri if not profiles.prefixed_uris

_visible_uri(_, uri) := uri if {
	profiles.prefixed_uris
	not _authority_at(uri)
}

_visible_uri(server, uri) := concat("", [substring(uri, 0, at), catalogue.prefix(server), substring(uri, at, -1)]) if {
	profiles.prefixed_uris
	at := _authority_at(uri)
}

_upstream_uri(_, uri) := uri if not profiles.prefixed_uris

_upstream_uri(_, uri) := uri if {
	profiles.prefixed_uris
	not _authority_at(uri)
}

_upstream_uri(server, uri) := concat("", [substring(uri, 0, at), trim_prefix(authority, prefix)]) if {
	profiles.prefixed_uris
	at := _authority_at(uri)
	authority := substring(uri, at, -1)
	prefix := catalogue.prefix(server)
	startswith(authority, prefix)
}

# Elsewhere than behind the scheme `://` begins no authority.
_authority_at(uri) := count(regex.find_all_string_submatch_n(`^[A-Za-z][A-Za-z0-9+.-]*://`, uri, 1)[0][0])
