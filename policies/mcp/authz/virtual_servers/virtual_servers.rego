# METADATA
# title: Virtual servers
# description: Selections of client-visible names. Where several are named, all of them bind; they only take away.
package mcp.authz.virtual_servers

import data.mcp.authz.catalogue
import data.mcp.authz.names
import data.mcp.authz.profiles

# METADATA
# description: Whether something was named that is no virtual server
unknown if {
	some id in input.context.virtual_servers
	not data.mcp.virtual_servers[id]
}

# METADATA
# description: Whether every virtual server that was named holds the item
admits(server, type, name) if {
	every id in input.context.virtual_servers {
		_holds(id, server, type, name)
	}
}

# METADATA
# description: Whether every virtual server that was named holds the client-visible name, whatever item it means
admits_name(type, name) if {
	every id in input.context.virtual_servers {
		_holds_name(id, type, name)
	}
}

_holds_name(id, type, _) if {
	data.mcp.virtual_servers[id]
	not profiles.limits(id, type)
}

_holds_name(id, type, name) if name in data.mcp.virtual_servers[id][catalogue.lists[type]]

_holds(id, _, type, _) if {
	data.mcp.virtual_servers[id]
	not profiles.limits(id, type)
}

_holds(id, server, type, name) if {
	names.visible(server, type, name) in data.mcp.virtual_servers[id][catalogue.lists[type]]
}
