package mcp.authz.patterns_test

import data.mcp.authz.patterns

test_patterns_of_a_server_stand_under_its_id_and_under_star if {
	servers := {"weather": {}, "*": {}, "off": {"state": "Disabled"}}
	patterns.keys("weather") == {"weather", "*"} with data.mcp.servers as servers
	patterns.keys("off") == {"off", "*"} with data.mcp.servers as servers
	patterns.keys("*") == {"*"} with data.mcp.servers as servers
}

test_a_server_that_is_not_in_the_catalogue_has_its_id_alone if {
	patterns.keys("ghost") == {"ghost"} with data.mcp.servers as {"weather": {}}
	patterns.keys("") == {""} with data.mcp.servers as {"weather": {}}
	patterns.keys("__proto__") == {"__proto__"}
	not patterns.keys("*") with data.mcp.servers as {"weather": {}}
}

test_a_final_star_matches_any_rest if {
	every pattern in ["tool:*", "tool:f*", "tool:forecast*"] {
		patterns.begins(pattern, "tool:forecast")
	}
	patterns.begins("tool:a**", "tool:a*b")
	patterns.begins("template:x://{*", "template:x://{id}")
}

test_nothing_else_begins_an_item if {
	every pattern in ["tool:forecast", "tool:g*", "prompt:*", "tool:forecast:*", "*", "to*", "tool*", "", "tool:", "t*l:*", "Tool:*"] {
		not patterns.begins(pattern, "tool:forecast")
	}
}
