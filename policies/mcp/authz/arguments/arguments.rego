# METADATA
# title: Argument rules
# description: |
#   What tools and prompts may be called with. `data.mcp.arguments` has patterns as scopes do: a rule binds whatever its
#   pattern covers, listed or not, and the key `*` is every server. All rules that cover an item bind, and they only take
#   away. Three values: an item without rules is always allowed, one with rules is listed and decided at the call, one
#   whose rules no arguments meet is never allowed.
package mcp.authz.arguments

import data.mcp.authz.catalogue
import data.mcp.authz.grants

# METADATA
# description: Whether some arguments meet every rule of the item that binds the subject; what a list asks
possible(server, type, name) if {
	rules := binding(server, type, name)
	every rule in rules {
		not rule.refused
	}
	every argument in _required(rules) {
		_satisfiable(argument, rules)
	}
}

# METADATA
# description: |
#   Whether a call of the item is judged by its arguments. A rule of one's own is one more definition here, and one more
#   line in `admitted`.
constrained(server, type, name) if count(binding(server, type, name)) > 0

# METADATA
# description: Whether every rule admits the arguments at hand
admitted(server, type, name) if {
	is_object(input.resource.arguments)
	every rule in binding(server, type, name) {
		count(_failing(rule)) == 0
	}
}

# METADATA
# description: |
#   What speaks against the arguments of a call of the item. Those that are not known are refused wherever they would be
#   judged; the host asks without them first, and with them only then.
reasons(server, type, name) := [] if {
	not _judged(server, type, name)
} else := [] if {
	admitted(server, type, name)
} else := [{"code": "argument_refused", "required": text} | some text in failures] if {
	is_object(input.resource.arguments)
	failures := sort(_failures(server, type, name))
	count(failures) > 0
} else := [{"code": "argument_refused", "required": "other arguments, as an object"}]

# METADATA
# description: The rules in words that a call of the item is held against
conditions(server, type, name) := sort({text |
	_judged(server, type, name)
	some rule in binding(server, type, name)
	some text in _words(rule)
})

# METADATA
# description: Why no arguments would do
impossible := {"code": "argument_refused", "required": "nothing: no arguments meet every rule"}

# METADATA
# description: The rules that cover the item and bind the subject
binding(server, type, name) := [rule |
	some rule in _covering(server, concat(":", [type, name]))
	_about(rule, server, type, name)
	not _exempt(rule)
]

# METADATA
# description: Where patterns that end in `*` begin, by server, from the data alone
computed := {server: starts |
	some server, patterns in data.mcp.arguments
	starts := [trim_suffix(pattern, "*") | some pattern, _ in patterns; endswith(pattern, "*")]
}

_starts := data.mcp_index.arguments

_starts := computed if not data.mcp_index.arguments

_covering(server, item) := array.concat(named, begun) if {
	named := [data.mcp.arguments[key][item] | some key in {server, "*"}; not endswith(item, "*")]
	begun := [data.mcp.arguments[key][concat("", [start, "*"])] |
		some key in {server, "*"}
		some start in _starts[key]
		startswith(item, start)
	]
}

_about(rule, _, _, _) if not rule.annotations

# Of an item that the catalogue lists twice, either may be meant.
_about(rule, server, type, name) if {
	some said in catalogue.annotations(server, type, name)
	every hint, wanted in rule.annotations {
		wanted == _hint(said, hint)
	}
}

_hint(said, hint) := value if {
	value := object.get(said, hint, null)
	is_boolean(value)
} else := _unsaid[hint]

# ToolAnnotations of MCP 2025-03-26 and later.
_unsaid := {"readOnlyHint": false, "destructiveHint": true, "idempotentHint": false, "openWorldHint": true}

# More roles never allow less, so that a revoked one only takes away.
_exempt(rule) if {
	some role in rule.unless_roles
	role in grants.roles
}

_judged(server, type, name) if {
	input.action.name in {"tools/call", "prompts/get"}
	constrained(server, type, name)
}

_failures(server, type, name) := {text | some rule in binding(server, type, name); some text in _failing(rule)}

_failing(rule) := (_unmet(rule) | _beside(rule)) | (_misspelt(rule) | _refused(rule))

_refused(rule) := {impossible.required | rule.refused}

_unmet(rule) := {_text(term) | some term in _terms(rule); not _meets(term, input.resource.arguments)}

_beside(rule) := {_only(rule.only) |
	some argument, _ in input.resource.arguments
	not argument in rule.only
} if {
	rule.only
} else := set()

# Readers that compare names without case (Go's encoding/json) would take one for the other.
_misspelt(rule) := {concat("", ["argument ", argument, ": spelt exactly so"]) |
	some argument, _ in rule.values
	some other, _ in input.resource.arguments
	not rule.values[other]
	_folded(other) == _folded(argument)
}

_words(rule) := {_text(term) | some term in _terms(rule)} | {_only(only) | only := rule.only}

_terms(rule) := [{"argument": argument, "operator": operator, "bound": bound} |
	some argument, limits in rule.values
	some operator, bound in limits
]

_meets(term, arguments) if {
	term.operator == "required"
	value := arguments[term.argument]
	not is_null(value)
}

_meets(term, arguments) if {
	term.operator != "required"
	not term.argument in object.keys(arguments)
}

_meets(term, arguments) if {
	value := arguments[term.argument]
	_fits(term.operator, value, term.bound)
}

_fits("enum", value, values) if value in values

_fits("min", value, bound) if {
	_exact(value)
	value >= bound
}

_fits("max", value, bound) if {
	_exact(value)
	value <= bound
}

_fits("prefix", value, prefix) if {
	is_string(value)
	startswith(value, prefix)
}

_fits("below", value, folder) if {
	is_string(value)
	_inside(value, folder)
	not regex.match(_astray, value)
}

_fits("max_length", value, bound) if {
	is_string(value)
	count(value) <= bound
}

# Beyond 2^53 the upstream may read another number than we do.
_exact(value) if {
	is_number(value)
	abs(value) <= 9007199254740991
}

_inside(path, folder) if path == folder

_inside(path, folder) if startswith(path, concat("", [trim_suffix(folder, "/"), "/"]))

# A segment of dots and blanks alone, an empty one, and what others take for a separator, an escape or an end.
_astray := `(?:^|/)[. ]+(?:/|$)|//|[\\%\x00-\x1f\x7f]`

_folded(argument) := lower(upper(argument))

_required(rules) := {argument |
	some rule in rules
	some argument, limits in rule.values
	limits.required
}

_satisfiable(argument, rules) if {
	every rule in rules {
		_lets(rule, argument)
	}
	terms := [term | some rule in rules; some term in _terms(rule); term.argument == argument]
	some value in _witnesses(terms)
	every term in terms {
		_meets(term, {argument: value})
	}
}

_lets(rule, _) if not rule.only

_lets(rule, argument) if argument in rule.only

# If any value meets the terms, one of these does: it is listed; or the bound of a number; or the shortest text that begins
# as all must, or a letter longer where that ends in the middle of a path.
_witnesses(terms) := ({value | some term in terms; term.operator == "enum"; some value in term.bound} | {term.bound | some term in terms; term.operator in {"min", "max"}}) | {concat("", [start, more]) | some start in _beginnings(terms); some more in ["", "a"]}

_beginnings(terms) := {term.bound | some term in terms; term.operator in {"prefix", "below"}} | {""}

_only(names) := concat("", ["no arguments but ", json.marshal(names)])

_text(term) := concat("", ["argument ", term.argument, ": ", _phrases[term.operator], _said(term)])

_phrases := {
	"enum": "one of ",
	"min": "a number from ",
	"max": "a number up to ",
	"prefix": "text that begins with ",
	"below": "a path below ",
	"max_length": "text no longer than ",
	"required": "required",
	"absent": "absent",
}

_said(term) := json.marshal(term.bound) if not is_boolean(term.bound)

_said(term) := "" if is_boolean(term.bound)
