# METADATA
# title: Existence
# description: Which items there are, for this subject
package mcp.authz.existence

import data.mcp.authz.catalogue
import data.mcp.authz.grants
import data.mcp.authz.names
import data.mcp.authz.profiles
import data.mcp.authz.templates

# METADATA
# description: |
#   Whether there is such an item: listed, or granted by name in an open catalogue; never on a disabled server, with a
#   definition that is not approved, or where its client-visible name leads elsewhere
exists(server, type, name) if {
	not catalogue.disabled(server)
	not catalogue.changed(server, type, name)
	_present(server, type, name)
	not names.shadowed(server, type, name)
}

# METADATA
# description: Names of a server that may exist, a superset
candidates(server, type) := {name | some name, _ in catalogue.tables.listed[server][type]} | _named(server, type)

# METADATA
# description: |
#   What grants an item: the item itself and, for a URI that its server does not list, every template that covers it
routes(server, type, name) := array.concat([{"type": type, "name": name}], covering) if {
	covering := [{"type": "template", "name": text} |
		type == "resource"
		not catalogue.listed(server, "resource", name)
		some text in sort(candidates(server, "template"))
		templates.covers(_template(server, text), name)
	]
}

# METADATA
# description: Servers that may have items, a superset
servers contains server if some server, _ in data.mcp.servers

servers contains server if {
	profiles.open_catalogue
	some server in grants.servers
}

_template(server, text) := catalogue.tables.templates[server][text]

_template(server, text) := templates.compiled(text) if not catalogue.tables.templates[server][text]

_present(server, type, name) if catalogue.listed(server, type, name)

_present(server, type, name) if {
	profiles.open_catalogue
	grants.named(server, type, name)
}

_named(server, type) := {name | profiles.open_catalogue; some name in grants.names(server, type)}
