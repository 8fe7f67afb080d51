package mcp.authz.scopes_test

import data.mcp.authz.scopes

_scopes := {
	"read": {"weather": ["tool:forecast", "resource:w://*"], "*": ["prompt:*"]},
	"write": {"weather": ["tool:alerts", "tool:f*"]},
	"all": {"*": ["tool:*"], "weather": []},
	"__proto__": {"__proto__": ["tool:a*b"]},
	"unused": {},
}

_covering(server, type, name) := covering if {
	covering := scopes.covering(server, type, name) with data.mcp.scopes as _scopes
	tables := json.unmarshal(json.marshal(scopes.computed)) with data.mcp.scopes as _scopes
	covering == scopes.covering(server, type, name) with data.mcp_index as {"scopes": tables}
}

_with_scopes(held) := {"subject": {"scopes": held}}

_permits(held, item) if {
	scopes.permits(item[0], item[1], item[2]) with input as _with_scopes(held) with data.mcp.scopes as _scopes
}

test_scopes_cover_items_by_name_and_by_pattern if {
	_covering("weather", "tool", "forecast") == {"read", "write", "all"}
	_covering("weather", "tool", "alerts") == {"write", "all"}
	_covering("other", "tool", "forecast") == {"all"}
	_covering("weather", "resource", "w://a") == {"read"}
	_covering("weather", "prompt", "w://a") == {"read"}
	_covering("__proto__", "tool", "a*b") == {"__proto__", "all"}
	_covering("__proto__", "tool", "ab") == {"all"}
}

test_what_no_scope_names_is_not_covered if {
	_covering("weather", "resource", "x://a") == set()
	_covering("weather", "template", "w://{id}") == set()
	_covering("other", "resource", "w://a") == set()
	_covering("weather", "server", "forecast") == set()
	scopes.covering("weather", "tool", "forecast") == set()
}

test_a_final_star_covers_what_is_not_listed_and_the_key_star_every_server if {
	_covering("ghost", "tool", "boo") == {"all"}
	_covering("", "tool", "") == {"all"}
	_covering("*", "prompt", "p") == {"read"}
	_covering("weather", "tool", "fresh") == {"write", "all"}
}

test_one_of_the_covering_scopes_is_enough if {
	every held in [["read"], ["write"], ["all"], ["x", "all", "y"], ["read", "write", "all"]] {
		_permits(held, ["weather", "tool", "forecast"])
	}
	not _permits(["read"], ["weather", "tool", "alerts"])
	not _permits(["read", "write"], ["other", "tool", "forecast"])
	_permits(["__proto__"], ["__proto__", "tool", "a*b"])
}

test_no_scope_is_not_enough_where_one_is_needed if {
	every held in [[], [""], ["Read"], ["read "], ["read write"], ["constructor"], ["*"], [null, 7], {}] {
		not _permits(held, ["weather", "tool", "forecast"])
	}
}

test_what_is_not_covered_needs_no_scope if {
	every held in [[], ["read"], ["x"]] {
		_permits(held, ["weather", "template", "w://{id}"])
		_permits(held, ["ghost", "resource", "w://a"])
	}
	scopes.permits("weather", "tool", "forecast") with input as _with_scopes([])
	scopes.permits("weather", "tool", "forecast") with input as _with_scopes(["read"])
}

test_who_has_every_scope_needs_no_more if {
	_permits(["read", "write", "all", "__proto__", "unused"], ["weather", "tool", "forecast"])
	_permits(["read", "write", "all", "__proto__", "unused"], ["ghost", "tool", "boo"])
}

test_a_credential_that_carries_no_scopes_is_asked_for_none if {
	scopes.permits("weather", "tool", "forecast") with input as {"subject": {}} with data.mcp.scopes as _scopes
	scopes.permits("weather", "tool", "forecast") with input as {} with data.mcp.scopes as _scopes
}

test_the_tables_depend_on_the_data_alone if {
	scopes.computed == {"names": {}, "starts": {}}
	expected := {
		"names": {"weather": {"tool:forecast": ["read"], "tool:alerts": ["write"]}, "__proto__": {"tool:a*b": ["__proto__"]}},
		"starts": {"weather": {"resource:w://": ["read"], "tool:f": ["write"]}, "*": {"prompt:": ["read"], "tool:": ["all"]}},
	}
	scopes.computed == expected with data.mcp.scopes as _scopes with input as _with_scopes(["read"])
	scopes.tables == expected with data.mcp.scopes as _scopes
	scopes.tables == {"given": {}} with data.mcp_index as {"scopes": {"given": {}}} with data.mcp.scopes as _scopes
}
