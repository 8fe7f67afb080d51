package mcp.authz_test

# --- Profiles ---

test_kuadrant_limits_no_resources if {
	kuadrant := {"context": {"profile": "kuadrant"}}
	every uri in ["weather://stations", "weather://stations/7"] {
		_allowed(object.union(_under(_read(_root, uri), ["team-a/desk"]), kuadrant))
	}
	prompt := _ask(_root, "prompts/get", {"type": "prompt", "name": "weather_brief"})
	_allowed(object.union(_under(prompt, ["team-a/desk"]), kuadrant))
	_denied(object.union(_under(_call(_root, "weather_alerts"), ["team-a/desk"]), kuadrant), "virtual_server_excludes")
	_denied(object.union(_under(_read(_root, "weather://stations"), ["nobody"]), kuadrant), "virtual_server_unknown")
}

# --- Templates ---

test_a_granted_template_grants_what_it_covers if {
	holder := object.union(_bob, {"grants": {"weather": ["template:weather://stations/{id}"]}})
	_allowed(_read(holder, "weather://stations/7"))
	_allowed(_at(_read(holder, "weather://stations/7"), "weather"))
	_denied(_at(_read(holder, "weather://stations/7"), "b1"), "item_unknown")
	_denied(_read(holder, "weather://stations"), "role_missing")
	_denied(_read(holder, "weather://stations/7/8"), "item_unknown")
	_denied(_read(holder, "weather://stations/.."), "item_unknown")
	_denied(_at(_read(holder, "weather://stations/%2e%2E"), "weather"), "item_unknown")
	_denied(_read(holder, "weather://stations/7#f"), "item_unknown")
	_denied(_read(_bob, "weather://stations/7"), "role_missing")
}

test_a_resource_that_its_server_lists_needs_its_own_grant if {
	holder := object.union(_bob, {"grants": {"weather": ["template:weather://stations/{id}"]}})
	documents := object.union(_data, {"servers": {"weather": {"resources": ["weather://stations", "weather://stations/7"]}}})
	_denied_with(_read(holder, "weather://stations/7"), documents, "role_missing")
	_denied_with(_at(_read(holder, "weather://stations/7"), "weather"), documents, "role_missing")
	_decision(_read(holder, "weather://stations/8"), documents).allow == true
}

test_a_resource_that_another_server_lists_is_not_hidden_on_a_known_server if {
	holder := object.union(_bob, {"grants": {"weather": ["template:weather://stations/{id}"]}})
	_allowed(_at(_read(holder, "weather://stations/listed"), "weather"))
	_denied(_read(holder, "weather://stations/listed"), "role_missing")
	_decision(_read(holder, "weather://stations/listed"), _data).resource.server == "b2"
}

test_a_template_that_is_granted_by_name_covers_in_an_open_catalogue if {
	holder := object.union(_bob, {"grants": {"ghost": ["template:g://{id}", "template:g://lvl4/{id*}"]}})
	_decision(_at(_read(holder, "g://1"), "ghost"), _open).allow == true
	_denied_with(_at(_read(holder, "g://lvl4/1"), "ghost"), _open, "server_unknown")
	_denied_with(_at(_read(holder, "g://1"), "ghost"), _data, "server_unknown")
	_denied_with(_read(holder, "g://1"), _open, "item_unknown")
}

# --- completion/complete ---

test_completion_names_a_prompt_a_resource_or_a_template if {
	holder := object.union(_bob, {"grants": {"weather": ["template:weather://stations/{id}", "prompt:brief"]}})
	_allowed(_complete(holder, "prompt", "weather_brief"))
	_allowed(_complete(holder, "resource", "weather://stations/{id}"))
	_allowed(_complete(holder, "resource", "weather://stations/7"))
	_allowed(_at(_complete(holder, "resource", "weather://stations/{id}"), "weather"))
	_denied(_complete(holder, "resource", "weather://stations"), "role_missing")
	_denied(_complete(_bob, "resource", "weather://stations/{id}"), "role_missing")
	_denied(_complete(_bob, "prompt", "weather_brief"), "role_missing")
	_denied(_complete(holder, "prompt", "weather://stations/{id}"), "item_unknown")
	_denied(_at(_complete(holder, "prompt", "weather://stations/{id}"), "weather"), "item_unknown")
	_denied(_complete(_root, "resource", "weather://{id}"), "item_unknown")
	_denied(_complete(_root, "resource", "off://{id}"), "item_unknown")
	_denied(_at(_complete(_root, "resource", "weather://stations/{id}"), "b1"), "item_unknown")
}

test_a_text_of_a_template_is_one_in_completion_alone if {
	decision := _decision(_complete(_root, "resource", "weather://stations/{id}"), _data)
	decision.resource == {"type": "template", "server": "weather", "name": "weather://stations/{id}"}
	_denied(_read(_root, "weather://stations/{id}"), "item_unknown")
	_denied(_under(_complete(_root, "resource", "weather://stations/{id}"), ["team-a/desk"]), "virtual_server_excludes")
	_allowed(_under(_complete(_root, "resource", "weather://stations/{id}"), ["rooms"]))
}

# --- subscriptions/listen ---

test_listen_is_allowed_where_every_uri_could_be_read if {
	_allowed(_listen(_root, ["weather://stations"]))
	_allowed(_listen(_root, ["weather://stations", "weather://stations/7", "weather://stations"]))
	_allowed(_at(_listen(_root, ["weather://stations", "weather://stations/7"]), "weather"))
	_decision(_listen(_root, ["weather://stations/7", "weather://stations"]), _data).resource.name == "weather://stations/7"
}

test_listen_is_denied_by_the_first_uri_that_fails if {
	_denied(_listen(_alice, ["weather://stations", "weather://stations/7"]), "role_missing")
	_denied(_listen(_alice, ["weather://stations", "x://none", "weather://stations/7"]), "item_unknown")
	_denied(_listen(_alice, ["weather://stations", "weather://stations/7", "x://none"]), "role_missing")
	_denied(_listen(_alice, ["b://both", "x://none"]), "item_ambiguous")
	_decision(_listen(_alice, ["weather://stations", "weather://stations/7"]), _data).resource.name == "weather://stations/7"
	_denied(_listen(_root, [""]), "item_unknown")
	_denied(_at(_listen(_root, ["weather://stations"]), "off"), "server_disabled")
	_denied(_under(_listen(_root, ["weather://stations/7", "weather://stations"]), ["rooms"]), "virtual_server_excludes")
}

test_deny_listen_without_readable_names if {
	every names in [[], [7], ["weather://stations", 7], ["weather://stations", null], {}, null, "weather://stations"] {
		_decision(_listen(_root, names), _data).allow == false
	}
	every method in ["resources/read", "resources/subscribe", "completion/complete", "tools/call", "tools/list", "tasks/get", ""] {
		_decision(_ask(_root, method, {"type": "resource", "names": ["weather://stations"]}), _data).allow == false
	}
	every type in ["tool", "prompt", "template"] {
		_decision(_ask(_root, "subscriptions/listen", {"type": type, "names": ["weather://stations"]}), _data).allow == false
	}
	_decision(_ask(_root, "subscriptions/listen", {"type": "resource"}), _data).allow == false
	_decision(_ask(_root, "subscriptions/listen", {"type": "resource", "name": "weather://stations"}), _data).allow == false
	_decision(_ask(_root, "subscriptions/listen", {"type": "tool", "names": ["weather_forecast"]}), _data).allow == false
}
