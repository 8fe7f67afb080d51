# METADATA
# title: URI templates
# description: |
#   Which URIs a template (RFC 6570, level 1 to 3) covers. Templates become regular expressions, which RE2 matches in
#   time linear in the URI's length; no backtracking, whatever the template.
package mcp.authz.templates

# METADATA
# description: |
#   A template made ready for matching; undefined beyond level 3. `same` pairs the groups of a variable that
#   occurs twice, and says whether both are written alike: both must have one value. `between` is what stands around
#   a variable that is the only one and always written alike.
compiled(text) := {
	"head": _expanded(split(text, "{")[0]),
	"pattern": concat("", ["^", concat("", [part.pattern | some part in parts]), "$"]),
	"same": _same(variables),
	"between": _between(variables, concat("", [part.pattern | some part in parts])),
	"fragment": contains(text, "#"),
} if {
	tokens := regex.find_all_string_submatch_n(`\{([+#./;?&]?)([^{}]*)\}|[^{}]+`, text, -1)
	concat("", [token[0] | some token in tokens]) == text
	parts := [_part(token) | some token in tokens]
	count(parts) == count(tokens)
	variables := [variable | some part in parts; some variable in part.variables]
}

# METADATA
# description: |
#   Whether a compiled template expands to the URI. None covers a URI with a dot segment (decoded), a fragment the
#   template does not write, or a character outside RFC 3986.
covers(template, uri) if {
	_candidate(template, uri)
	count(template.same) == 0
	regex.match(template.pattern, uri)
}

# One variable alone: the length of its value follows from the length of the URI.
covers(template, uri) if {
	_candidate(template, uri)
	count(template.between) > 0
	written := count(uri) - count(concat("", template.between))
	length := written / (count(template.between) - 1)
	length == floor(length)
	value := substring(uri, count(template.between[0]), length)
	concat(value, template.between) == uri
	regex.match(template.pattern, uri)
	regex.match(_triplets_whole, value)
}

# Several variables: the groups are those of one parse. Where several exist and another one would have equal values,
# the template does not cover the URI: an error on the safe side.
covers(template, uri) if {
	_candidate(template, uri)
	count(template.same) > 0
	count(template.between) == 0
	groups := regex.find_all_string_submatch_n(template.pattern, uri, 1)[0]
	every pair in template.same {
		_one_value(groups[pair[0]], groups[pair[1]], pair[2])
	}
}

_candidate(template, uri) if {
	startswith(uri, template.head)
	_fragment_fits(template, uri)
	regex.match(_uri, uri)
	not regex.match(_dot_segment, uri)
}

_fragment_fits(template, _) if template.fragment

_fragment_fits(_, uri) if not contains(uri, "#")

# RFC 3986, appendix A: unreserved, reserved and pct-encoded.
_uri := `^(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$`

_dot_segment := concat("", [`(?:^(?:[A-Za-z][A-Za-z0-9+.-]*:)?|`, _end, `)(?:\.|%2[Ee]){1,2}(?:$|`, _end, `)`])

_end := `[/\\?#]|%2[Ff]|%5[Cc]|%3[Ff]|%23`

# RFC 6570, section 2.1.
_literal := `^(?:[^\x00-\x20"%<>\\^\x60{|}\x7f]|%[0-9A-Fa-f]{2})+$`

# RFC 6570, section 2.3.
_variable := `^(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*$`

# RFC 6570, appendix A: what an operator writes first and between values, whether it names them, what they may hold.
_operators := {
	"": {"first": "", "between": ",", "named": false, "values": "unreserved"},
	"+": {"first": "", "between": ",", "named": false, "values": "reserved"},
	"#": {"first": "#", "between": ",", "named": false, "values": "reserved"},
	".": {"first": ".", "between": ".", "named": false, "values": "unreserved"},
	"/": {"first": "/", "between": "/", "named": false, "values": "unreserved"},
	";": {"first": ";", "between": ";", "named": true, "values": "unreserved"},
	"?": {"first": "?", "between": "&", "named": true, "values": "unreserved"},
	"&": {"first": "&", "between": "&", "named": true, "values": "unreserved"},
}

_values := {
	"unreserved": `((?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)`,
	"reserved": `((?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)`,
}

_part(token) := {"pattern": _quoted(_expanded(token[0])), "variables": []} if {
	not startswith(token[0], "{")
	regex.match(_literal, token[0])
}

_part(token) := {"pattern": concat("", [_quoted(operator.first), values]), "variables": variables} if {
	startswith(token[0], "{")
	operator := _operators[token[1]]
	names := split(token[2], ",")
	every name in names {
		regex.match(_variable, name)
	}
	values := concat(_quoted(operator.between), [_value(operator, name) | some name in names])
	variables := [{"name": name, "values": operator.values} | some name in names]
}

_value(operator, name) := concat("", [_quoted(concat("", [name, "="])), _values[operator.values]]) if operator.named

_value(operator, _) := _values[operator.values] if not operator.named

_quoted(text) := concat("", [`\Q`, text, `\E`])

_same(variables) := [[i + 1, j + 1, first.values == second.values] |
	some i, first in variables
	some j, second in variables
	i < j
	first.name == second.name
]

_between(variables, pattern) := split(strings.replace_n(_blanked, pattern), "{}") if {
	count(variables) > 1
	count({variable | some variable in variables}) == 1
} else := []

# No literal holds a backslash or a brace.
_blanked := {_values.unreserved: "{}", _values.reserved: "{}", `\Q`: "", `\E`: ""}

_triplets_whole := `^(?:[^%]|%[0-9A-Fa-f]{2})+$`

_one_value(first, second, _) if first == second

# Under one operator a reserved character stands as it is, under the other as its triplet.
_one_value(first, second, false) if strings.replace_n(_triplets, first) == strings.replace_n(_triplets, second)

_triplets := {letter: _triplet(letter) | some letter in split(":/?#[]@!$&'()*+,;=", "")}

# RFC 6570, section 3.1: a literal that no URI may hold stands there as the triplets of its UTF-8.
_expanded(text) := text if regex.match(`^[\x00-\x7f]*$`, text)

_expanded(text) := concat("", [_expanded_letter(letter) | some letter in split(text, "")]) if {
	not regex.match(`^[\x00-\x7f]*$`, text)
}

_expanded_letter(letter) := letter if regex.match(`^[\x00-\x7f]$`, letter)

_expanded_letter(letter) := _triplet(letter) if not regex.match(`^[\x00-\x7f]$`, letter)

# No builtin gives the bytes of a letter, but base64 does, six bits at a time.
_triplet(letter) := concat("", [triplet |
	digits := split(trim_right(base64.encode(letter), "="), "")
	some i in numbers.range(0, floor((count(digits) * 3) / 4) - 1)
	at := i + floor(i / 3)
	shift := ((i % 3) * 2) + 2
	upper_bits := bits.and(bits.lsh(indexof(_base64, digits[at]), shift), 255)
	byte := bits.or(upper_bits, bits.rsh(indexof(_base64, digits[at + 1]), 6 - shift))
	triplet := concat("", ["%", upper(format_int(byte, 16))])
])

_base64 := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
