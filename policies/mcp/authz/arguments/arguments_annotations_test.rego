package mcp.authz.arguments_test

import data.mcp.authz.arguments

_annotated := {"weather": {"tools": [
	"plain",
	{"name": "reader", "annotations": {"readOnlyHint": true, "openWorldHint": false, "title": "Reads"}},
	{"name": "writer", "annotations": {"readOnlyHint": false, "destructiveHint": false}},
	{"name": "odd", "annotations": {"readOnlyHint": "true"}},
	{"name": "twice", "annotations": {"readOnlyHint": true}},
	{"name": "twice", "annotations": {"readOnlyHint": false}},
]}}

_bound_by(annotations) := {tool |
	some tool in ["plain", "reader", "writer", "odd", "twice", "unheard of"]
	arguments.constrained("weather", "tool", tool) with input as _asked({})
		with data.mcp.servers as _annotated
		with data.mcp.arguments as {"*": {"tool:*": {"annotations": annotations, "only": []}}}
}

test_a_rule_binds_tools_that_the_catalogue_says_are_so if {
	_bound_by({"readOnlyHint": true}) == {"reader", "twice"}
	_bound_by({"openWorldHint": false}) == {"reader"}
	_bound_by({"destructiveHint": false}) == {"writer"}
	_bound_by({"readOnlyHint": false, "destructiveHint": false}) == {"writer"}
}

test_what_is_not_said_counts_as_the_worst if {
	_bound_by({"readOnlyHint": false}) == {"plain", "writer", "odd", "twice", "unheard of"}
	_bound_by({"destructiveHint": true}) == {"plain", "reader", "odd", "twice", "unheard of"}
	_bound_by({"idempotentHint": false}) == {"plain", "reader", "writer", "odd", "twice", "unheard of"}
	_bound_by({"idempotentHint": true}) == set()
	_bound_by({"openWorldHint": true}) == {"plain", "writer", "odd", "twice", "unheard of"}
}

_read_only := {"*": {"tool:*": {"annotations": {"readOnlyHint": false}, "refused": true, "unless_roles": ["writer"]}}}

_possible_for(roles, tool) if {
	arguments.possible("weather", "tool", tool) with input as object.union(_asked({}), {"subject": {"roles": roles}})
		with data.mcp.servers as _annotated
		with data.mcp.arguments as _read_only
		with data.mcp.roles as {"writer": {}}
}

test_what_is_refused_is_not_listed_but_for_the_exempt if {
	_possible_for([], "reader")
	every tool in ["plain", "writer", "odd", "twice"] {
		not _possible_for([], tool)
		_possible_for(["writer"], tool)
	}
}

test_what_is_refused_is_refused_whatever_the_arguments if {
	_refused({"weather": {"tool:alert": {"refused": true}}}, {}) == ["nothing: no arguments meet every rule"]
	_refused({"weather": {"tool:alert": {"refused": true}}}, {"x": 1}) == ["nothing: no arguments meet every rule"]
}
