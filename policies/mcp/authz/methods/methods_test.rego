package mcp.authz.methods_test

import data.mcp.authz.methods

_server_wide(name) if methods.server_wide with input as {"action": {"name": name}, "context": {"profile": "strict"}}

test_allow_methods_on_the_server_as_a_whole if {
	every name in [
		"initialize", "ping", "server/discover", "tools/list", "prompts/list", "resources/list",
		"resources/templates/list", "resources/unsubscribe", "logging/setLevel", "notifications/initialized",
		"notifications/cancelled", "notifications/made/up", "subscriptions/listen", "GET", "DELETE", "response",
	] {
		_server_wide(name)
	}
}

test_deny_any_other_method if {
	every name in [
		"", "tools/call", "prompts/get", "resources/read", "resources/subscribe", "completion/complete", "tasks/get",
		"tasks/list", "tasks/cancel", "tools/destroy", "sampling/createMessage", "roots/list", "elicitation/create",
		"Initialize", "initialize ", " ping", "tools/List", "tools/list/", "notifications/", "notifications",
		"Notifications/x", "x/notifications/y", "get", "POST", "PUT", "__proto__", "tools/list\u0000", "tools/list\n", "*",
	] {
		not _server_wide(name)
	}
}

test_deny_without_a_method if {
	not methods.server_wide with input as {}
	not methods.server_wide with input as {"action": {}}
	not methods.server_wide with input as {"action": {"name": null}}
}

test_item_methods_name_items_of_their_types if {
	methods.item_types == {
		"tools/call": {"tool"},
		"prompts/get": {"prompt"},
		"resources/read": {"resource"},
		"resources/subscribe": {"resource"},
		"completion/complete": {"prompt", "resource"},
	}
}

test_a_broker_tool_is_a_method_on_the_server_where_the_server_is_asked if {
	every name in ["discover_tools", "select_tools", "list_tags", "filter_tools_by_tags"] {
		methods.server_wide with input as _call_of_server(name)
		not methods.server_wide with input as object.union(_call_of_server(name), {"resource": {"type": "tool"}})
		not methods.server_wide with input as object.union(_call_of_server(name), {"action": {"name": "prompts/get"}})
	}
	every name in ["other", "discover_tool", ""] {
		not methods.server_wide with input as _call_of_server(name)
	}
}

_call_of_server(name) := {"action": {"name": "tools/call"}, "resource": {"type": "server", "name": name}}
