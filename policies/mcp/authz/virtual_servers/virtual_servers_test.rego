package mcp.authz.virtual_servers_test

import data.mcp.authz.virtual_servers

_servers := {"weather": {"prefix": "w_", "tools": ["forecast"]}, "bare": {"tools": ["ping"]}}

_lists := {
	"desk": {"tools": ["w_forecast", "ping", "boo"], "prompts": ["w_brief"], "resources": ["w://a"], "templates": ["w://{id}"]},
	"few": {"tools": ["ping"]},
	"none": {},
	"empty": {"tools": [], "prompts": [], "resources": [], "templates": []},
}

_under(ids, profile) := {"context": {"profile": profile, "virtual_servers": ids}}

_admits(ids, profile, item) if {
	virtual_servers.admits(item[0], item[1], item[2]) with input as _under(ids, profile)
		with data.mcp.servers as _servers
		with data.mcp.virtual_servers as _lists
}

_unknown(ids) if virtual_servers.unknown with input as _under(ids, "strict") with data.mcp.virtual_servers as _lists

_admits_name(ids, profile, type, name) if {
	virtual_servers.admits_name(type, name) with input as _under(ids, profile) with data.mcp.virtual_servers as _lists
}

test_deny_what_is_no_virtual_server if {
	every id in ["nobody", "", null, "Desk", "desk ", " desk", "*", "__proto__", "constructor", "desk\u0000", "de", "tools"] {
		_unknown([id])
		_unknown(["desk", id])
		_unknown([id, "desk"])
		not _admits([id], "strict", ["bare", "tool", "ping"])
		not _admits([id], "kuadrant", ["bare", "resource", "w://a"])
		not _admits(["desk", id], "kuadrant", ["bare", "resource", "w://a"])
		not _admits_name([id], "kuadrant", "resource", "w://a")
	}
	virtual_servers.unknown with input as _under(["desk"], "strict")
}

test_allow_virtual_servers_of_the_data if {
	every ids in [[], ["desk"], ["desk", "desk"], ["desk", "none", "empty"]] {
		not _unknown(ids)
	}
}

test_allow_everything_where_none_is_named if {
	_admits([], "strict", ["weather", "tool", "forecast"])
	_admits([], "strict", ["ghost", "tool", "boo"])
	_admits_name([], "strict", "tool", "anything")
}

test_allow_client_visible_names_in_the_list_of_their_type if {
	every item in [
		["weather", "tool", "forecast"], ["bare", "tool", "ping"], ["weather", "prompt", "brief"],
		["weather", "resource", "w://a"], ["weather", "template", "w://{id}"], ["bare", "resource", "w://a"],
	] {
		_admits(["desk"], "strict", item)
	}
}

test_deny_what_is_not_in_the_list_of_its_type if {
	every item in [
		["weather", "tool", "w_forecast"], ["bare", "tool", "forecast"], ["weather", "prompt", "forecast"],
		["weather", "tool", "brief"], ["weather", "resource", "w://{id}"], ["weather", "resource", "w://b"],
		["weather", "template", "w://a"], ["weather", "tool", ""], ["weather", "server", "forecast"],
	] {
		not _admits(["desk"], "strict", item)
	}
}

test_deny_by_an_absent_list_as_by_an_empty_one if {
	every id in ["none", "empty"] {
		every item in [["bare", "tool", "ping"], ["weather", "prompt", "brief"], ["weather", "resource", "w://a"], ["weather", "template", "w://{id}"]] {
			not _admits([id], "strict", item)
		}
	}
}

test_deny_items_of_a_server_that_is_not_in_the_catalogue if {
	not _admits(["desk"], "strict", ["ghost", "tool", "boo"])
	not _admits(["desk"], "strict", ["ghost", "resource", "w://a"])
	not _admits(["desk"], "kuadrant", ["ghost", "tool", "boo"])
}

test_all_that_are_named_bind if {
	_admits(["desk", "few"], "strict", ["bare", "tool", "ping"])
	not _admits(["desk", "few"], "strict", ["weather", "tool", "forecast"])
	not _admits(["few", "desk"], "strict", ["weather", "tool", "forecast"])
	not _admits(["desk", "none"], "strict", ["bare", "tool", "ping"])
}

test_kuadrant_limits_tools_and_prompts_where_it_lists_any if {
	_admits(["desk"], "kuadrant", ["weather", "tool", "forecast"])
	_admits(["desk"], "kuadrant", ["weather", "prompt", "brief"])
	_admits(["few"], "kuadrant", ["weather", "prompt", "brief"])
	_admits(["empty"], "kuadrant", ["weather", "prompt", "brief"])
	_admits(["none"], "kuadrant", ["weather", "resource", "w://a"])
	_admits(["desk"], "kuadrant", ["weather", "resource", "w://b"])
	_admits(["none"], "kuadrant", ["weather", "template", "w://{id}"])
	not _admits(["desk"], "kuadrant", ["weather", "prompt", "other"])
	not _admits(["few"], "kuadrant", ["weather", "tool", "forecast"])
	not _admits(["none"], "kuadrant", ["bare", "tool", "ping"])
}

test_client_visible_names_are_held_whatever_they_mean if {
	_admits_name(["desk"], "kuadrant", "tool", "boo")
	_admits_name(["desk", "few"], "kuadrant", "tool", "ping")
	_admits_name(["few"], "kuadrant", "prompt", "anything")
	_admits_name(["few"], "kuadrant", "resource", "w://anything")
	_admits_name(["desk"], "strict", "resource", "w://a")
	not _admits_name(["desk"], "kuadrant", "tool", "forecast")
	not _admits_name(["desk", "few"], "kuadrant", "tool", "boo")
	not _admits_name(["desk"], "kuadrant", "prompt", "other")
	not _admits_name(["few"], "strict", "resource", "w://a")
}

test_deny_on_an_empty_input if {
	not virtual_servers.unknown with input as {}
	not virtual_servers.admits("weather", "tool", "forecast") with input as {}
	not virtual_servers.admits_name("tool", "w_forecast") with input as {}
}
