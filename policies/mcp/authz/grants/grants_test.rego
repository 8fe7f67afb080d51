package mcp.authz.grants_test

import data.mcp.authz.grants

_servers := {
	"weather": {"tools": ["forecast", "alerts", "fore*", "a:b", "é"], "prompts": ["brief"], "resources": ["w://h:1/a"]},
	"other": {"tools": ["forecast"]},
	"*": {"tools": ["star"]},
}

_with_grants(values) := {"subject": {"grants": {"weather": values}, "roles": []}, "context": {"profile": "strict"}}

_with_role := {"subject": {"grants": {}, "roles": ["r"]}, "context": {"profile": "strict"}}

_with_claim(capabilities, profile) := {
	"subject": {"grants": {}, "roles": [], "capabilities": capabilities},
	"context": {"profile": profile},
}

_by_token(value, type, name) if {
	grants.granted("weather", type, name) with input as _with_grants([value]) with data.mcp.servers as _servers
}

_by_role(patterns, server, type, name) if {
	grants.granted(server, type, name) with input as _with_role
		with data.mcp.servers as _servers
		with data.mcp.roles as {"r": patterns}
}

test_allow_what_a_token_names_exactly if {
	_by_token("tool:forecast", "tool", "forecast")
	_by_token("prompt:forecast", "prompt", "forecast")
	_by_token("resource:w://h:1/a", "resource", "w://h:1/a")
	_by_token("template:w://{id}", "template", "w://{id}")
	_by_token("tool:not listed", "tool", "not listed")
}

test_allow_a_name_that_holds_colons if {
	_by_token("tool:a:b", "tool", "a:b")
	not _by_token("tool:a:b", "tool", "a")
	not _by_token("tool:a:b", "tool", "b")
	not _by_token("tool::b", "tool", "b")
	_by_token("tool::b", "tool", ":b")
}

test_deny_wildcards_of_a_token if {
	every value in ["tool:*", "tool:fore*", "*", "*:forecast", "tool:**", "to*", "tool:f*t*"] {
		not _by_token(value, "tool", "forecast")
	}
	not _by_token("tool:fore*", "tool", "fore*")
	not _by_token("tool:*", "tool", "*")
}

test_allow_a_star_elsewhere_in_a_token_as_a_letter if {
	_by_token("tool:f*t", "tool", "f*t")
	_by_token("tool:*t", "tool", "*t")
	not _by_token("tool:f*t", "tool", "forecast")
}

test_deny_what_a_token_does_not_name_exactly if {
	every value in [
		"tool:Forecast", "Tool:forecast", "TOOL:forecast", " tool:forecast", "tool: forecast", "tool:forecast ", "tool :forecast",
		"tool:forecast\u0000", "tool:forecast\n", "tool:forecas", "tool:forecasts", "tools:forecast", "forecast", ":forecast",
		"server:forecast", "admin", "", ":", "tool", "tool:", "prompt:forecast",
	] {
		not _by_token(value, "tool", "forecast")
	}
}

test_deny_an_empty_name if {
	not _by_token("tool:", "tool", "")
	not _by_token("", "tool", "")
	not _by_token(":", "tool", "")
	not grants.granted("weather", "tool", "") with input as _with_grants([""])
		with data.mcp.settings as {"unprefixed_roles": true}
}

test_deny_on_another_server_than_the_grant_names if {
	subject := _with_grants(["tool:forecast"])
	every server in ["other", "*", "", "Weather", "weather ", "__proto__"] {
		not grants.granted(server, "tool", "forecast") with input as subject with data.mcp.servers as _servers
	}
}

test_allow_adversarial_names_as_names if {
	every name in ["__proto__", "constructor", "é", "日本語", "a\nb", "a\u0000b", " ", "\\", "\"", "%2e", "{id}", "**a"] {
		value := concat(":", ["tool", name])
		_by_token(value, "tool", name)
		not _by_token(value, "tool", concat("", [name, "x"]))
	}
	grants.granted("__proto__", "tool", "t") with input as {"subject": {"grants": {"__proto__": ["tool:t"]}, "roles": []}}
	grants.granted("*", "tool", "t") with input as {"subject": {"grants": {"*": ["tool:t"]}, "roles": []}}
}

test_allow_a_grant_without_colon_as_a_tool_where_set if {
	every case in [["forecast", "forecast"], ["admin", "admin"], ["tool", "tool"], ["tool:a:b", "a:b"]] {
		grants.granted("weather", "tool", case[1]) with input as _with_grants([case[0]])
			with data.mcp.settings as {"unprefixed_roles": true}
	}
}

test_deny_other_grants_without_colon_where_set if {
	every case in [["forecast", "prompt", "forecast"], ["*", "tool", "*"], ["fore*", "tool", "fore*"], ["fore*", "tool", "forecast"], ["a:b", "tool", "a:b"]] {
		not grants.granted("weather", case[1], case[2]) with input as _with_grants([case[0]])
			with data.mcp.settings as {"unprefixed_roles": true}
	}
}

test_deny_a_grant_without_colon_by_default if {
	not _by_token("forecast", "tool", "forecast")
	not grants.granted("weather", "tool", "forecast") with input as _with_grants(["forecast"])
		with data.mcp.settings as {"unprefixed_roles": false}
}

test_allow_patterns_of_a_role if {
	_by_role({"weather": ["tool:forecast"]}, "weather", "tool", "forecast")
	_by_role({"weather": ["tool:*"]}, "weather", "tool", "forecast")
	_by_role({"weather": ["tool:fore*"]}, "weather", "tool", "forecast")
	_by_role({"weather": ["tool:forecast*"]}, "weather", "tool", "forecast")
	_by_role({"weather": ["tool:x", "prompt:*", "tool:a*"]}, "weather", "tool", "alerts")
	_by_role({"weather": ["resource:w://*"]}, "weather", "resource", "w://h:1/a")
	_by_role({"weather": ["tool:fore*"]}, "weather", "tool", "fore*")
	_by_role({"weather": ["tool:é*"]}, "weather", "tool", "é")
}

test_deny_what_no_pattern_matches if {
	every pattern in ["tool:fore", "tool:", "tool:cast*", "tool:Fore*", "prompt:*", "tool:f*t", "tool:f*t*", "tool:**", "tool:*t", "*", "to*", "tool", ""] {
		not _by_role({"weather": [pattern]}, "weather", "tool", "forecast")
	}
}

test_a_suffix_wildcard_matches_catalogued_items_only if {
	not _by_role({"weather": ["tool:*"]}, "weather", "tool", "unlisted")
	not _by_role({"weather": ["tool:unl*"]}, "weather", "tool", "unlisted")
	not _by_role({"ghost": ["tool:*"]}, "ghost", "tool", "boo")
	_by_role({"weather": ["tool:unlisted"]}, "weather", "tool", "unlisted")
	_by_role({"ghost": ["tool:boo"]}, "ghost", "tool", "boo")
}

test_a_star_before_the_end_is_a_letter if {
	_by_role({"weather": ["tool:f*t"]}, "weather", "tool", "f*t")
	not _by_role({"weather": ["tool:f*t"]}, "weather", "tool", "forecast")
	grants.granted("s", "tool", "f*tx") with input as _with_role
		with data.mcp.servers as {"s": {"tools": ["f*tx", "fortx"]}}
		with data.mcp.roles as {"r": {"s": ["tool:f*t*"]}}
	not grants.granted("s", "tool", "fortx") with input as _with_role
		with data.mcp.servers as {"s": {"tools": ["f*tx", "fortx"]}}
		with data.mcp.roles as {"r": {"s": ["tool:f*t*"]}}
}

test_the_key_star_is_every_server_of_the_catalogue if {
	_by_role({"*": ["tool:*"]}, "weather", "tool", "forecast")
	_by_role({"*": ["tool:*"]}, "other", "tool", "forecast")
	_by_role({"*": ["tool:*"]}, "*", "tool", "star")
	_by_role({"*": ["tool:boo"]}, "weather", "tool", "boo")
	not _by_role({"*": ["tool:boo"]}, "ghost", "tool", "boo")
	not _by_role({"*": ["tool:boo"]}, "", "tool", "boo")
}

test_the_key_star_is_not_the_server_of_that_id_where_there_is_none if {
	not grants.granted("*", "tool", "boo") with input as _with_role
		with data.mcp.servers as {"weather": {}}
		with data.mcp.roles as {"r": {"*": ["tool:boo"]}}
}

test_a_role_grants_on_its_own_servers_only if {
	not _by_role({"other": ["tool:*"]}, "weather", "tool", "forecast")
	not _by_role({"weather*": ["tool:*"]}, "weather", "tool", "forecast")
	not _by_role({"Weather": ["tool:*"]}, "weather", "tool", "forecast")
	_by_role({"other": ["tool:x"], "weather": ["tool:*"], "*": ["prompt:*"]}, "weather", "tool", "forecast")
	_by_role({"other": ["tool:x"], "weather": ["tool:*"], "*": ["prompt:*"]}, "weather", "prompt", "brief")
}

test_deny_a_role_that_is_not_in_the_data if {
	every roles in [["R"], ["r "], ["*"], [""], ["__proto__"], ["constructor"], ["x", "y"], []] {
		not grants.granted("weather", "tool", "forecast") with input as {"subject": {"grants": {}, "roles": roles}}
			with data.mcp.servers as _servers
			with data.mcp.roles as {"r": {"*": ["tool:*"]}}
	}
	not grants.granted("weather", "tool", "forecast") with input as _with_role with data.mcp.servers as _servers
}

test_allow_by_any_of_several_roles if {
	grants.granted("weather", "tool", "forecast") with input as {"subject": {"grants": {}, "roles": ["x", "r", "__proto__"]}}
		with data.mcp.servers as _servers
		with data.mcp.roles as {"r": {"other": ["tool:*"]}, "__proto__": {"weather": ["tool:forecast"]}}
}

_roles_of(subject) := roles if {
	roles := grants.roles with input as {"subject": subject}
		with data.mcp.roles as {"r": {}, "s": {}, "t": {}, "__proto__": {}}
		with data.mcp.groups as {"staff": ["r", "s"], "Staff": ["t"], "__proto__": ["__proto__"], "empty": [], "odd": ["none"]}
}

test_roles_are_those_of_the_credential_and_of_its_groups if {
	_roles_of({"roles": ["r"]}) == {"r"}
	_roles_of({"roles": ["r", "none", "staff"]}) == {"r"}
	_roles_of({"roles": [], "groups": ["staff"]}) == {"r", "s"}
	_roles_of({"roles": ["t", "r"], "groups": ["staff", "staff"]}) == {"r", "s", "t"}
	_roles_of({"groups": ["__proto__"]}) == {"__proto__"}
}

test_a_group_that_is_not_in_the_data_has_no_roles if {
	every group in ["", "r", "STAFF", "staff ", "/staff", "constructor", "toString", "*", "empty", "odd"] {
		_roles_of({"roles": [], "groups": [group]}) == set()
	}
	grants.roles == set() with input as {"subject": {"groups": ["staff"]}} with data.mcp.roles as {"r": {}}
	grants.roles == set() with input as {"subject": {"groups": ["staff"]}} with data.mcp.groups as {"staff": ["r"]}
	grants.roles == set() with input as {}
}

test_a_withdrawn_role_is_none_whoever_says_it if {
	_roles_of({"roles": ["r", "t"], "withdrawn_roles": ["r"]}) == {"t"}
	_roles_of({"roles": ["r"], "groups": ["staff"], "withdrawn_roles": ["r", "none"]}) == {"s"}
	_roles_of({"roles": ["r"], "groups": ["staff"], "withdrawn_roles": ["r", "s"]}) == set()
	_roles_of({"roles": ["r"], "groups": ["staff"], "withdrawn_roles": ["staff", "R"]}) == {"r", "s"}
	_roles_of({"roles": ["__proto__"], "withdrawn_roles": ["__proto__"]}) == set()
	_roles_of({"roles": ["r"], "withdrawn_roles": []}) == {"r"}
}

test_a_role_of_a_group_grants_as_any_role_does if {
	member := {"subject": {"grants": {}, "roles": [], "groups": ["staff"]}}
	found := {[name, named] |
		some name in ["forecast", "alerts", "é"]
		grants.granted("weather", "tool", name) with input as member
			with data.mcp.servers as _servers
			with data.mcp.roles as {"r": {"weather": ["tool:f*"], "*": ["tool:é"]}, "elsewhere": {"ghost": []}}
			with data.mcp.groups as {"staff": ["r", "elsewhere"]}
		named := {name |
			grants.named("weather", "tool", name) with input as member
				with data.mcp.servers as _servers
				with data.mcp.roles as {"r": {"weather": ["tool:f*"], "*": ["tool:é"]}}
				with data.mcp.groups as {"staff": ["r"]}
		}
	}
	found == {["forecast", set()], ["é", {"é"}]}
	servers := grants.servers with input as member
		with data.mcp.roles as {"r": {"weather": []}, "s": {"ghost": []}}
		with data.mcp.groups as {"staff": ["r", "s"]}
	servers == {"weather", "ghost"}
	names := grants.names("weather", "tool") with input as object.union(member, {"subject": {"withdrawn_roles": ["s"]}})
		with data.mcp.servers as _servers
		with data.mcp.roles as {"r": {"weather": ["tool:a"]}, "s": {"weather": ["tool:b"]}}
		with data.mcp.groups as {"staff": ["r", "s"]}
	names == {"a"}
}

test_named_is_a_grant_that_holds_no_wildcard if {
	data_roles := {"r": {"weather": ["tool:forecast", "tool:al*"]}}
	grants.named("weather", "tool", "forecast") with input as _with_role
		with data.mcp.servers as _servers
		with data.mcp.roles as data_roles
	not grants.named("weather", "tool", "alerts") with input as _with_role
		with data.mcp.servers as _servers
		with data.mcp.roles as data_roles
	not grants.named("weather", "tool", "al*") with input as _with_role
		with data.mcp.servers as _servers
		with data.mcp.roles as data_roles
}

test_allow_what_a_capability_claim_names_exactly if {
	claim := {"tools": {"weather": ["forecast", "fore*", "*"]}, "prompts": {"other": ["brief"]}}
	every name in ["forecast", "fore*", "*"] {
		grants.named("weather", "tool", name) with input as _with_claim(claim, "strict")
	}
	every item in [["weather", "tool", "alerts"], ["weather", "prompt", "brief"], ["weather", "prompt", "forecast"], ["other", "tool", "forecast"]] {
		not grants.granted(item[0], item[1], item[2]) with input as _with_claim(claim, "strict")
			with data.mcp.servers as _servers
	}
}

test_allow_uris_of_a_capability_claim_in_strict if {
	claim := {"resources": {"weather": ["w://h:1/a"]}, "templates": {"weather": ["w://{id}"]}}
	grants.granted("weather", "resource", "w://h:1/a") with input as _with_claim(claim, "strict")
	grants.granted("weather", "template", "w://{id}") with input as _with_claim(claim, "strict")
	not grants.granted("weather", "resource", "w://h:1/b") with input as _with_claim(claim, "strict")
	not grants.granted("weather", "resource", "h:1") with input as _with_claim(claim, "strict")
	authorities := {"resources": {"weather": ["h:1"]}}
	not grants.granted("weather", "resource", "w://h:1/a") with input as _with_claim(authorities, "strict")
}

test_allow_authorities_of_a_capability_claim_in_kuadrant if {
	claim := {"resources": {"weather": ["h:1"]}, "templates": {"weather": ["w://{id}"]}, "tools": {"weather": ["h"]}}
	every uri in ["w://h:1/a", "w://h:1", "x://h:1?q", "w://h:1#f"] {
		grants.granted("weather", "resource", uri) with input as _with_claim(claim, "kuadrant")
	}
	every uri in ["w://h:2/a", "w://h/a", "w://H:1/a", "h:1", "w:h:1", "w:///h:1", "w://h:1.evil", "w://u@h:1/", "1w://h:1"] {
		not grants.granted("weather", "resource", uri) with input as _with_claim(claim, "kuadrant")
	}
	grants.granted("weather", "template", "w://{id}") with input as _with_claim(claim, "kuadrant")
	grants.granted("weather", "tool", "h") with input as _with_claim(claim, "kuadrant")
}

test_deny_a_whole_uri_in_a_claim_of_kuadrant if {
	not grants.granted("weather", "resource", "w://h:1/a") with input as _with_claim({"resources": {"weather": ["w://h:1/a"]}}, "kuadrant")
}

test_the_authority_of_a_uri if {
	every case in [
		["https://a.example:8080/x", "a.example:8080"], ["w://stations", "stations"], ["w://u:p@h?q", "u:p@h"],
		["w://[::1]:80/#f", "[::1]:80"], ["ui://board.html", "board.html"], ["a+b-c.1://h#f", "h"],
	] {
		grants.authority(case[0]) == case[1]
	}
	every uri in ["", "w:", "w:/h", "w://", "w:///h", "w://?h", "w://#h", "://h", "//h", "1w://h", "é://h", " w://h", "urn:a:b"] {
		not grants.authority(uri)
	}
}

test_what_a_claim_does_not_speak_of_is_unclaimed_where_told if {
	claim := {"tools": {}, "resources": {"weather": []}}
	every type in ["prompt", "template"] {
		grants.unclaimed(type) with input as object.union(_with_claim(claim, "kuadrant"), {"context": {"unenforced": true}})
	}
	every type in ["tool", "resource", "server"] {
		not grants.unclaimed(type) with input as object.union(_with_claim(claim, "kuadrant"), {"context": {"unenforced": true}})
	}
	not grants.unclaimed("prompt") with input as _with_claim(claim, "kuadrant")
	not grants.unclaimed("prompt") with input as object.union(
		_with_claim(claim, "kuadrant"),
		{"subject": {"limits": {}}, "context": {"unenforced": true}},
	)
	not grants.unclaimed("prompt") with input as object.union(_with_claim(claim, "strict"), {"context": {"unenforced": true}})
	not grants.unclaimed("prompt") with input as object.union(_with_role, {"context": {"profile": "kuadrant", "unenforced": true}})
}

test_names_hold_whatever_a_grant_may_name if {
	subject := {"subject": {
		"grants": {"weather": ["tool:a", "prompt:b", "bare", "tool:c:d"], "other": ["tool:no"]},
		"roles": ["r"],
		"capabilities": {"tools": {"weather": ["claimed"]}, "prompts": {"weather": ["no"]}},
	}}
	found := grants.names("weather", "tool") with input as subject
		with data.mcp.servers as _servers
		with data.mcp.roles as {"r": {"weather": ["tool:e"], "*": ["tool:f"]}}
	found == {"a", "c:d", "e", "f", "claimed"}
	more := grants.names("weather", "tool") with input as subject with data.mcp.settings as {"unprefixed_roles": true}
	"bare" in more
	prompts := grants.names("weather", "prompt") with input as subject with data.mcp.settings as {"unprefixed_roles": true}
	prompts == {"b", "no"}
}

test_servers_are_all_that_grants_name if {
	servers := grants.servers with input as {"subject": {
		"grants": {"a": []},
		"roles": ["r", "none"],
		"capabilities": {"tools": {"c": []}, "prompts": {"d": []}},
	}}
		with data.mcp.roles as {"r": {"b": [], "*": []}, "other": {"e": []}}
	servers == {"a", "b", "*", "c", "d"}
}
