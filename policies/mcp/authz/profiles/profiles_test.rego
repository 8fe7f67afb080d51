package mcp.authz.profiles_test

import data.mcp.authz.profiles

_strict := {"context": {"profile": "strict"}}

_kuadrant := {"context": {"profile": "kuadrant"}}

test_deny_open_catalogue_by_default_in_strict if {
	not profiles.open_catalogue with input as _strict
	not profiles.open_catalogue with input as {}
	not profiles.open_catalogue with input as _strict with data.mcp.settings as {"catalogue": "closed"}
}

test_allow_open_catalogue_where_it_is_set if {
	profiles.open_catalogue with input as _strict with data.mcp.settings as {"catalogue": "open"}
	profiles.open_catalogue with input as _kuadrant with data.mcp.settings as {"catalogue": "open"}
}

test_allow_open_catalogue_by_default_in_kuadrant if {
	profiles.open_catalogue with input as _kuadrant
	profiles.open_catalogue with input as _kuadrant with data.mcp.settings as {"unprefixed_roles": false}
	not profiles.open_catalogue with input as _kuadrant with data.mcp.settings as {"catalogue": "closed"}
}

test_allow_unprefixed_roles_only_where_true if {
	profiles.unprefixed_roles with data.mcp.settings as {"unprefixed_roles": true}
	not profiles.unprefixed_roles with data.mcp.settings as {"unprefixed_roles": false}
	not profiles.unprefixed_roles with data.mcp.settings as {}
	not profiles.unprefixed_roles
}

test_kuadrant_is_a_profile_of_exactly_that_name if {
	profiles.kuadrant with input as _kuadrant
	every context in [{"profile": "strict"}, {"profile": "Kuadrant"}, {"profile": ""}, {"profile": null}, {}] {
		not profiles.kuadrant with input as {"context": context}
	}
	not profiles.kuadrant with input as {}
}

test_unenforced_is_for_kuadrant_alone if {
	profiles.unenforced with input as {"context": {"profile": "kuadrant", "unenforced": true}}
	not profiles.unenforced with input as {"context": {"profile": "kuadrant", "unenforced": false}}
	not profiles.unenforced with input as {"context": {"profile": "kuadrant"}}
	not profiles.unenforced with input as {"context": {"profile": "strict", "unenforced": true}}
}

test_prefixed_uris_only_where_true if {
	profiles.prefixed_uris with input as {"context": {"prefixed_uris": true}}
	not profiles.prefixed_uris with input as {"context": {"prefixed_uris": false}}
	not profiles.prefixed_uris with input as {"context": {}}
}

test_strict_limits_every_type if {
	every type in ["tool", "prompt", "resource", "template"] {
		profiles.limits("v", type) with input as _strict with data.mcp.virtual_servers as {"v": {}}
	}
}

test_kuadrant_limits_tools_and_prompts_where_it_lists_any if {
	profiles.limits("v", "tool") with input as _kuadrant with data.mcp.virtual_servers as {"v": {}}
	profiles.limits("v", "prompt") with input as _kuadrant with data.mcp.virtual_servers as {"v": {"prompts": ["p"]}}
	not profiles.limits("v", "prompt") with input as _kuadrant with data.mcp.virtual_servers as {"v": {"prompts": []}}
	not profiles.limits("v", "prompt") with input as _kuadrant with data.mcp.virtual_servers as {"v": {}}
	every type in ["resource", "template"] {
		not profiles.limits("v", type) with input as _kuadrant
			with data.mcp.virtual_servers as {"v": {"resources": ["x://a"], "templates": ["x://{a}"]}}
	}
}
