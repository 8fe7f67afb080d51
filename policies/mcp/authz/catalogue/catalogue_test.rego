package mcp.authz.catalogue_test

import data.mcp.authz.catalogue

_servers := {
	"weather": {
		"prefix": "w_",
		"tools": ["forecast", {"name": "alerts", "tags": ["a"]}, "forecast"],
		"prompts": ["brief"],
		"resources": ["w://stations"],
		"templates": ["w://stations/{id}"],
	},
	"bare": {"tools": ["ping"], "resources": ["w://stations"]},
	"empty": {"prefix": "", "state": "Enabled", "tools": ["ping"], "prompts": ["hello"]},
	"off": {"prefix": "o_", "state": "Disabled", "tools": ["t"], "resources": ["w://stations"], "templates": ["w://{a}"]},
	"__proto__": {"prefix": "w_x_"},
}

test_the_index_names_enabled_servers_in_order if {
	catalogue.computed.enabled == ["__proto__", "bare", "empty", "weather"] with data.mcp.servers as _servers
}

test_the_index_lists_items_by_name_whether_strings_or_objects if {
	listed := catalogue.computed.listed with data.mcp.servers as _servers
	listed.weather == {
		"tool": {"forecast": true, "alerts": true},
		"prompt": {"brief": true},
		"resource": {"w://stations": true},
		"template": {"w://stations/{id}": true},
	}
	listed.off.tool == {"t": true}
	count(listed) == 5
}

test_the_index_has_the_prefixes_of_enabled_servers if {
	computed := catalogue.computed with data.mcp.servers as _servers
	computed.prefixes == {"w_": "weather", "w_x_": "__proto__"}
	computed.prefix_lengths == [4, 2]
}

test_the_index_has_the_owners_of_names_without_prefix if {
	unprefixed := catalogue.computed.unprefixed with data.mcp.servers as _servers
	unprefixed == {"tool": {"ping": ["bare", "empty"]}, "prompt": {"hello": ["empty"]}}
}

test_the_index_has_the_owners_of_uris if {
	uris := catalogue.computed.uris with data.mcp.servers as _servers
	uris == {"resource": {"w://stations": ["bare", "weather"]}, "template": {"w://stations/{id}": ["weather"]}}
}

test_the_index_has_templates_ready_for_matching if {
	templates := catalogue.computed.templates with data.mcp.servers as _servers
	templates.weather["w://stations/{id}"].head == "w://stations/"
	object.keys(templates) == {"weather", "off"}
}

test_the_index_of_no_data_is_empty if {
	empty := {
		"enabled": [],
		"listed": {},
		"prefixes": {},
		"prefix_lengths": [],
		"unprefixed": {"tool": {}, "prompt": {}},
		"uris": {"resource": {}, "template": {}},
		"templates": {},
		"annotations": {},
	}
	catalogue.computed == empty
	catalogue.computed == empty with data.mcp.servers as {}
}

test_annotations_are_what_the_catalogue_says_each_time if {
	servers := {"s": {"tools": ["a", {"name": "b"}, {"name": "c", "annotations": {"x": 1}}, {"name": "c", "annotations": {}}, {"name": "d", "annotations": {"x": 1}}, "d", {"name": "e", "annotations": {"x": 1}}, {"name": "e", "tags": []}]}}
	catalogue.annotations("s", "tool", "a") == [{}] with data.mcp.servers as servers
	catalogue.annotations("s", "tool", "b") == [{}] with data.mcp.servers as servers
	catalogue.annotations("s", "tool", "c") == {{"x": 1}, {}} with data.mcp.servers as servers
	catalogue.annotations("s", "tool", "d") == {{"x": 1}, {}} with data.mcp.servers as servers
	catalogue.annotations("s", "tool", "e") == {{"x": 1}, {}} with data.mcp.servers as servers
	catalogue.annotations("none", "tool", "c") == [{}] with data.mcp.servers as servers
}

test_a_broken_item_is_left_out if {
	listed := catalogue.computed.listed with data.mcp.servers as {"s": {"tools": ["a", {"tags": []}, 7, null, ["b"]]}}
	listed.s.tool == {"a": true}
}

test_tables_are_the_index_of_the_host_or_computed if {
	catalogue.tables == {"enabled": ["given"]} with data.mcp_index as {"enabled": ["given"]}
	catalogue.tables == catalogue.computed with data.mcp.servers as _servers
}

test_a_server_is_known_enabled_or_not if {
	every server in ["weather", "bare", "off", "__proto__"] {
		catalogue.known(server) with data.mcp.servers as _servers
	}
	every server in ["", "*", "Weather", "weather ", "constructor", "toString"] {
		not catalogue.known(server) with data.mcp.servers as _servers
	}
	not catalogue.known("weather")
}

test_a_server_is_disabled_by_its_state if {
	catalogue.disabled("off") with data.mcp.servers as _servers
	every server in ["weather", "bare", "empty", "none"] {
		not catalogue.disabled(server) with data.mcp.servers as _servers
	}
	not catalogue.disabled("off")
}

test_items_are_listed_by_type_and_exact_name if {
	catalogue.listed("weather", "tool", "alerts") with data.mcp.servers as _servers
	every item in [
		["weather", "prompt", "alerts"], ["weather", "tool", "w_alerts"], ["weather", "tool", "Alerts"],
		["weather", "tool", ""], ["weather", "tool", "alerts\u0000"], ["weather", "tool", "__proto__"],
		["bare", "tool", "alerts"], ["weather", "server", "alerts"], ["none", "tool", "alerts"],
	] {
		not catalogue.listed(item[0], item[1], item[2]) with data.mcp.servers as _servers
	}
}

test_a_prefix_is_empty_where_there_is_none if {
	catalogue.prefix("weather") == "w_" with data.mcp.servers as _servers
	catalogue.prefix("bare") == "" with data.mcp.servers as _servers
	catalogue.prefix("empty") == "" with data.mcp.servers as _servers
}
