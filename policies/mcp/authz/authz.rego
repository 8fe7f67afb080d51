# METADATA
# title: MCP authorization
# description: |
#   The questions the host asks. Denied unless every package below agrees. What a list shows and what a call is allowed
#   come from the same rules: `decision` judges one item, `capabilities` and `visible` are comprehensions over them.
#   A further package (tenancy) is one more line in `permitted`, in `_judge_at` and in the reasons.
# scope: subpackages
# schemas:
#   - input: schema.input
#   - data.mcp.servers: schema.mcp.servers
#   - data.mcp.virtual_servers: schema.mcp.virtual_servers
#   - data.mcp.roles: schema.mcp.roles
#   - data.mcp.groups: schema.mcp.groups
#   - data.mcp.scopes: schema.mcp.scopes
#   - data.mcp.arguments: schema.mcp.arguments
#   - data.mcp.settings: schema.mcp.settings
package mcp.authz

import data.mcp.authz.arguments
import data.mcp.authz.catalogue
import data.mcp.authz.existence
import data.mcp.authz.grants
import data.mcp.authz.limits
import data.mcp.authz.methods
import data.mcp.authz.names
import data.mcp.authz.scopes
import data.mcp.authz.virtual_servers

# METADATA
# title: Decision
# description: Whether the action is allowed, and if not, the reasons in the order of the contract
# entrypoint: true
default decision := {"allow": false, "reasons": [{"code": "policy_error"}], "resource": {"type": "server"}}

decision := _answer(_server_reasons, _server) if {
	input.resource.type == "server"
}

decision := _decided(judged) if {
	input.resource.type in methods.item_types[input.action.name]
	judged := judge(input.resource.type, input.resource.name)
}

# Several URIs at once: all of them or nothing. Never fewer answers than URIs.
decision := _answer(judged.reasons, judged.resource) if {
	input.action.name == "subscriptions/listen"
	input.resource.type == "resource"
	all := [judge("resource", uri) | some uri in input.resource.names]
	count(all) == count(input.resource.names)
	judged := _together(all)
}

decision := _answer([{"code": "method_unknown"}], {"type": input.resource.type}) if {
	input.resource.type != "server"
	input.action.name
	not methods.server_wide
	not methods.item_types[input.action.name]
}

# METADATA
# title: Capabilities
# description: Every item that is allowed, by type and server; undefined under an unknown virtual server
# entrypoint: true
capabilities := {list: _by_server(type) | some type, list in catalogue.lists} if not virtual_servers.unknown

# METADATA
# title: Visible names
# description: Those of `input.resource.names`, in their order, that a call may name; what a list is filtered with
# entrypoint: true
default visible := []

visible := [name |
	some name in input.resource.names
	judged := judge(input.resource.type, name)
	count(judged.reasons) == 0
] if {
	not grants.unclaimed(input.resource.type)
}

visible := [name |
	some name in input.resource.names
	_shown(input.resource.type, name)
] if {
	grants.unclaimed(input.resource.type)
}

_shown(type, name) if {
	not input.resource.server
	virtual_servers.admits_name(type, name)
}

_shown(type, name) if virtual_servers.admits(input.resource.server, type, name)

# METADATA
# title: Catalogue index
# description: What can be said of the catalogue before anybody asks; the host puts it back as `data.mcp_index`
# entrypoint: true
index := object.union(catalogue.computed, {"scopes": scopes.computed, "arguments": arguments.computed})

# METADATA
# description: Whether the subject may use this item of this server
permitted(server, type, name) if {
	existence.exists(server, type, name)
	virtual_servers.admits(server, type, name)
	limits.admits(server, type, name)
	grants.granted(server, type, name)
	scopes.permits(server, type, name)
	arguments.possible(server, type, name)
}

# METADATA
# description: Which item a name means, and the reasons against it; none when it is allowed
judge(type, name) := _judge_at(input.resource.server, kind, name) if {
	input.resource.server
	kind := _kind(type, name)
}

judge(type, name) := _judge_at(owners[0].server, kind, owners[0].name) if {
	not input.resource.server
	kind := _kind(type, name)
	owners := names.owners(kind, name)
	count(owners) == 1
}

judge(type, name) := {"reasons": [{"code": code}], "resource": {"type": kind, "name": name}} if {
	not input.resource.server
	kind := _kind(type, name)
	owners := names.owners(kind, name)
	count(owners) != 1
	code := {true: "item_ambiguous", false: "item_unknown"}[count(owners) > 1]
}

# completion/complete names a template by its text; everything else names a resource.
_kind(type, name) := "template" if {
	type == "resource"
	input.action.name == "completion/complete"
	names.is_template_text(name)
} else := type

_judge_at(server, type, name) := {
	"reasons": _reasons(server, existing, admitted),
	"resource": {"type": type, "server": server, "name": name},
} if {
	existing := [route |
		some route in existence.routes(server, type, name)
		existence.exists(server, route.type, route.name)
	]
	admitted := [route | some route in existing; virtual_servers.admits(server, route.type, route.name)]
}

_reasons(server, existing, admitted) := [{"code": "server_disabled"}] if {
	catalogue.disabled(server)
} else := [{"code": "server_unknown"}] if {
	count(existing) == 0
	not catalogue.known(server)
} else := [{"code": "item_unknown"}] if {
	count(existing) == 0
} else := [{"code": "virtual_server_unknown"}] if {
	virtual_servers.unknown
} else := [{"code": "virtual_server_excludes"}] if {
	count(admitted) == 0
} else := _subject_reasons(server, within, granted, scoped) if {
	within := [route | some route in admitted; limits.admits(server, route.type, route.name)]
	granted := [route | some route in within; grants.granted(server, route.type, route.name)]
	scoped := [route | some route in granted; scopes.permits(server, route.type, route.name)]
}

# What speaks against the subject, where the item itself is there to be had.
_subject_reasons(server, within, granted, scoped) := [{"code": "credential_excludes"}] if {
	count(within) == 0
} else := [{"code": "role_missing", "required": required}] if {
	required := concat("", [within[0].type, ":", within[0].name, " on ", server])
	count(granted) == 0
} else := [{"code": "scope_missing", "scope_choices": [sort(choice)]}] if {
	count(scoped) == 0
	choice := {scope | some route in granted; some scope in scopes.covering(server, route.type, route.name)}
} else := [] if {
	some route in scoped
	arguments.possible(server, route.type, route.name)
} else := [arguments.impossible]

# The first reason that no scope cures, or else every choice of scopes there is; none where all are allowed.
_together(all) := incurable[0] if {
	incurable := [judged | some judged in all; _incurable(judged.reasons)]
	count(incurable) > 0
} else := {"reasons": [{"code": "scope_missing", "scope_choices": choices}], "resource": refused[0].resource} if {
	refused := [judged | some judged in all; count(judged.reasons) > 0]
	count(refused) > 0
	choices := sort({choice | some judged in refused; some choice in judged.reasons[0].scope_choices})
} else := all[0]

_incurable(reasons) if {
	some reason in reasons
	reason.code != "scope_missing"
}

_server_reasons := [{"code": "method_unknown"}] if {
	not methods.server_wide
} else := [{"code": "server_disabled"}] if {
	catalogue.disabled(input.resource.server)
} else := [{"code": "virtual_server_unknown"}] if {
	virtual_servers.unknown
} else := []

_server := {"type": "server", "server": input.resource.server}

_server := {"type": "server"} if not input.resource.server

# A call of an item that a list would show is held against its arguments.
_decided({"reasons": [], "resource": resource}) := object.union(_answer(reasons, resource), conditions) if {
	reasons := arguments.reasons(resource.server, resource.type, resource.name)
	texts := arguments.conditions(resource.server, resource.type, resource.name)
	conditions := {key: texts | some key in ["conditions"]; count(texts) > 0}
}

_decided(judged) := _answer(judged.reasons, judged.resource) if count(judged.reasons) > 0

_answer(reasons, resource) := {"allow": count(reasons) == 0, "reasons": reasons, "resource": resource}

_by_server(type) := {server: allowed |
	some server in existence.servers
	allowed := sort([name |
		some name in existence.candidates(server, type)
		permitted(server, type, name)
	])
	count(allowed) > 0
}
