# METADATA
# title: OAuth scopes
# description: |
#   Items that need a scope beside their grant. `data.mcp.scopes` has patterns as roles do, but what it does not cover
#   needs no scope: so a final `*` matches every name, listed or not, and the key `*` is every server.
package mcp.authz.scopes

# METADATA
# description: Whether the token has a scope that the item needs, if it needs any. Other credentials carry none.
permits(_, _, _) if not input.subject.scopes

permits(_, _, _) if {
	input.subject.scopes
	count(_lacking) == 0
}

permits(server, type, name) if {
	input.subject.scopes
	count(_lacking) > 0
	_suffice(covering(server, type, name))
}

# METADATA
# description: The scopes of which the item needs one; empty where it needs none
covering(server, type, name) := {scope |
	item := concat(":", [type, name])
	some key in {server, "*"}
	some scope in tables.names[key][item]
} | {scope |
	item := concat(":", [type, name])
	some key in {server, "*"}
	some start, scopes in tables.starts[key]
	startswith(item, start)
	some scope in scopes
}

# METADATA
# description: The scopes by what they cover, as the host put it back or, without that, computed on the spot
tables := data.mcp_index.scopes

tables := computed if not data.mcp_index.scopes

# METADATA
# description: The scopes by server and item, and by server and the beginning of items, from the data alone
computed := {
	"names": {server: _sorted(_names[server]) | some server, _ in _names},
	"starts": {server: _sorted(_starts[server]) | some server, _ in _starts},
}

_names[server][pattern] contains scope if {
	some scope, servers in data.mcp.scopes
	some server, patterns in servers
	some pattern in patterns
	not endswith(pattern, "*")
}

_starts[server][start] contains scope if {
	some scope, servers in data.mcp.scopes
	some server, patterns in servers
	some pattern in patterns
	endswith(pattern, "*")
	start := trim_suffix(pattern, "*")
}

_sorted(scopes) := {key: sort(set) | some key, set in scopes}

_held := {scope | some scope in input.subject.scopes}

# Defined whatever the input: what is undefined is sought anew for each item.
_lacking := {scope | some scope, _ in data.mcp.scopes} - _held

_suffice(covering) if count(covering) == 0

_suffice(covering) if count(covering & _held) > 0
