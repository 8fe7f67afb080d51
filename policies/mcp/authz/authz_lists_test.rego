package mcp.authz_test

import data.mcp.authz

# --- Capabilities ---

test_capabilities_are_sorted_by_code_point_and_leave_out_empty_servers if {
	documents := {
		"servers": {
			"z": {"tools": ["b", "a", "B", "_", "é", "aa", "😀", "ｚ"]},
			"y": {"prompts": ["p2", "p1"]},
			"none": {},
		},
		"virtual_servers": {},
		"roles": {"admin": {"*": ["tool:*", "prompt:*"]}},
		"settings": {},
	}
	_capabilities(_list(_root), documents) == {
		"tools": {"z": ["B", "_", "a", "aa", "b", "é", "ｚ", "😀"]},
		"prompts": {"y": ["p1", "p2"]},
		"resources": {},
		"templates": {},
	}
}

test_capabilities_hold_every_type_once if {
	twice := object.union(_root, {"roles": ["admin", "forecaster", "admin"], "grants": {"weather": ["tool:alerts", "tool:alerts"]}})
	capabilities := _capabilities(_list(twice), _data)
	capabilities.tools == {"weather": ["alerts", "forecast"], "b1": ["lone", "same"], "b2": ["same"]}
	capabilities.prompts == {"weather": ["brief"]}
	capabilities.resources.b2 == ["b://both", "weather://stations/listed"]
	capabilities.templates == {"weather": ["weather://stations/{id}"], "b1": ["b://t/{id}"], "b2": ["b://t/{id}"]}
}

test_capabilities_leave_out_what_leads_elsewhere if {
	documents := {
		"servers": {"a": {"prefix": "a_", "tools": ["x", "b_x"]}, "ab": {"prefix": "a_b_", "tools": ["x"]}, "u": {"tools": ["a_y", "z"]}},
		"virtual_servers": {},
		"roles": {"admin": {"*": ["tool:*"]}},
		"settings": {},
	}
	_capabilities(_list(_root), documents).tools == {"a": ["x"], "ab": ["x"], "u": ["z"]}
	_denied_with(_at(_call(_root, "b_x"), "a"), documents, "item_unknown")
	_denied_with(_at(_call(_root, "a_y"), "u"), documents, "item_unknown")
	off := object.union(documents, {"servers": {"ab": {"state": "Disabled"}}})
	_capabilities(_list(_root), off).tools == {"a": ["b_x", "x"], "u": ["z"]}
}

_called(subject, documents, ids, servers) := {[server, name] |
	index := _index(documents)
	some server in servers
	some name in ["forecast", "alerts", "same", "boo", "admin", "*", ""]
	request := _under(_at(_call(subject, name), server), ids)
	authz.decision.allow with input as request
		with data.mcp.servers as documents.servers
		with data.mcp.virtual_servers as documents.virtual_servers
		with data.mcp.roles as documents.roles
		with data.mcp.settings as documents.settings
		with data.mcp_index as index
}

test_an_item_is_listed_if_and_only_if_a_call_to_it_is_allowed if {
	every case in [[_alice, _data, []], [_alice, _open, []], [_bob, _open, []], [_root, _data, ["rooms"]], [_alice, _open, ["rooms"]]] {
		capabilities := _capabilities(_under(_list(case[0]), case[2]), case[1])
		listed := {[server, name] | some server, names in capabilities.tools; some name in names}
		listed == _called(case[0], case[1], case[2], ["weather", "off", "b1", "ghost"])
	}
}

# --- Visible names ---

_listed(subject, type, names) := _ask(subject, {"tool": "tools/call", "prompt": "prompts/get", "resource": "resources/read", "template": "resources/read"}[type], {"type": type, "names": names})

test_visible_names_are_those_that_a_call_may_name_in_their_order if {
	_visible(_listed(_alice, "tool", ["weather_forecast", "x", "same", "weather_alerts", "forecast"]), _data) == ["weather_forecast", "weather_alerts"]
	_visible(_listed(_alice, "tool", ["weather_alerts", "weather_forecast"]), _data) == ["weather_alerts", "weather_forecast"]
	_visible(_listed(_alice, "prompt", ["weather_brief", "brief"]), _data) == ["weather_brief"]
	_visible(_listed(_alice, "resource", ["weather://stations/7", "weather://stations"]), _data) == ["weather://stations"]
	_visible(_listed(_root, "resource", ["weather://stations/7", "weather://stations"]), _data) == ["weather://stations/7", "weather://stations"]
	_visible(_listed(_root, "template", ["weather://stations/{id}", "b://t/{id}", "x://{id}"]), _data) == ["weather://stations/{id}"]
	_visible(_listed(_bob, "tool", ["weather_forecast"]), _data) == []
	_visible(_listed(_root, "tool", []), _data) == []
}

test_visible_names_of_a_known_server_are_its_own if {
	_visible(_at(_listed(_alice, "tool", ["forecast", "weather_forecast", "alerts"]), "weather"), _data) == ["forecast", "alerts"]
	_visible(_at(_listed(_root, "tool", ["same"]), "b1"), _data) == ["same"]
	_visible(_at(_listed(_root, "tool", ["t"]), "off"), _data) == []
}

test_visible_names_are_those_of_the_virtual_server if {
	_visible(_under(_listed(_alice, "tool", ["weather_alerts", "weather_forecast"]), ["team-a/desk"]), _data) == ["weather_forecast"]
	_visible(_under(_listed(_root, "resource", ["weather://stations", "weather://stations/7"]), ["rooms"]), _data) == ["weather://stations/7"]
}

# --- Capability claims, and the guard of profile kuadrant ---

_claimant(capabilities) := {"id": "", "roles": [], "grants": {}, "capabilities": capabilities}

_guarded(request, unenforced) := object.union(request, {"context": {"profile": "kuadrant", "prefixed_uris": true, "unenforced": unenforced}})

_boards := {
	"servers": {"ns/a": {"prefix": "a_", "tools": ["x", "y*"], "prompts": ["p"], "resources": ["ui://board.html/1", "urn:b"], "templates": ["ui://t/{id}"]}},
	"virtual_servers": {"v": {"tools": ["a_x"], "prompts": ["a_p"]}},
	"roles": {},
	"settings": {},
}

test_a_claim_allows_exactly_what_it_names if {
	claimant := _claimant({"tools": {"weather": ["forecast", "*", "ale*"], "ghost": ["boo"]}})
	_allowed(_call(claimant, "weather_forecast"))
	_denied(_call(claimant, "weather_alerts"), "role_missing")
	_denied(_read(claimant, "weather://stations"), "role_missing")
	_denied(_under(_call(claimant, "weather_forecast"), ["bare"]), "virtual_server_excludes")
	_decision(_at(_call(claimant, "boo"), "ghost"), _open).allow == true
	_capabilities(_list(claimant), _data) == object.union(_nothing, {"tools": {"weather": ["forecast"]}})
	_visible(_guarded(_listed(_claimant({"tools": {"ns/a": ["y*"]}}), "tool", ["a_x", "a_y*", "a_y"]), false), _boards) == ["a_y*"]
}

test_a_claim_of_kuadrant_names_resources_by_authority if {
	claimant := _claimant({"resources": {"ns/a": ["board.html"]}})
	_decision(_guarded(_read(claimant, "ui://a_board.html/1"), false), _boards).resource == {
		"type": "resource",
		"server": "ns/a",
		"name": "ui://board.html/1",
	}
	_decision(_guarded(_read(claimant, "ui://a_board.html/1"), false), _boards).allow == true
	_denied_with(_guarded(_read(claimant, "ui://board.html/1"), false), _boards, "item_unknown")
	_denied_with(_guarded(_read(claimant, "urn:b"), false), _boards, "role_missing")
	_visible(_guarded(_listed(claimant, "resource", ["ui://a_board.html/1", "ui://board.html/1", "urn:b"]), false), _boards) == ["ui://a_board.html/1"]
	_capabilities(_guarded(_list(claimant), false), _boards).resources == {"ns/a": ["ui://board.html/1"]}
}

test_without_a_credential_lists_are_empty_or_as_the_virtual_server_says if {
	nobody := _claimant({})
	_visible(_guarded(_listed(nobody, "tool", ["a_x", "other"]), false), _boards) == []
	_visible(_guarded(_listed(nobody, "tool", ["other", "a_x"]), true), _boards) == ["other", "a_x"]
	_visible(_under(_guarded(_listed(nobody, "tool", ["other", "a_x"]), true), ["v"]), _boards) == ["a_x"]
	_visible(_under(_guarded(_listed(nobody, "resource", ["ui://any"]), true), ["v"]), _boards) == ["ui://any"]
	_visible(_under(_guarded(_listed(nobody, "tool", ["a_x"]), true), ["nobody"]), _boards) == []
	_visible(_under(_guarded(_listed(nobody, "resource", ["ui://any"]), true), [null]), _boards) == []
}

test_a_list_that_a_claim_does_not_speak_of_is_as_the_virtual_server_says if {
	claimant := _claimant({"tools": {"ns/a": []}})
	_visible(_guarded(_listed(claimant, "tool", ["a_x"]), true), _boards) == []
	_visible(_guarded(_listed(claimant, "prompt", ["a_p", "other"]), true), _boards) == ["a_p", "other"]
	_visible(_under(_guarded(_listed(claimant, "prompt", ["a_p", "other"]), true), ["v"]), _boards) == ["a_p"]
	_visible(_guarded(_listed(claimant, "prompt", ["a_p", "other"]), false), _boards) == []
}

test_such_a_list_of_a_known_server_has_its_own_names if {
	nobody := _claimant({})
	_visible(_under(_at(_guarded(_listed(nobody, "tool", ["x", "a_x", "y*"]), true), "ns/a"), ["v"]), _boards) == ["x"]
	_visible(_at(_guarded(_listed(nobody, "tool", ["x", "other"]), true), "ns/a"), _boards) == ["x", "other"]
	_visible(_under(_at(_guarded(_listed(nobody, "tool", ["x", "a_x"]), true), "ghost"), ["v"]), _boards) == []
}

test_calls_always_need_a_credential if {
	every unenforced in [true, false] {
		_denied_with(_guarded(_call(_claimant({}), "a_x"), unenforced), _boards, "role_missing")
		_denied_with(_guarded(_read(_claimant({}), "ui://a_board.html/1"), unenforced), _boards, "role_missing")
		_capabilities(_guarded(_list(_claimant({})), unenforced), _boards) == _nothing
	}
}

test_a_template_in_a_guard_of_kuadrant_covers_prefixed_uris if {
	claimant := _claimant({"templates": {"ns/a": ["ui://t/{id}"]}})
	_decision(_guarded(_read(claimant, "ui://a_t/7"), false), _boards).allow == true
	_denied_with(_guarded(_read(claimant, "ui://t/7"), false), _boards, "item_unknown")
	_decision(_guarded(_complete(claimant, "resource", "ui://a_t/{id}"), false), _boards).allow == true
	_visible(_guarded(_listed(claimant, "template", ["ui://a_t/{id}", "ui://t/{id}"]), false), _boards) == ["ui://a_t/{id}"]
}

test_the_index_depends_on_the_data_alone if {
	expected := authz.index with data.mcp.servers as _data.servers with input as {}
	actual := authz.index with data.mcp.servers as _data.servers with input as _call(_alice, "weather_forecast")
		with data.mcp.roles as _data.roles
		with data.mcp.settings as _open.settings
	expected == actual
}
