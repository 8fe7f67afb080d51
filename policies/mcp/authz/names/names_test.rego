package mcp.authz.names_test

import data.mcp.authz.names

_servers := {
	"a": {"prefix": "a_", "tools": ["x", "b_x"], "prompts": ["p"], "resources": ["r://one"], "templates": ["r://t/{id}"]},
	"ab": {"prefix": "a_b_", "tools": ["x"]},
	"u1": {"tools": ["x", "same", "a_x"], "resources": ["r://two", "r://both"], "templates": ["r://u/{id}", "r://dup"]},
	"u2": {"tools": ["same"], "resources": ["r://both"], "templates": ["r://u/{id}", "r://u/{+id}"]},
	"off": {"prefix": "a_b_c_", "state": "Disabled", "tools": ["x"], "resources": ["r://off"], "templates": ["o://{id}"]},
	"off2": {"state": "Disabled", "tools": ["lone"]},
}

_owners(type, name) := owners if {
	owners := names.owners(type, name) with data.mcp.servers as _servers with input as {"context": {}}
}

_prefixed(type, name) := owners if {
	owners := names.owners(type, name) with data.mcp.servers as _servers
		with input as {"context": {"prefixed_uris": true}}
}

_visible(server, type, name, prefixed) := visible if {
	visible := names.visible(server, type, name) with data.mcp.servers as _servers
		with input as {"context": {"prefixed_uris": prefixed}}
}

_shadowed(server, type, name) if {
	names.shadowed(server, type, name) with data.mcp.servers as _servers with input as {"context": {}}
}

test_the_longest_prefix_leads_to_its_server if {
	_owners("tool", "a_x") == [{"server": "a", "name": "x"}]
	_owners("tool", "a_b_x") == [{"server": "ab", "name": "x"}]
	_owners("tool", "a_bx") == [{"server": "a", "name": "bx"}]
	_owners("prompt", "a_p") == [{"server": "a", "name": "p"}]
	_owners("tool", "a_unlisted") == [{"server": "a", "name": "unlisted"}]
}

test_the_rest_of_a_name_may_be_anything if {
	every rest in ["", "é", "日本語 tool", "a_", "\u0000", "\n", "__proto__", "*", "a_b_"] {
		_owners("tool", concat("", ["a_", rest])) in [
			[{"server": "a", "name": rest}],
		]
	}
}

test_a_prefix_of_a_disabled_server_leads_nowhere if {
	_owners("tool", "a_b_c_x") == [{"server": "ab", "name": "c_x"}]
	_owners("resource", "r://off") == []
	_owners("resource", "o://1") == []
	_owners("tool", "lone") == []
}

test_servers_without_prefix_come_last_and_must_list_the_name if {
	_owners("tool", "x") == [{"server": "u1", "name": "x"}]
	_owners("prompt", "x") == []
	_owners("tool", "unlisted") == []
	_owners("tool", "") == []
	_owners("tool", "a") == []
	_owners("tool", "A_x") == []
	_owners("tool", "éa_x") == []
	_owners("tool", "é") == []
}

test_two_servers_without_prefix_are_two_owners if {
	_owners("tool", "same") == [{"server": "u1", "name": "same"}, {"server": "u2", "name": "same"}]
}

test_nobody_owns_a_name_where_there_are_no_servers if {
	every type in ["tool", "prompt", "resource", "template"] {
		names.owners(type, "x") == []
	}
}

test_a_uri_belongs_to_whoever_lists_it if {
	_owners("resource", "r://one") == [{"server": "a", "name": "r://one"}]
	_owners("resource", "r://both") == [{"server": "u1", "name": "r://both"}, {"server": "u2", "name": "r://both"}]
	_owners("resource", "a_r://one") == []
}

test_an_unlisted_uri_belongs_to_whose_template_covers_it if {
	_owners("resource", "r://t/1") == [{"server": "a", "name": "r://t/1"}]
	_owners("resource", "r://u/1") == [{"server": "u1", "name": "r://u/1"}, {"server": "u2", "name": "r://u/1"}]
	_owners("resource", "r://u/1/2") == [{"server": "u2", "name": "r://u/1/2"}]
	_owners("resource", "r://t/..") == []
	_owners("resource", "") == []
}

test_listing_comes_before_covering if {
	owners := names.owners("resource", "r://t/1") with data.mcp.servers as object.union(_servers, {"u1": {"resources": ["r://t/1"]}})
		with input as {"context": {}}
	owners == [{"server": "u1", "name": "r://t/1"}]
}

test_a_template_belongs_to_whoever_lists_its_text if {
	_owners("template", "r://t/{id}") == [{"server": "a", "name": "r://t/{id}"}]
	count(_owners("template", "r://u/{id}")) == 2
	_owners("template", "r://t/1") == []
	_owners("template", "o://{id}") == []
}

test_a_client_visible_name_is_prefix_and_name if {
	_visible("a", "tool", "x", false) == "a_x"
	_visible("a", "prompt", "x", false) == "a_x"
	_visible("u1", "tool", "x", false) == "x"
	_visible("a", "resource", "r://one", false) == "r://one"
	_visible("a", "template", "r://t/{id}", false) == "r://t/{id}"
	_visible("off", "tool", "x", false) == "a_b_c_x"
}

test_a_server_that_is_not_in_the_catalogue_has_no_visible_names if {
	every type in ["tool", "prompt", "resource", "template"] {
		not _visible("ghost", type, "r://one", false)
		not _visible("ghost", type, "r://one", true)
	}
}

test_a_broker_of_kuadrant_writes_the_prefix_before_the_authority if {
	_visible("a", "resource", "r://one/x", true) == "r://a_one/x"
	_visible("a", "template", "r://t/{id}", true) == "r://a_t/{id}"
	_visible("u1", "resource", "r://two", true) == "r://two"
	_visible("a", "resource", "urn:one", true) == "urn:one"
	_visible("a", "resource", "r:///path", true) == "r://a_/path"
	_visible("a", "resource", "r://one?u=s://two", true) == "r://a_one?u=s://two"
	_visible("a", "tool", "r://one", true) == "a_r://one"
}

test_what_is_no_authority_gets_no_prefix if {
	every uri in ["urn:x?u=r://one", "://one", "é://one", "1r://one", "/a://b", "", "{s}://one", "mailto:a#b://c"] {
		_visible("a", "resource", uri, true) == uri
	}
}

test_a_prefixed_uri_leads_to_its_server if {
	_prefixed("resource", "r://a_one") == [{"server": "a", "name": "r://one"}]
	_prefixed("resource", "r://two") == [{"server": "u1", "name": "r://two"}]
	_prefixed("resource", "r://a_t/1") == [{"server": "a", "name": "r://t/1"}]
	_prefixed("template", "r://a_t/{id}") == [{"server": "a", "name": "r://t/{id}"}]
	_prefixed("resource", "r://one") == []
	_prefixed("resource", "r://a_a_one") == []
	_prefixed("template", "r://t/{id}") == []
}

test_a_uri_without_authority_is_as_it_stands if {
	servers := {"a": {"prefix": "a_", "resources": ["urn:one", "urn:x?u=r://y"]}}
	every uri in ["urn:one", "urn:x?u=r://y"] {
		owners := names.owners("resource", uri) with data.mcp.servers as servers
			with input as {"context": {"prefixed_uris": true}}
		owners == [{"server": "a", "name": uri}]
	}
}

test_a_template_covers_a_uri_without_authority_as_it_stands if {
	owners := names.owners("resource", "urn:7") with data.mcp.servers as {"a": {"prefix": "a_", "templates": ["urn:{id}"]}}
		with input as {"context": {"prefixed_uris": true}}
	owners == [{"server": "a", "name": "urn:7"}]
}

test_an_authority_that_begins_like_a_prefix_means_itself_elsewhere if {
	servers := {"a": {"prefix": "a_", "resources": ["r://a_x"], "templates": ["r://a_x/{id}"]}}
	every uri in ["r://a_x", "r://a_x/7"] {
		owners := names.owners("resource", uri) with data.mcp.servers as servers with input as {"context": {}}
		owners == [{"server": "a", "name": uri}]
	}
	not names.shadowed("a", "resource", "r://a_x") with data.mcp.servers as servers with input as {"context": {}}
}

test_a_prefixed_uri_is_of_the_server_whose_prefix_it_has if {
	servers := {
		"a": {"prefix": "a_", "resources": ["r://x", "r://y"]},
		"c": {"prefix": "c_", "resources": ["r://x", "r://a_y"]},
		"bare": {"resources": ["r://a_x"]},
	}
	every case in [["r://c_x", ["c"]], ["r://a_y", ["a"]], ["r://c_a_y", ["c"]], ["r://a_x", ["a", "bare"]], ["r://x", []], ["r://", []], ["r://a_", []]] {
		owners := names.owners("resource", case[0]) with data.mcp.servers as servers
			with input as {"context": {"prefixed_uris": true}}
		sort([owner.server | some owner in owners]) == case[1]
	}
}

test_a_name_that_leads_elsewhere_is_shadowed if {
	_shadowed("a", "tool", "b_x")
	_shadowed("a", "prompt", "b_x")
	_shadowed("u1", "tool", "a_x")
	_shadowed("a", "resource", "r://two")
	_shadowed("u2", "resource", "r://t/1")
	_shadowed("a", "template", "r://u/{+id}")
}

test_a_name_that_is_ambiguous_between_others_is_shadowed if {
	_shadowed("a", "resource", "r://both")
	_shadowed("ab", "resource", "r://u/1")
	_shadowed("a", "template", "r://u/{id}")
	names.shadowed("u3", "tool", "same") with data.mcp.servers as object.union(_servers, {"u3": {}}) with input as {"context": {}}
}

test_a_name_that_leads_home_or_nowhere_is_not_shadowed if {
	not _shadowed("a", "tool", "x")
	not _shadowed("u1", "tool", "same")
	not _shadowed("u2", "tool", "same")
	not _shadowed("u1", "resource", "r://both")
	not _shadowed("u1", "resource", "r://u/1")
	not _shadowed("u1", "template", "r://u/{id}")
	not _shadowed("u1", "tool", "nowhere")
	not _shadowed("a", "resource", "r://nowhere")
}

test_nothing_shadows_an_item_of_a_server_that_is_not_in_the_catalogue if {
	not _shadowed("ghost", "tool", "a_x")
	not _shadowed("ghost", "resource", "r://one")
}

test_a_text_is_a_template_where_somebody_lists_it if {
	names.is_template_text("r://t/{id}") with data.mcp.servers as _servers with input as {"resource": {}}
	every text in ["r://t/1", "r://one", "o://{id}", ""] {
		not names.is_template_text(text) with data.mcp.servers as _servers with input as {"resource": {}}
	}
}

test_a_text_is_a_template_of_the_known_server if {
	names.is_template_text("r://t/{id}") with data.mcp.servers as _servers with input as {"resource": {"server": "a"}}
	not names.is_template_text("r://t/{id}") with data.mcp.servers as _servers with input as {"resource": {"server": "u1"}}
	not names.is_template_text("r://t/{id}") with data.mcp.servers as _servers with input as {"resource": {"server": "x"}}
}
