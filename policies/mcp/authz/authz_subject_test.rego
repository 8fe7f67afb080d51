package mcp.authz_test

import data.mcp.authz

# What takes away from a subject or adds to it beside its own roles and grants: groups, withdrawn roles, the limits of
# its credential, OAuth scopes.

_having(subject, more) := object.union(subject, more)

_scopes := {
	"mcp:alerts": {"weather": ["tool:alerts"]},
	"mcp:tools": {"weather": ["tool:*"], "b1": ["tool:*"]},
	"mcp:rooms": {"weather": ["template:weather://stations/{id}"]},
	"mcp:docs": {"*": ["resource:*"]},
	"mcp:every": {"weather": ["resource:*", "template:*"]},
}

_scoped(subject, held) := _having(subject, {"scopes": held})

_scoped_decision(request) := decision if {
	decision := _decision(request, _data) with data.mcp.scopes as _scopes
}

_scope_choices(request) := decision.reasons[0].scope_choices if {
	decision := _scoped_decision(request)
	decision.allow == false
	count(decision.reasons) == 1
	decision.reasons[0].code == "scope_missing"
}

# --- Groups and withdrawn roles ---

test_a_group_gives_the_roles_that_the_data_says if {
	member := _having(_bob, {"groups": ["weather team", "other"]})
	documents := {"weather team": ["forecaster", "none"]}
	_denied(_call(member, "weather_forecast"), "role_missing")
	decision := _decision(_call(member, "weather_forecast"), _data) with data.mcp.groups as documents
	decision.allow == true
	capabilities := _capabilities(_list(member), _data) with data.mcp.groups as documents
	capabilities == _all_of_alice
	visible := _visible(_listed(member, "tool", ["weather_forecast", "same"]), _data) with data.mcp.groups as documents
	visible == ["weather_forecast"]
}

test_a_withdrawn_role_grants_nothing_and_leaves_what_else_grants if {
	alice := _having(_alice, {"groups": ["team"], "withdrawn_roles": ["forecaster"]})
	every documents in [{}, {"team": ["forecaster"]}] {
		capabilities := _capabilities(_list(alice), _data) with data.mcp.groups as documents
		capabilities == object.union(_nothing, {"tools": {"weather": ["alerts"]}})
		decision := _decision(_call(alice, "weather_forecast"), _data) with data.mcp.groups as documents
		decision.reasons == [{"code": "role_missing", "required": "tool:forecast on weather"}]
	}
}

# --- Limits of the credential ---

_limited(subject, limits) := _having(subject, {"limits": limits})

test_limits_of_the_credential_take_away if {
	key := _limited(_root, {"capabilities": {"weather": ["tool:f*", "template:*"]}})
	_capabilities(_list(key), _data) == object.union(_nothing, {
		"tools": {"weather": ["forecast"]},
		"templates": {"weather": ["weather://stations/{id}"]},
	})
	_allowed(_call(key, "weather_forecast"))
	_allowed(_read(key, "weather://stations/7"))
	_denied(_call(key, "weather_alerts"), "credential_excludes")
	_denied(_read(key, "weather://stations"), "credential_excludes")
	_visible(_listed(key, "tool", ["weather_alerts", "weather_forecast"]), _data) == ["weather_forecast"]
	_visible(_listed(key, "resource", ["weather://stations", "weather://stations/7"]), _data) == ["weather://stations/7"]
}

test_limits_of_the_credential_add_nothing if {
	key := _limited(_bob, {"virtual_servers": ["rooms"], "capabilities": {"*": ["tool:*"]}})
	_capabilities(_list(key), _data) == _nothing
	_denied(_call(key, "weather_forecast"), "role_missing")
}

test_virtual_servers_of_the_credential_bind_beside_those_of_the_request if {
	key := _limited(_root, {"virtual_servers": ["rooms", "nobody"]})
	_allowed(_call(key, "weather_alerts"))
	_allowed(_read(key, "weather://stations/7"))
	_denied(_read(key, "weather://stations"), "credential_excludes")
	_denied(_call(key, "lone"), "credential_excludes")
	_allowed(_under(_call(key, "weather_forecast"), ["team-a/desk"]))
	_denied(_under(_call(key, "weather_alerts"), ["team-a/desk"]), "virtual_server_excludes")
	_capabilities(_under(_list(key), ["team-a/desk"]), _data) == object.union(_nothing, {"tools": {"weather": ["forecast"]}})
	desk := _limited(_root, {"virtual_servers": ["team-a/desk"]})
	_denied(_under(_call(desk, "weather_alerts"), ["rooms"]), "credential_excludes")
}

test_limits_of_the_credential_bind_for_every_type_in_kuadrant if {
	kuadrant := {"context": {"profile": "kuadrant"}}
	key := _limited(_root, {"virtual_servers": ["team-a/desk"]})
	_allowed(object.union(_call(key, "weather_forecast"), kuadrant))
	_denied(object.union(_read(key, "weather://stations"), kuadrant), "credential_excludes")
	_denied(object.union(_read(key, "weather://stations/7"), kuadrant), "credential_excludes")
	_denied(object.union(_ask(key, "prompts/get", {"type": "prompt", "name": "weather_brief"}), kuadrant), "credential_excludes")
}

test_limits_of_the_credential_deny_no_method_on_the_server_as_a_whole if {
	every limits in [{"capabilities": {}}, {"virtual_servers": []}, {"virtual_servers": ["nobody"]}] {
		key := _limited(_root, limits)
		_allowed(_list(key))
		_allowed(_ask(key, "initialize", {"type": "server"}))
		_capabilities(_list(key), _data) == _nothing
		_denied(_call(key, "weather_forecast"), "credential_excludes")
	}
}

# --- OAuth scopes ---

test_a_scope_is_asked_for_where_everything_else_allows if {
	_scope_choices(_call(_scoped(_root, []), "weather_alerts")) == [["mcp:alerts", "mcp:tools"]]
	_scope_choices(_call(_scoped(_root, ["openid"]), "weather_forecast")) == [["mcp:tools"]]
	_scoped_decision(_call(_scoped(_root, ["mcp:alerts"]), "weather_alerts")).allow == true
	_scoped_decision(_call(_scoped(_root, []), "same")).reasons[0].code == "item_ambiguous"
	_scoped_decision(_at(_call(_scoped(_root, []), "same"), "b2")).allow == true
}

test_no_scope_is_asked_of_a_credential_that_carries_none if {
	_scoped_decision(_call(_root, "weather_alerts")).allow == true
	_scoped_decision(_listen(_root, ["weather://stations", "weather://stations/7"])).allow == true
}

test_capabilities_and_visible_names_hold_what_the_scopes_allow if {
	subject := _scoped(_root, ["mcp:alerts", "mcp:every"])
	capabilities := _capabilities(_list(subject), _data) with data.mcp.scopes as _scopes
	capabilities == {
		"tools": {"weather": ["alerts"], "b2": ["same"]},
		"prompts": {"weather": ["brief"]},
		"resources": {"weather": ["weather://stations"]},
		"templates": {"weather": ["weather://stations/{id}"], "b1": ["b://t/{id}"], "b2": ["b://t/{id}"]},
	}
	visible := _visible(_listed(subject, "tool", ["weather_forecast", "weather_alerts", "lone"]), _data) with data.mcp.scopes as _scopes
	visible == ["weather_alerts"]
}

test_a_read_by_a_template_needs_the_scope_of_the_template if {
	_scoped_decision(_read(_scoped(_root, ["mcp:rooms"]), "weather://stations/7")).allow == true
	_scope_choices(_read(_scoped(_root, ["mcp:docs"]), "weather://stations/7")) == [["mcp:every", "mcp:rooms"]]
	_scope_choices(_read(_scoped(_root, ["mcp:rooms"]), "weather://stations")) == [["mcp:docs", "mcp:every"]]
}

test_one_route_is_enough if {
	documents := object.union(_data, {"servers": {"weather": {"templates": ["weather://stations/{id}", "weather://{+path}"]}}})
	first := _decision(_read(_scoped(_root, []), "weather://stations/7"), documents) with data.mcp.scopes as _scopes
	first.reasons == [{"code": "scope_missing", "scope_choices": [["mcp:every", "mcp:rooms"]]}]
	second := _decision(_read(_scoped(_root, []), "weather://stations/7"), documents) with data.mcp.scopes as {"mcp:rooms": _scopes["mcp:rooms"]}
	second.allow == true
	holder := _having(_bob, {"grants": {"weather": ["template:weather://stations/{id}"]}, "scopes": []})
	third := _decision(_read(holder, "weather://stations/7"), documents) with data.mcp.scopes as {"mcp:rooms": _scopes["mcp:rooms"]}
	third.reasons == [{"code": "scope_missing", "scope_choices": [["mcp:rooms"]]}]
}

test_listen_says_every_choice_of_scopes_once if {
	uris := ["weather://stations/8", "weather://stations", "weather://stations/7"]
	_scope_choices(_listen(_scoped(_root, []), uris)) == [["mcp:docs", "mcp:every"], ["mcp:every", "mcp:rooms"]]
	_scoped_decision(_listen(_scoped(_root, []), uris)).resource.name == "weather://stations/8"
	_scope_choices(_listen(_scoped(_root, ["mcp:docs"]), uris)) == [["mcp:every", "mcp:rooms"]]
	_scoped_decision(_listen(_scoped(_root, ["mcp:rooms"]), uris)).resource.name == "weather://stations"
	_scoped_decision(_listen(_scoped(_root, ["mcp:docs", "mcp:rooms"]), uris)).allow == true
	_scoped_decision(_listen(_scoped(_root, ["mcp:every"]), uris)).allow == true
}

test_listen_is_denied_by_what_no_scope_cures if {
	_scoped_decision(_listen(_scoped(_root, []), ["weather://stations", "x://none"])).reasons == [{"code": "item_unknown"}]
	_scoped_decision(_listen(_scoped(_alice, []), ["weather://stations", "weather://stations/7"])).reasons == [{
		"code": "role_missing",
		"required": "template:weather://stations/{id} on weather",
	}]
	_scoped_decision(_listen(_scoped(_root, []), ["weather://stations", "b://both"])).reasons == [{"code": "item_ambiguous"}]
}

# --- Order of reasons ---

test_reasons_are_in_the_order_virtual_server_credential_role_scope if {
	bob := _scoped(_limited(_bob, {"capabilities": {"weather": ["tool:forecast"]}}), [])
	codes := [_scoped_decision(request).reasons[0].code |
		some request in [
			_call(bob, "nowhere"),
			_under(_call(bob, "weather_alerts"), ["nobody"]),
			_under(_call(bob, "weather_alerts"), ["bare"]),
			_call(bob, "weather_alerts"),
			_call(bob, "weather_forecast"),
			_call(_having(bob, {"roles": ["admin"]}), "weather_forecast"),
		]
	]
	codes == [
		"item_unknown", "virtual_server_unknown", "virtual_server_excludes", "credential_excludes", "role_missing",
		"scope_missing",
	]
}

test_permitted_asks_for_limits_and_scopes if {
	every subject in [_scoped(_root, []), _limited(_root, {"capabilities": {}})] {
		not authz.permitted("weather", "tool", "alerts") with input as _list(subject)
			with data.mcp.servers as _data.servers
			with data.mcp.roles as _data.roles
			with data.mcp.scopes as _scopes
	}
	authz.permitted("weather", "tool", "alerts") with input as _list(_scoped(_limited(_root, {}), ["mcp:tools"]))
		with data.mcp.servers as _data.servers
		with data.mcp.roles as _data.roles
		with data.mcp.scopes as _scopes
}

test_the_index_holds_the_scopes if {
	index := authz.index with data.mcp.scopes as _scopes with data.mcp.servers as _data.servers
	index.scopes.names == {"weather": {
		"tool:alerts": ["mcp:alerts"],
		"template:weather://stations/{id}": ["mcp:rooms"],
	}}
	index.enabled == ["b1", "b2", "weather"]
}
