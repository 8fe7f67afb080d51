package mcp.authz_test

import data.mcp.authz

# The worked example of the documentation.
_weather := {
	"prefix": "weather_",
	"tools": ["forecast", "alerts"],
	"prompts": ["brief"],
	"resources": ["weather://stations"],
	"templates": ["weather://stations/{id}"],
}

_data := {
	"servers": {
		"weather": _weather,
		"off": {"prefix": "off_", "state": "Disabled", "tools": ["t"], "templates": ["off://{id}"]},
		"b1": {"tools": ["same", "lone"], "resources": ["b://both"], "templates": ["b://t/{id}"]},
		"b2": {"tools": ["same"], "resources": ["b://both", "weather://stations/listed"], "templates": ["b://t/{id}"]},
	},
	"virtual_servers": {
		"team-a/desk": {"tools": ["weather_forecast"], "prompts": [], "resources": [], "templates": []},
		"rooms": {"tools": ["weather_forecast", "weather_alerts"], "templates": ["weather://stations/{id}"]},
		"bare": {},
	},
	"roles": {
		"forecaster": {"weather": ["tool:*", "prompt:brief", "resource:weather://stations"]},
		"admin": {"*": ["tool:*", "prompt:*", "resource:*", "template:*"]},
	},
	"settings": {"catalogue": "closed"},
}

_open := object.union(_data, {"settings": {"catalogue": "open"}})

_alice := {
	"id": "alice",
	"roles": ["forecaster"],
	"grants": {"weather": ["tool:alerts", "tool:*", "admin"], "ghost": ["tool:boo"]},
}

_bob := {"id": "bob", "roles": [], "grants": {}}

_root := {"id": "root", "roles": ["admin"], "grants": {}}

_ask(subject, method, resource) := {
	"subject": subject,
	"action": {"name": method},
	"resource": resource,
	"context": {"profile": "strict", "virtual_servers": []},
}

_under(request, ids) := object.union(request, {"context": {"virtual_servers": ids}})

_at(request, server) := object.union(request, {"resource": {"server": server}})

_call(subject, name) := _ask(subject, "tools/call", {"type": "tool", "name": name})

_read(subject, uri) := _ask(subject, "resources/read", {"type": "resource", "name": uri})

_listen(subject, uris) := _ask(subject, "subscriptions/listen", {"type": "resource", "names": uris})

_complete(subject, type, name) := _ask(subject, "completion/complete", {"type": type, "name": name})

# Every decision is taken with the index that the host puts back, too, and must be the same.
_decision(request, documents) := decision if {
	decision := authz.decision with input as request
		with data.mcp.servers as documents.servers
		with data.mcp.virtual_servers as documents.virtual_servers
		with data.mcp.roles as documents.roles
		with data.mcp.settings as documents.settings
	decision == _indexed_decision(request, documents)
	empty := count(decision.reasons) == 0
	decision.allow == empty
}

_indexed_decision(request, documents) := decision if {
	index := _index(documents)
	decision := authz.decision with input as request
		with data.mcp.servers as documents.servers
		with data.mcp.virtual_servers as documents.virtual_servers
		with data.mcp.roles as documents.roles
		with data.mcp.settings as documents.settings
		with data.mcp_index as index
}

# As the host computes it: from the data alone, and through JSON.
_index(documents) := json.unmarshal(json.marshal(index)) if {
	index := authz.index with data.mcp.servers as documents.servers with input as {}
}

_capabilities(request, documents) := capabilities if {
	index := _index(documents)
	capabilities := authz.capabilities with input as request
		with data.mcp.servers as documents.servers
		with data.mcp.virtual_servers as documents.virtual_servers
		with data.mcp.roles as documents.roles
		with data.mcp.settings as documents.settings
	indexed := authz.capabilities with input as request
		with data.mcp.servers as documents.servers
		with data.mcp.virtual_servers as documents.virtual_servers
		with data.mcp.roles as documents.roles
		with data.mcp.settings as documents.settings
		with data.mcp_index as index
	capabilities == indexed
}

_visible(request, documents) := visible if {
	index := _index(documents)
	visible := authz.visible with input as request
		with data.mcp.servers as documents.servers
		with data.mcp.virtual_servers as documents.virtual_servers
		with data.mcp.roles as documents.roles
		with data.mcp.settings as documents.settings
		with data.mcp_index as index
}

_allowed(request) if _decision(request, _data).allow == true

_denied(request, code) if _denied_with(request, _data, code)

_denied_with(request, documents, code) if {
	decision := _decision(request, documents)
	decision.allow == false
	decision.reasons[0].code == code
}

_list(subject) := _ask(subject, "tools/list", {"type": "server"})

_nothing := {"tools": {}, "prompts": {}, "resources": {}, "templates": {}}

_all_of_alice := {
	"tools": {"weather": ["alerts", "forecast"]},
	"prompts": {"weather": ["brief"]},
	"resources": {"weather": ["weather://stations"]},
	"templates": {},
}

# --- The worked example ---

test_capabilities_of_the_worked_example if {
	_capabilities(_list(_alice), _data) == _all_of_alice
	_capabilities(_list(_alice), _open) == object.union(_all_of_alice, {"tools": {"ghost": ["boo"]}})
	_capabilities(_list(_bob), _data) == _nothing
}

test_capabilities_of_the_worked_example_under_a_virtual_server if {
	under := _under(_list(_alice), ["team-a/desk"])
	_capabilities(under, _data) == object.union(_nothing, {"tools": {"weather": ["forecast"]}})
	_capabilities(under, _open) == object.union(_nothing, {"tools": {"weather": ["forecast"]}})
}

test_decisions_of_the_worked_example if {
	_allowed(_call(_alice, "weather_forecast"))
	_denied(_call(_alice, "forecast"), "item_unknown")
	_allowed(_at(_call(_alice, "forecast"), "weather"))
	_denied(_call(_alice, "ghost_boo"), "item_unknown")
	_denied(_read(_alice, "weather://stations/7"), "role_missing")
	_denied(_call(_bob, "weather_alerts"), "role_missing")
	_allowed(_list(_bob))
}

# --- Deny by default ---

test_deny_on_an_empty_input if {
	denial := {"allow": false, "reasons": [{"code": "policy_error"}], "resource": {"type": "server"}}
	authz.decision == denial with input as {}
	authz.decision == denial with input as null
	authz.decision == denial with input as []
	authz.decision == denial with input as "x"
	_decision({}, _data) == denial
	_decision({"resource": {"type": "tool"}}, _data) == denial
	_decision({"action": {"name": "tools/call"}}, _data) == denial
	_decision({"action": {"name": "tools/call"}, "resource": {"type": "tool"}}, _data) == denial
	_decision({"action": {"name": "tools/call"}, "resource": {"name": "x"}}, _data) == denial
}

test_deny_without_subject_or_context if {
	every key in ["subject", "context"] {
		request := object.remove(_call(_alice, "weather_forecast"), [key])
		_decision(request, _data).allow == false
		_visible(object.union(request, {"resource": {"names": ["weather_forecast"]}}), _data) == []
		_capabilities(request, _data) == _nothing
	}
}

test_deny_items_without_any_data if {
	authz.decision.reasons == [{"code": "item_unknown"}] with input as _call(_root, "weather_forecast")
	authz.decision.reasons == [{"code": "server_unknown"}] with input as _at(_call(_root, "forecast"), "weather")
	authz.decision.reasons == [{"code": "item_unknown"}] with input as _read(_root, "weather://stations")
	authz.decision.allow == true with input as _list(_root)
	authz.decision.reasons == [{"code": "virtual_server_unknown"}] with input as _under(_list(_root), ["desk"])
	authz.capabilities == _nothing with input as _list(_root)
	authz.visible == [] with input as _ask(_root, "tools/call", {"type": "tool", "names": ["weather_forecast"]})
	not authz.capabilities with input as _under(_list(_root), ["desk"])
}

test_capabilities_and_visible_names_of_an_empty_input_are_empty if {
	authz.capabilities == _nothing with input as {}
	authz.visible == [] with input as {}
}

test_permitted_is_what_exists_is_admitted_and_granted if {
	authz.permitted("weather", "tool", "forecast") with input as _list(_alice)
		with data.mcp.servers as _data.servers
		with data.mcp.roles as _data.roles
	not authz.permitted("weather", "tool", "forecast") with input as _list(_bob) with data.mcp.servers as _data.servers
	not authz.permitted("weather", "tool", "forecast") with input as _list(_alice) with data.mcp.roles as _data.roles
	not authz.permitted("weather", "tool", "forecast") with input as _under(_list(_alice), ["bare"])
		with data.mcp.servers as _data.servers
		with data.mcp.roles as _data.roles
		with data.mcp.virtual_servers as _data.virtual_servers
}

# --- Methods ---

test_allow_methods_on_the_server_as_a_whole_to_everybody if {
	every method in ["initialize", "ping", "tools/list", "notifications/initialized", "GET", "DELETE", "response", "subscriptions/listen"] {
		_allowed(_ask(_bob, method, {"type": "server"}))
		_allowed(_ask(_bob, method, {"type": "server", "server": "weather"}))
		_allowed(_ask(_bob, method, {"type": "server", "server": "ghost"}))
		_denied(_ask(_root, method, {"type": "server", "server": "off"}), "server_disabled")
		_denied(_under(_ask(_root, method, {"type": "server"}), ["nobody"]), "virtual_server_unknown")
	}
}

test_deny_other_methods if {
	every method in ["tasks/get", "tools/destroy", "", "notifications/", "sampling/createMessage", "Tools/list"] {
		_denied(_ask(_root, method, {"type": "server"}), "method_unknown")
		_denied(_ask(_root, method, {"type": "tool", "name": "weather_forecast"}), "method_unknown")
		_denied(_under(_ask(_root, method, {"type": "server", "server": "off"}), ["nobody"]), "method_unknown")
	}
	_denied(_ask(_root, "tools/call", {"type": "server", "name": "weather_forecast"}), "method_unknown")
}

test_deny_an_item_of_another_type_than_the_method_asks_for if {
	every case in [
		["tools/call", "prompt"], ["tools/call", "resource"], ["prompts/get", "tool"], ["resources/read", "tool"],
		["resources/read", "template"], ["completion/complete", "tool"], ["completion/complete", "template"], ["tools/list", "tool"],
	] {
		_decision(_ask(_root, case[0], {"type": case[1], "name": "weather_forecast"}), _data).allow == false
	}
}

test_allow_each_item_method_where_its_item_is_granted if {
	_allowed(_ask(_root, "tools/call", {"type": "tool", "name": "weather_forecast"}))
	_allowed(_ask(_root, "prompts/get", {"type": "prompt", "name": "weather_brief"}))
	_allowed(_ask(_root, "resources/read", {"type": "resource", "name": "weather://stations"}))
	_allowed(_ask(_root, "resources/subscribe", {"type": "resource", "name": "weather://stations"}))
	_allowed(_ask(_root, "resources/subscribe", {"type": "resource", "name": "weather://stations/7"}))
	_allowed(_ask(_root, "completion/complete", {"type": "prompt", "name": "weather_brief"}))
	_allowed(_ask(_root, "completion/complete", {"type": "resource", "name": "weather://stations"}))
}

test_tools_of_a_broker_are_of_the_server if {
	every profile in ["strict", "kuadrant"] {
		context := {"context": {"profile": profile}}
		_allowed(object.union(_ask(_bob, "tools/call", {"type": "server", "name": "discover_tools"}), context))
		_denied(object.union(_ask(_bob, "tools/call", {"type": "server", "name": "weather_forecast"}), context), "method_unknown")
		_denied(object.union(_call(_bob, "discover_tools"), context), "item_unknown")
	}
}

# --- Names ---

test_the_resource_of_a_decision_is_the_item_that_was_meant if {
	_decision(_call(_alice, "weather_forecast"), _data).resource == {"type": "tool", "server": "weather", "name": "forecast"}
	_decision(_call(_bob, "weather_alerts"), _data).resource == {"type": "tool", "server": "weather", "name": "alerts"}
	_decision(_call(_bob, "nowhere"), _data).resource == {"type": "tool", "name": "nowhere"}
	_decision(_at(_call(_bob, "x"), "ghost"), _data).resource == {"type": "tool", "server": "ghost", "name": "x"}
	_decision(_list(_bob), _data).resource == {"type": "server"}
	_decision(_at(_list(_bob), "weather"), _data).resource == {"type": "server", "server": "weather"}
}

test_deny_names_that_mean_nothing if {
	every name in [
		"", "weather_", "weather", "Weather_forecast", "weather_Forecast", "weather_forecast ", "weather_forecast\n",
		"weather_forecast\u0000", "weather_weather_forecast", "__proto__", "constructor", "weather_*", "*", "off_t",
		"\u200bweather_forecast", "ｗeather_forecast",
	] {
		_denied(_call(_root, name), "item_unknown")
	}
}

test_deny_a_very_long_name if {
	long := concat("", ["weather_forecast" | some _ in numbers.range(1, 20000)])
	_denied(_call(_root, long), "item_unknown")
	_denied(_read(_root, concat("", ["weather://stations/", long, " "])), "item_unknown")
	_allowed(_read(_root, concat("", ["weather://stations/", long])))
}

test_deny_ambiguous_names if {
	_denied(_call(_root, "same"), "item_ambiguous")
	_denied(_read(_root, "b://both"), "item_ambiguous")
	_denied(_read(_root, "b://t/1"), "item_ambiguous")
	_denied(_complete(_root, "resource", "b://t/{id}"), "item_ambiguous")
	_decision(_call(_root, "same"), _data).resource == {"type": "tool", "name": "same"}
}

test_allow_an_ambiguous_name_where_the_server_is_known if {
	_allowed(_at(_call(_root, "same"), "b1"))
	_allowed(_at(_read(_root, "b://both"), "b2"))
	_allowed(_at(_read(_root, "b://t/1"), "b2"))
	_allowed(_call(_root, "lone"))
}

test_the_name_on_a_known_server_is_of_the_upstream if {
	_denied(_at(_call(_root, "weather_forecast"), "weather"), "item_unknown")
	_denied(_at(_call(_root, "lone"), "weather"), "item_unknown")
	_denied(_at(_call(_root, "forecast"), "ghost"), "server_unknown")
	_denied(_at(_call(_root, "t"), "off"), "server_disabled")
	_denied(_at(_call(_root, "forecast"), ""), "server_unknown")
	_denied(_at(_call(_root, "forecast"), "*"), "server_unknown")
}

test_an_item_of_a_server_that_is_not_in_the_catalogue_needs_a_door_that_knows_it if {
	_denied_with(_call(_alice, "ghost_boo"), _open, "item_unknown")
	_denied_with(_call(_alice, "boo"), _open, "item_unknown")
	_decision(_at(_call(_alice, "boo"), "ghost"), _open).allow == true
	_denied_with(_at(_call(_alice, "boo"), "ghost"), _data, "server_unknown")
	_denied_with(_at(_call(_alice, "other"), "ghost"), _open, "server_unknown")
	_denied_with(_at(_call(_alice, "other"), "weather"), _open, "item_unknown")
	_denied_with(_under(_at(_call(_alice, "boo"), "ghost"), ["rooms"]), _open, "virtual_server_excludes")
}

test_a_server_may_have_any_id if {
	every id in ["__proto__", "constructor", "ns/name", "é", "a b", "*", " "] {
		documents := {
			"servers": {id: {"tools": ["t"]}},
			"virtual_servers": {},
			"roles": {"admin": {"*": ["tool:*"]}, "one": {id: ["tool:t"]}},
			"settings": {},
		}
		_decision(_call(_root, "t"), documents).resource == {"type": "tool", "server": id, "name": "t"}
		_decision(_at(_call(_root, "t"), id), documents).allow == true
		_capabilities(_list(_root), documents) == object.union(_nothing, {"tools": {id: ["t"]}})
	}
}

# --- Order of reasons ---

test_reasons_are_in_the_order_server_item_virtual_server_role if {
	_denied(_under(_at(_call(_bob, "nothing"), "off"), ["nobody"]), "server_disabled")
	_denied(_under(_at(_call(_bob, "nothing"), "ghost"), ["nobody"]), "server_unknown")
	_denied(_under(_at(_call(_bob, "nothing"), "weather"), ["nobody"]), "item_unknown")
	_denied(_under(_call(_bob, "same"), ["nobody"]), "item_ambiguous")
	_denied(_under(_call(_bob, "weather_forecast"), ["nobody"]), "virtual_server_unknown")
	_denied(_under(_call(_bob, "weather_forecast"), ["bare", "nobody"]), "virtual_server_unknown")
	_denied(_under(_call(_bob, "weather_forecast"), ["bare"]), "virtual_server_excludes")
	_denied(_under(_call(_bob, "weather_forecast"), ["rooms"]), "role_missing")
}

test_a_missing_role_says_which_grant_would_cure_it if {
	_decision(_call(_bob, "weather_alerts"), _data).reasons == [{"code": "role_missing", "required": "tool:alerts on weather"}]
	_decision(_read(_alice, "weather://stations/7"), _data).reasons == [{
		"code": "role_missing",
		"required": "template:weather://stations/{id} on weather",
	}]
	_decision(_read(_bob, "weather://stations"), _data).reasons == [{
		"code": "role_missing",
		"required": "resource:weather://stations on weather",
	}]
}

# --- Virtual servers ---

test_an_unknown_virtual_server_denies_every_request if {
	every ids in [["nobody"], [""], [null], ["__proto__"], ["rooms", "nobody"], [null, "rooms"]] {
		_denied(_under(_call(_root, "weather_forecast"), ids), "virtual_server_unknown")
		_denied(_under(_read(_root, "weather://stations"), ids), "virtual_server_unknown")
		_denied(_under(_read(_root, "weather://stations/7"), ids), "virtual_server_unknown")
		_denied(_under(_list(_root), ids), "virtual_server_unknown")
		_denied(_under(_listen(_root, ["weather://stations"]), ids), "virtual_server_unknown")
		not _capabilities(_under(_list(_root), ids), _data)
		_visible(_under(_ask(_root, "tools/call", {"type": "tool", "names": ["weather_forecast"]}), ids), _data) == []
	}
}

test_a_virtual_server_takes_away if {
	_allowed(_under(_call(_alice, "weather_forecast"), ["team-a/desk"]))
	_denied(_under(_call(_alice, "weather_alerts"), ["team-a/desk"]), "virtual_server_excludes")
	_allowed(_under(_at(_call(_alice, "forecast"), "weather"), ["team-a/desk"]))
	_denied(_under(_call(_alice, "weather_alerts"), ["rooms", "team-a/desk"]), "virtual_server_excludes")
	_denied(_under(_call(_bob, "weather_forecast"), ["team-a/desk"]), "role_missing")
	_denied(_under(_read(_root, "weather://stations"), ["rooms"]), "virtual_server_excludes")
	_denied(_under(_call(_root, "lone"), ["bare"]), "virtual_server_excludes")
}

test_a_read_by_a_template_needs_the_template_in_the_virtual_server if {
	_allowed(_under(_read(_root, "weather://stations/7"), ["rooms"]))
	_denied(_under(_read(_root, "weather://stations/7"), ["team-a/desk"]), "virtual_server_excludes")
	_denied(_under(_read(_root, "weather://stations/7"), ["rooms", "team-a/desk"]), "virtual_server_excludes")
	documents := object.union(_data, {"virtual_servers": {"uri": {"resources": ["weather://stations/7"]}}})
	_denied_with(_under(_read(_root, "weather://stations/7"), ["uri"]), documents, "virtual_server_excludes")
}
