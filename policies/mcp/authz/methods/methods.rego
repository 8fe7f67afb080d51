# METADATA
# title: Methods
# description: What each MCP method is asked of. A method in neither table is denied.
package mcp.authz.methods

# METADATA
# description: Item methods, with the types of item they may name
item_types := {
	"tools/call": {"tool"},
	"prompts/get": {"prompt"},
	"resources/read": {"resource"},
	"resources/subscribe": {"resource"},
	"completion/complete": {"prompt", "resource"},
}

# METADATA
# description: Methods on the server as a whole. GET, DELETE and response are the reader's words for what has no method.
server_methods := {
	"initialize",
	"ping",
	"server/discover",
	"tools/list",
	"prompts/list",
	"resources/list",
	"resources/templates/list",
	"resources/unsubscribe",
	"logging/setLevel",
	"subscriptions/listen",
	"GET",
	"DELETE",
	"response",
}

# METADATA
# description: |
#   Tools of a broker itself, which filters what it answers. They are no items: the reader asks for them as for the server
#   as a whole, where router or door say that the broker is asked
broker_tools := {"discover_tools", "select_tools", "list_tags", "filter_tools_by_tags"}

# METADATA
# description: Whether the action is one on the server as a whole
server_wide if input.action.name in server_methods

server_wide if {
	startswith(input.action.name, "notifications/")
	input.action.name != "notifications/"
}

server_wide if {
	input.action.name == "tools/call"
	input.resource.type == "server"
	input.resource.name in broker_tools
}
