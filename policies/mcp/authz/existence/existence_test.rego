package mcp.authz.existence_test

import data.mcp.authz.existence

_servers := {
	"a": {
		"prefix": "a_",
		"tools": ["x", {"name": "y", "annotations": {}}, "b_x"],
		"resources": ["r://one"],
		"templates": ["r://t/{id}", "r://{+all}"],
	},
	"ab": {"prefix": "a_b_", "tools": ["x"]},
	"bare": {"tools": ["z", "a_z"], "resources": ["r://bare"], "templates": ["r://b/{id}"]},
	"off": {"state": "Disabled", "tools": ["x"]},
}

_subject(grants) := {
	"subject": {"grants": grants, "roles": ["r"]},
	"context": {"profile": "strict", "virtual_servers": []},
	"resource": {},
}

_roles := {"r": {"a": ["tool:literal", "tool:wild*"], "off": ["tool:new"], "*": ["prompt:everywhere"]}}

_exists(settings, item) if {
	existence.exists(item[0], item[1], item[2]) with input as _subject({
		"a": ["tool:granted", "tool:b_new", "tool:star*", "template:r://open/{id}"],
		"ghost": ["tool:boo", "prompt:"],
		"off": ["tool:new"],
		"bare": ["tool:a_new", "resource:r://one", "resource:n://new"],
	})
		with data.mcp.servers as _servers
		with data.mcp.roles as _roles
		with data.mcp.settings as settings
}

test_allow_what_is_listed_whoever_asks if {
	every item in [["a", "tool", "x"], ["a", "tool", "y"], ["a", "resource", "r://one"], ["a", "template", "r://t/{id}"], ["bare", "tool", "z"]] {
		_exists({}, item)
		_exists({"catalogue": "open"}, item)
	}
}

test_deny_what_is_not_listed_in_a_closed_catalogue if {
	every item in [
		["a", "tool", "granted"], ["a", "tool", "literal"], ["a", "prompt", "everywhere"], ["ghost", "tool", "boo"],
		["bare", "resource", "n://new"], ["a", "tool", "a_x"], ["a", "prompt", "x"], ["a", "tool", ""], ["none", "tool", "x"],
	] {
		not _exists({"catalogue": "closed"}, item)
		not _exists({}, item)
	}
}

test_allow_what_is_granted_by_name_in_an_open_catalogue if {
	every item in [
		["a", "tool", "granted"], ["a", "tool", "literal"], ["a", "prompt", "everywhere"], ["ghost", "tool", "boo"],
		["bare", "resource", "n://new"], ["a", "template", "r://open/{id}"],
	] {
		_exists({"catalogue": "open"}, item)
	}
}

test_deny_what_nobody_names_in_an_open_catalogue if {
	every item in [
		["a", "tool", "wild"], ["a", "tool", "wilder"], ["a", "tool", "wild*"], ["a", "tool", "star"], ["a", "tool", "star*"],
		["ghost", "tool", "other"], ["ghost", "prompt", ""], ["ghost", "prompt", "everywhere"], ["ab", "tool", "granted"],
	] {
		not _exists({"catalogue": "open"}, item)
	}
}

test_the_catalogue_of_kuadrant_is_open_by_default if {
	subject := object.union(_subject({"ghost": ["tool:boo"]}), {"context": {"profile": "kuadrant"}})
	existence.exists("ghost", "tool", "boo") with input as subject
	not existence.exists("ghost", "tool", "boo") with input as subject with data.mcp.settings as {"catalogue": "closed"}
}

test_deny_whatever_is_on_a_disabled_server if {
	every item in [["off", "tool", "x"], ["off", "tool", "new"], ["off", "prompt", "everywhere"]] {
		not _exists({}, item)
		not _exists({"catalogue": "open"}, item)
	}
}

test_deny_what_leads_elsewhere if {
	not _exists({}, ["a", "tool", "b_x"])
	not _exists({}, ["bare", "tool", "a_z"])
	every item in [["a", "tool", "b_new"], ["bare", "tool", "a_new"], ["bare", "resource", "r://one"]] {
		not _exists({"catalogue": "open"}, item)
	}
}

test_candidates_are_listed_or_granted_by_name_where_open if {
	subject := _subject({"a": ["tool:granted"]})
	closed := existence.candidates("a", "tool") with input as subject with data.mcp.servers as _servers
		with data.mcp.roles as _roles
	closed == {"x", "y", "b_x"}
	open := existence.candidates("a", "tool") with input as subject with data.mcp.servers as _servers
		with data.mcp.roles as _roles
		with data.mcp.settings as {"catalogue": "open"}
	open == {"x", "y", "b_x", "granted", "literal", "wild*"}
	existence.candidates("none", "tool") == set() with input as subject
}

test_servers_are_those_of_the_catalogue_and_of_grants_where_open if {
	subject := _subject({"ghost": ["tool:boo"]})
	closed := existence.servers with input as subject with data.mcp.servers as _servers with data.mcp.roles as _roles
	closed == {"a", "ab", "bare", "off"}
	open := existence.servers with input as subject with data.mcp.servers as _servers
		with data.mcp.settings as {"catalogue": "open"}
	open == {"a", "ab", "bare", "off", "ghost"}
	existence.servers == set() with input as {}
}

_routes(server, type, name, settings) := routes if {
	routes := existence.routes(server, type, name) with input as _subject({"a": ["template:r://open/{id}"], "ghost": ["template:g://{id}"]})
		with data.mcp.servers as _servers
		with data.mcp.settings as settings
}

test_an_unlisted_uri_is_granted_by_itself_or_what_covers_it if {
	_routes("a", "resource", "r://t/1", {}) == [
		{"type": "resource", "name": "r://t/1"},
		{"type": "template", "name": "r://t/{id}"},
		{"type": "template", "name": "r://{+all}"},
	]
	_routes("ab", "resource", "r://t/1", {}) == [{"type": "resource", "name": "r://t/1"}]
	_routes("a", "resource", "r://t/..", {}) == [{"type": "resource", "name": "r://t/.."}]
}

test_a_listed_uri_is_granted_by_itself_alone if {
	_routes("a", "resource", "r://one", {}) == [{"type": "resource", "name": "r://one"}]
}

test_other_types_are_granted_by_themselves_alone if {
	_routes("a", "tool", "r://t/1", {}) == [{"type": "tool", "name": "r://t/1"}]
	_routes("a", "template", "r://t/1", {}) == [{"type": "template", "name": "r://t/1"}]
}

test_a_template_that_is_granted_in_an_open_catalogue_covers_too if {
	{"type": "template", "name": "r://open/{id}"} in _routes("a", "resource", "r://open/1", {"catalogue": "open"})
	not {"type": "template", "name": "r://open/{id}"} in _routes("a", "resource", "r://open/1", {"catalogue": "closed"})
	_routes("ghost", "resource", "g://1", {"catalogue": "open"}) == [
		{"type": "resource", "name": "g://1"},
		{"type": "template", "name": "g://{id}"},
	]
}

test_deny_what_was_seen_with_another_definition if {
	changed := {"a": {"tool": {"x": true, "granted": true}, "resource": {"r://one": true}}}
	every item in [["a", "tool", "x"], ["a", "tool", "granted"], ["a", "resource", "r://one"]] {
		not _exists({"catalogue": "open"}, item) with data.mcp_changed as changed
		_exists({"catalogue": "open"}, item)
	}
	every item in [["a", "tool", "y"], ["bare", "tool", "z"], ["a", "template", "r://t/{id}"]] {
		_exists({}, item) with data.mcp_changed as changed
	}
}
