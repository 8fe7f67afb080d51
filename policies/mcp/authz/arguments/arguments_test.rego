package mcp.authz.arguments_test

import data.mcp.authz
import data.mcp.authz.arguments

_rule(values) := {"weather": {"tool:alert": {"values": values}}}

_asked(given) := {
	"subject": {"id": "u", "roles": ["operator"], "grants": {}},
	"action": {"name": "tools/call"},
	"resource": {"type": "tool", "name": "alert", "arguments": given},
	"context": {"profile": "strict", "virtual_servers": []},
}

_refused(rules, given) := [reason.required | some reason in reasons] if {
	reasons := arguments.reasons("weather", "tool", "alert") with input as _asked(given) with data.mcp.arguments as rules
	every reason in reasons {
		reason.code == "argument_refused"
	}
}

_admits(limits, value) if _refused(_rule({"x": limits}), {"x": value}) == []

_possible(rules) if {
	arguments.possible("weather", "tool", "alert") with input as _asked({}) with data.mcp.arguments as rules
}

test_without_rules_every_argument_is_free if {
	arguments.reasons("weather", "tool", "alert") == [] with input as _asked({"anything": [null]})
	arguments.reasons("weather", "tool", "alert") == [] with input as _asked("no object")
	_refused(_rule({}), {"anything": 1}) == []
	_refused({"weather": {"tool:other": {"only": []}}, "other": {"tool:alert": {"only": []}}}, {"x": 1}) == []
}

test_an_enum_holds_its_values_alone if {
	limits := {"enum": ["low", 1, true]}
	every value in ["low", 1, 1.0, true] {
		_admits(limits, value)
	}
	every value in ["Low", "1", 2, false, null, ["low"], {"low": 1}] {
		not _admits(limits, value)
	}
	not _admits({"enum": []}, "low")
}

test_bounds_hold_for_numbers_alone if {
	every value in [1, 1.5, 7] {
		_admits({"min": 1, "max": 7}, value)
	}
	every value in [0, 7.01, "3", null, true, [3], {}] {
		not _admits({"min": 1, "max": 7}, value)
	}
	not _admits({"min": 1}, "a")
	not _admits({"max": 1}, [])
}

test_numbers_beyond_those_that_readers_agree_on_are_refused if {
	_admits({"min": 1}, 9007199254740991)
	not _admits({"min": 1}, 9007199254740992)
	not _admits({"max": 1}, -9007199254740992)
}

test_a_prefix_and_a_length_hold_for_text_alone if {
	_admits({"prefix": "Ber"}, "Berlin")
	_admits({"max_length": 2}, "äö")
	every value in ["ber", "Be", "", 7, null, ["Berlin"]] {
		not _admits({"prefix": "Ber"}, value)
	}
	every value in ["äöü", 1, null, [], {}] {
		not _admits({"max_length": 2}, value)
	}
}

test_a_path_stays_below_its_folder if {
	every path in ["/srv", "/srv/", "/srv/a", "/srv/a/b.txt", "/srv/...a", "/srv/.hidden"] {
		_admits({"below": "/srv"}, path)
	}
	every path in [
		"/srvx", "/srv/..", "/srv/../etc", "/srv/./a", "/srv//a", `/srv/..\etc`, "/srv/%2e%2e/etc", "/srv/.. /etc", "/srv/...",
		"/srv/a\u0000", "/", "", "srv/a", 7, null, ["/srv"],
	] {
		not _admits({"below": "/srv"}, path)
	}
	_admits({"below": "/"}, "/etc")
	_admits({"below": "/srv/"}, "/srv/a")
	not _admits({"below": "/"}, "etc")
	not _admits({"below": ".."}, "../a")
}

test_what_is_not_there_is_free_unless_required if {
	rules := _rule({"x": {"enum": ["a"]}, "y": {"required": true}})
	_refused(rules, {"y": false}) == []
	_refused(rules, {"x": "a", "y": 0}) == []
	_refused(rules, {}) == ["argument y: required"]
	_refused(rules, {"y": null}) == ["argument y: required"]
	_refused(rules, {"x": null, "y": 1}) == [`argument x: one of ["a"]`]
}

test_what_must_be_absent_is_refused_whatever_it_is if {
	every value in [null, false, "", 0, {}] {
		_refused(_rule({"x": {"absent": true}}), {"x": value}) == ["argument x: absent"]
	}
	_refused(_rule({"x": {"absent": true}}), {"y": 1}) == []
}

test_only_closes_the_arguments if {
	rules := {"weather": {"tool:alert": {"only": ["x", "y"]}}}
	_refused(rules, {"x": 1}) == []
	_refused(rules, {}) == []
	_refused(rules, {"x": 1, "z": 2}) == [`no arguments but ["x","y"]`]
	_refused({"weather": {"tool:alert": {"only": []}}}, {"x": null}) == ["no arguments but []"]
}

test_a_name_that_differs_in_case_only_is_refused if {
	rules := _rule({"level": {"enum": ["low"]}, "Key": {}, "key": {}})
	every other in ["Level", "LEVEL", "leVel", "kEY", "\u212Aey"] {
		count(_refused(rules, {other: "low"})) > 0
	}
	_refused(rules, {"level": "low", "key": 1, "Key": 2, "levels": 3}) == []
	_refused(_rule({"secret": {"absent": true}}), {"\u017Fecret": 1}) == ["argument secret: spelt exactly so"]
}

test_arguments_that_are_no_object_are_refused_where_rules_are if {
	every given in [null, [], "x", 0, false] {
		_refused(_rule({}), given) == ["other arguments, as an object"]
	}
	unknown := json.remove(_asked({}), ["resource/arguments"])
	reasons := arguments.reasons("weather", "tool", "alert") with input as unknown with data.mcp.arguments as _rule({})
	reasons == [{"code": "argument_refused", "required": "other arguments, as an object"}]
}

test_another_method_is_not_held_against_arguments if {
	completion := object.union(_asked({"x": 1}), {"action": {"name": "completion/complete"}})
	reasons := arguments.reasons("weather", "tool", "alert") with input as completion
		with data.mcp.arguments as _rule({"x": {"absent": true}})
	reasons == []
}

test_rules_cover_by_pattern_and_all_of_them_bind if {
	rules := {
		"*": {"tool:*": {"values": {"x": {"max": 5}}}, "prompt:*": {"only": []}},
		"weather": {"tool:al*": {"values": {"x": {"min": 2}}}, "tool:alert": {"values": {"y": {"absent": true}}}},
	}
	_refused(rules, {"x": 3}) == []
	_refused(rules, {"x": 6}) == ["argument x: a number up to 5"]
	_refused(rules, {"x": 1, "y": 1}) == ["argument x: a number from 2", "argument y: absent"]
	tables := json.unmarshal(json.marshal(arguments.computed)) with data.mcp.arguments as rules
	indexed := arguments.reasons("weather", "tool", "alert") with input as _asked({"x": 1})
		with data.mcp.arguments as rules
		with data.mcp_index as {"arguments": tables}
	indexed == [{"code": "argument_refused", "required": "argument x: a number from 2"}]
}

test_a_role_may_lift_a_rule_and_no_role_adds_one if {
	rule := {"values": {"x": {"absent": true}}, "unless_roles": ["operator", "other"]}
	rules := {"weather": {"tool:alert": rule}}
	reasons := arguments.reasons("weather", "tool", "alert") with input as _asked({"x": 1})
		with data.mcp.arguments as rules
		with data.mcp.roles as {"operator": {}}
	reasons == []

	# A role that nothing defines lifts nothing, and one that was withdrawn lifts nothing any more.
	count(_refused(rules, {"x": 1})) == 1
	withdrawn := object.union(_asked({"x": 1}), {"subject": {"withdrawn_roles": ["operator"]}})
	again := arguments.reasons("weather", "tool", "alert") with input as withdrawn
		with data.mcp.arguments as rules
		with data.mcp.roles as {"operator": {}}
	count(again) == 1
}

test_what_some_arguments_meet_is_possible if {
	every limits in [
		{"required": true}, {"required": true, "enum": [0]}, {"required": true, "enum": ["b", "ab"], "prefix": "a"},
		{"required": true, "min": 1, "max": 1}, {"required": true, "min": -3}, {"required": true, "max": 9},
		{"required": true, "below": "/srv", "prefix": "/srv/.", "max_length": 7}, {"required": true, "prefix": "/s", "below": "/srv"},
		{"required": true, "max_length": 0}, {"enum": []}, {"absent": true}, {"min": 2, "max": 1}, {"min": 1, "prefix": "a"},
	] {
		_possible(_rule({"x": limits}))
	}
	_possible({"weather": {"tool:alert": {"only": ["x"], "values": {"x": {"required": true}}}}})
	_possible({"weather": {"tool:alert": {"only": []}}})
}

test_what_no_arguments_meet_is_impossible if {
	every limits in [
		{"required": true, "enum": []}, {"required": true, "absent": true}, {"required": true, "min": 2, "max": 1},
		{"required": true, "enum": ["b"], "prefix": "a"}, {"required": true, "min": 1, "prefix": "a"},
		{"required": true, "prefix": "ab", "max_length": 1}, {"required": true, "below": "/srv", "prefix": "/etc"},
		{"required": true, "below": "/srv", "prefix": "/srv/../"}, {"required": true, "below": "/srv", "prefix": "/srv/.", "max_length": 6},
	] {
		not _possible(_rule({"x": limits}))
	}
	not _possible({"weather": {"tool:alert": {"only": ["y"], "values": {"x": {"required": true}}}}})
	not _possible({"*": {"tool:*": {"only": []}}, "weather": {"tool:alert": {"values": {"x": {"required": true}}}}})
	not _possible({"*": {"tool:*": {"values": {"x": {"enum": ["a"]}}}}, "weather": {"tool:alert": {"values": {"x": {"enum": ["b"], "required": true}}}}})
}

_servers := {"weather": {"tools": ["alert", "free"], "prompts": ["alert"]}}

_roles := {"operator": {"weather": ["tool:*", "prompt:*"]}}

_decision(request, rules) := decision if {
	decision := authz.decision with input as request with data.mcp.servers as _servers
		with data.mcp.roles as _roles
		with data.mcp.arguments as rules
}

test_a_decision_says_its_conditions if {
	rules := _rule({"x": {"max": 5, "required": true}})
	texts := ["argument x: a number up to 5", "argument x: required"]
	resource := {"type": "tool", "server": "weather", "name": "alert"}
	_decision(_asked({"x": 1}), rules) == {"allow": true, "reasons": [], "resource": resource, "conditions": texts}
	_decision(_asked({"x": 6}), rules) == {
		"allow": false,
		"reasons": [{"code": "argument_refused", "required": texts[0]}],
		"resource": resource,
		"conditions": texts,
	}
	_decision(_asked({"x": 6}), {}) == {"allow": true, "reasons": [], "resource": resource}
	closed := _decision(_asked({}), {"weather": {"tool:alert": {"only": ["x"]}}})
	closed.conditions == [`no arguments but ["x"]`]
}

test_an_argument_is_the_last_reason_of_all if {
	rules := _rule({"x": {"absent": true}})
	nobody := object.union(_asked({"x": 1}), {"subject": {"roles": []}})
	_decision(nobody, rules).reasons[0].code == "role_missing"
	unscoped := object.union(_asked({"x": 1}), {"subject": {"scopes": []}})
	decision := authz.decision with input as unscoped
		with data.mcp.servers as _servers
		with data.mcp.roles as _roles
		with data.mcp.arguments as rules
		with data.mcp.scopes as {"s": {"weather": ["tool:alert"]}}
	decision.reasons[0].code == "scope_missing"
	not decision.conditions
}

test_a_conditional_item_is_listed_and_an_impossible_one_is_not if {
	listed := object.union(json.remove(_asked({}), ["resource/name"]), {"resource": {"names": ["alert", "free"]}})
	conditional := _rule({"x": {"required": true}})
	impossible := _rule({"x": {"required": true, "enum": []}})
	visible := authz.visible with input as listed with data.mcp.servers as _servers
		with data.mcp.roles as _roles
		with data.mcp.arguments as conditional
	visible == ["alert", "free"]
	shown := authz.visible with input as listed with data.mcp.servers as _servers
		with data.mcp.roles as _roles
		with data.mcp.arguments as impossible
	shown == ["free"]
	capabilities := authz.capabilities with input as listed with data.mcp.servers as _servers
		with data.mcp.roles as _roles
		with data.mcp.arguments as conditional
	capabilities.tools == {"weather": ["alert", "free"]}
	fewer := authz.capabilities with input as listed with data.mcp.servers as _servers
		with data.mcp.roles as _roles
		with data.mcp.arguments as impossible
	fewer.tools == {"weather": ["free"]}
	_decision(_asked({"x": 1}), impossible).reasons == [arguments.impossible]
}

test_a_prompt_has_rules_of_its_own if {
	rules := {"weather": {"prompt:alert": {"values": {"x": {"max_length": 1}}}}}
	request := object.union(_asked({"x": "ab"}), {"action": {"name": "prompts/get"}, "resource": {"type": "prompt"}})
	_decision(request, rules).reasons == [{"code": "argument_refused", "required": "argument x: text no longer than 1"}]
	_decision(_asked({"x": "ab"}), rules).allow
}
