package mcp.authz.limits_test

import data.mcp.authz.limits

_servers := {
	"weather": {"prefix": "w_", "tools": ["forecast", "alerts", "a*b"], "prompts": ["brief"], "resources": ["w://a"], "templates": ["w://{id}"]},
	"bare": {"tools": ["ping"]},
}

_virtual_servers := {
	"desk": {"tools": ["w_forecast", "boo"], "prompts": ["w_brief"]},
	"rooms": {"resources": ["w://a"], "templates": ["w://{id}"], "tools": ["ping"]},
	"empty": {"tools": []},
	"none": {},
	"__proto__": {"tools": ["w_alerts"]},
}

_every_item := {
	["weather", "tool", "forecast"], ["weather", "tool", "alerts"], ["weather", "tool", "a*b"], ["weather", "prompt", "brief"],
	["weather", "resource", "w://a"], ["weather", "template", "w://{id}"], ["bare", "tool", "ping"], ["ghost", "tool", "boo"],
}

_left_by(subject, profile) := {item |
	some item in _every_item
	limits.admits(item[0], item[1], item[2]) with input as {"subject": subject, "context": {"profile": profile, "virtual_servers": []}}
		with data.mcp.servers as _servers
		with data.mcp.virtual_servers as _virtual_servers
}

_left(limit) := left if {
	left := _left_by({"limits": limit}, "strict")
	left == _left_by({"limits": limit}, "kuadrant")
}

test_absent_limits_leave_everything if {
	_left({}) == _every_item
	_left_by({}, "strict") == _every_item
	limits.admits("any", "tool", "thing") with input as {}
}

test_empty_limits_leave_nothing if {
	_left({"virtual_servers": []}) == set()
	_left({"capabilities": {}}) == set()
	_left({"capabilities": {"weather": []}}) == set()
	_left({"virtual_servers": [], "capabilities": {"*": ["tool:*"]}}) == set()
	_left({"virtual_servers": ["desk"], "capabilities": {}}) == set()
}

test_limits_that_cannot_be_read_leave_nothing if {
	every value in [null, 0, "desk", true] {
		_left({"virtual_servers": value}) == set()
		_left({"capabilities": value}) == set()
	}
	_left({"virtual_servers": [null, 7, ["desk"]], "capabilities": {"*": ["tool:*"]}}) == set()
	_left({"capabilities": {"*": [null, 7, {}], "weather": "tool:*"}}) == set()
}

test_an_item_must_be_in_one_of_the_virtual_servers if {
	_left({"virtual_servers": ["desk"]}) == {["weather", "tool", "forecast"], ["weather", "prompt", "brief"]}
	_left({"virtual_servers": ["rooms"]}) == {
		["weather", "resource", "w://a"],
		["weather", "template", "w://{id}"],
		["bare", "tool", "ping"],
	}
	_left({"virtual_servers": ["desk", "rooms"]}) == _left({"virtual_servers": ["desk"]}) | _left({"virtual_servers": ["rooms"]})
	_left({"virtual_servers": ["__proto__"]}) == {["weather", "tool", "alerts"]}
	_left({"virtual_servers": ["empty"]}) == set()
	_left({"virtual_servers": ["none"]}) == set()
}

test_an_unknown_virtual_server_adds_nothing_and_takes_nothing if {
	_left({"virtual_servers": ["nobody"]}) == set()
	_left({"virtual_servers": ["nobody", "desk", ""]}) == _left({"virtual_servers": ["desk"]})
}

test_an_item_must_match_one_of_the_patterns if {
	_left({"capabilities": {"weather": ["tool:forecast", "prompt:*"]}}) == {["weather", "tool", "forecast"], ["weather", "prompt", "brief"]}
	_left({"capabilities": {"weather": ["tool:a*"]}}) == {["weather", "tool", "alerts"], ["weather", "tool", "a*b"]}
	_left({"capabilities": {"*": ["tool:ping", "resource:w://a"]}}) == {["bare", "tool", "ping"], ["weather", "resource", "w://a"]}
	_left({"capabilities": {"bare": ["tool:*"], "*": ["template:*"]}}) == {["bare", "tool", "ping"], ["weather", "template", "w://{id}"]}
}

test_a_final_star_matches_among_catalogued_items_alone if {
	_left({"capabilities": {"ghost": ["tool:boo"]}}) == {["ghost", "tool", "boo"]}
	_left({"capabilities": {"ghost": ["tool:*", "tool:boo*"]}}) == set()
	_left({"capabilities": {"*": ["tool:boo"]}}) == set()
}

test_patterns_without_a_type_match_nothing if {
	_left({"capabilities": {"*": ["*", "forecast", "tool", "tool*", "Tool:*", "server:*", ""]}}) == set()
}

test_both_limits_bind if {
	_left({"virtual_servers": ["desk"], "capabilities": {"*": ["tool:*"]}}) == {["weather", "tool", "forecast"]}
	_left({"virtual_servers": ["rooms"], "capabilities": {"weather": ["tool:*"]}}) == set()
}
