package mcp.authz.templates_test

import data.mcp.authz.templates

test_expansions_of_simple_variables_are_covered if {
	every case in [
		["x://s/{id}", "x://s/7"],
		["x://s/{id}", "x://s/a.b_c~d-e"],
		["x://s/{id}/end", "x://s/7/end"],
		["{id}", "7"],
		["x://s/{a}{b}", "x://s/ab"],
		["x://s/{a,b}", "x://s/1,2"],
		["x://s/{a.b}", "x://s/1"],
		["x://s/{%20a}", "x://s/1"],
		["x://s/fixed", "x://s/fixed"],
		["x://s/it's", "x://s/it's"],
		["x://s/%C3%A9/{id}", "x://s/%C3%A9/7"],
	] {
		_covered(case[0], case[1])
	}
}

test_expansions_of_reserved_variables_are_covered if {
	every case in [
		["x://s/{+path}", "x://s/a/b?c=d&e=[f]"],
		["x://s/{+path}", "x://s/:/?[]@!$&'()*+,;="],
		["x://s/{+a,b}", "x://s/1,2"],
		["x://s/{+a}/{b}", "x://s/1/2/3"],
		["x://s/{#part}", "x://s/#a/b?c"],
		["x://s/{#a,b}", "x://s/#1,2"],
	] {
		_covered(case[0], case[1])
	}
}

test_expansions_of_path_style_operators_are_covered if {
	every case in [
		["x://s{.ext}", "x://s.json"],
		["x://s{.a,b}", "x://s.tar.gz"],
		["x://s{/id}", "x://s/7"],
		["x://s{/a,b}", "x://s/1/2"],
		["x://s{;id}", "x://s;id=7"],
		["x://s{;a,b}", "x://s;a=1;b=2"],
	] {
		_covered(case[0], case[1])
	}
}

test_expansions_of_query_operators_are_covered if {
	every case in [
		["x://s{?q}", "x://s?q=7"],
		["x://s{?q,lang}", "x://s?q=7&lang=en"],
		["x://s?fixed=1{&q}", "x://s?fixed=1&q=7"],
		["x://s?fixed=1{&q,lang}", "x://s?fixed=1&q=7&lang=en"],
		["x://s{/id}{?q}{#part}", "x://s/7?q=1#top"],
	] {
		_covered(case[0], case[1])
	}
}

test_other_uris_are_not_covered_by_simple_variables if {
	every case in [
		["x://s/{id}", "x://s/7/8"],
		["x://s/{id}", "x://s/7?q=1"],
		["x://s/{id}", "x://s/7:8"],
		["x://s/{id}", "x://s/7@8"],
		["x://s/{id}", "x://t/7"],
		["x://s/{id}", "X://s/7"],
		["x://s/{id}", "yx://s/7"],
		["x://s/{id}", "x://s/"],
		["x://s/{id}", "x://s"],
		["x://s/{id}", ""],
		["x://s/{id}", "x://s/{id}"],
		["x://s/{id}/end", "x://s/7/endless"],
		["x://s/{a,b}", "x://s/1"],
		["x://s/{a,b}", "x://s/1,2,3"],
		["x://s.t/{id}", "x://s-t/7"],
		["x://s/fixed", "x://s/fixed/"],
		["x://s/%c3%a9", "x://s/%C3%A9"],
	] {
		not _covered(case[0], case[1])
	}
}

test_other_uris_are_not_covered_by_operators if {
	every case in [
		["x://s{.ext}", "x://s/json"],
		["x://s{.ext}", "x://sjson"],
		["x://s{/id}", "x://s/7/8"],
		["x://s{;id}", "x://s;7"],
		["x://s{;id}", "x://s;other=7"],
		["x://s{?q}", "x://s?7"],
		["x://s{?q}", "x://s?q=7&r=8"],
		["x://s{?q,r}", "x://s?r=8&q=7"],
		["x://s{?a.b}", "x://s?aXb=1"],
		["x://s{&q}", "x://s?q=7"],
		["x://s{#part}", "x://s7"],
		["x://s/{+path}", "x://s/a b"],
	] {
		not _covered(case[0], case[1])
	}
}

test_values_are_never_empty if {
	every case in [
		["x://s/{id}", "x://s/"],
		["x://s/{id}/end", "x://s//end"],
		["x://s/{+path}", "x://s/"],
		["x://s{#part}", "x://s#"],
		["x://s{#part}", "x://s"],
		["x://s{.ext}", "x://s."],
		["x://s{/id}", "x://s/"],
		["x://s{/a,b}", "x://s//2"],
		["x://s{;id}", "x://s;id"],
		["x://s{;id}", "x://s;id="],
		["x://s{?q}", "x://s?q="],
		["x://s{?q,r}", "x://s?q=&r=1"],
		["x://s{&q}", "x://s&q="],
		["x://s/{a,b}", "x://s/,2"],
		["x://s/{a,b}", "x://s/1,"],
	] {
		not _covered(case[0], case[1])
	}
}

test_a_percent_triplet_is_one_character_of_a_value if {
	every uri in ["x://s/%20", "x://s/a%C3%A9b", "x://s/%2f", "x://s/a%2Fb", "x://s/%25", "x://s/%252e%252e", "x://s/%00"] {
		_covered("x://s/{id}", uri)
		_covered("x://s/{+id}", uri)
	}
}

test_half_a_percent_triplet_is_no_character if {
	every uri in ["x://s/%", "x://s/%2", "x://s/%zz", "x://s/%2g", "x://s/a%", "x://s/%%20", "x://s/%u0020"] {
		not _covered("x://s/{id}", uri)
		not _covered("x://s/{+id}", uri)
	}
}

test_no_template_covers_a_dot_segment if {
	every rest in [
		".", "..", "./a", "../a", "a/.", "a/..", "a/./b", "a/../b", "a/..?q", "a/..#f", "?..", "?../a", "a?.",
		"#.", "a#..", "a?b/../c", "a//..//b", "/..",
	] {
		uri := concat("", ["x://s/", rest])
		not _covered("x://s/{+path}", uri)
		not _covered("x://s/{+path}{#part}", uri)
		not _covered("x://s/{#part}", uri)
	}
}

test_no_template_covers_an_encoded_dot_segment if {
	every rest in [
		"%2e", "%2E%2e", ".%2E", "%2e.", "%2e%2e%2fa", "a%2F..", "a%2f%2e%2e%2Fb", "a%5C..", "a%5c..%5Cb", "..%5ca",
		"a%3F..", "a%23..", "..%3fq", "%2e%2e%23f",
	] {
		uri := concat("", ["x://s/", rest])
		not _covered("x://s/{+path}", uri)
		not _covered("x://s/{path}", uri)
	}
}

test_no_template_covers_a_dot_segment_where_the_path_begins if {
	every case in [
		["x:{id}", "x:.."],
		["x:{id}", "x:."],
		["x:{id}", "x:%2e%2E"],
		["a+b-c.1:{+p}", "a+b-c.1:../d"],
		["{id}", ".."],
		["{+p}", "../a"],
		["x://{host}", "x://.."],
		["x://{host}/{id}", "x://./7"],
	] {
		not _covered(case[0], case[1])
	}
}

test_dots_that_are_no_segment_are_covered if {
	every rest in ["a..b", "...", "a.", ".a", "..a", "a..", "%2e%2e%2e", "a/.../b", "a;..;b", "a=..", "%252e%252e", "a:.."] {
		_covered("x://s/{+path}", concat("", ["x://s/", rest]))
	}
}

test_a_fragment_needs_a_template_that_writes_one if {
	not _covered("x://s/{+path}", "x://s/a#b")
	not _covered("x://s/{id}", "x://s/a#b")
	not _covered("x://s/{id}", "x://s/a#")
	_covered("x://s/{id}#top", "x://s/a#top")
	_covered("x://s/{id}{#part}", "x://s/a#b")
	_covered("x://s/{id}", "x://s/a%23b")
}

test_a_character_outside_rfc_3986_is_never_covered if {
	every letter in [" ", "\"", "<", ">", "\\", "^", "`", "{", "|", "}", "\n", "\t", "\u0000", "\u007f", "é", "\u2028"] {
		every rest in [letter, concat("", ["a", letter]), concat("", [letter, "a"]), concat("", ["a", letter, "b"])] {
			not _covered("x://s/{id}", concat("", ["x://s/", rest]))
			not _covered("x://s/{+id}", concat("", ["x://s/", rest]))
			not _covered("x://s/{#id}", concat("", ["x://s/#", rest]))
		}
	}
}

# RFC 6570, section 3.1: a literal that no URI may hold is written as the triplets of its UTF-8.
test_literals_outside_ascii_expand_to_triplets if {
	every case in [
		["x://é/{id}", "x://%C3%A9/7"],
		["x://s/{id}/日本", "x://s/7/%E6%97%A5%E6%9C%AC"],
		["x://s/😀{id}é", "x://s/%F0%9F%98%807%C3%A9"],
		["x://s/ü", "x://s/%C3%BC"],
	] {
		_covered(case[0], case[1])
	}
	not _covered("x://é/{id}", "x://é/7")
	not _covered("x://é/{id}", "x://e/7")
}

test_a_repeated_variable_has_one_value if {
	_covered("x://{a}/{a}", "x://1/1")
	_covered("x://{a}/{b}/{a}", "x://1/2/1")
	_covered("x://{a}/{b}/{a}/{b}", "x://1/2/1/2")
	_covered("x://{a,a}", "x://1,1")
	_covered("x://{a}{?a}", "x://1?a=1")
	_covered("x://{a}/{a}/{a}", "x://1/1/1")
	not _covered("x://{a}/{a}", "x://../..")
	not _covered("x://{a}/{a}", "x://%2e/%2e")
	not _covered("x://{+a}!{+a}", "x://b#c!b#c")
	not _covered("x://{a}/{a}", "x://1/2")
	not _covered("x://{a}/{b}/{a}", "x://1/2/2")
	not _covered("x://{a}{?a}", "x://1?a=2")
	not _covered("x://{a}/{a}/{a}", "x://1/1/2")
	not _covered("x://{a}/{a}", "x://a/A")
	not _covered("x://{a}/{a}", "x://1/")
	not _covered("x://{a}/{a}", "x://1")
}

test_a_repeated_variable_may_be_written_in_two_ways if {
	_covered("x://{a}/{+a}", "x://1/1")
	_covered("x://{a}/{+a}", "x://%2F/%2F")
	_covered("x://{a}/{+a}", "x://b%2Fc%3F/b/c?")
	_covered("x://{+a}/{a}", "x://b/c/b%2Fc")
	_covered("x://{a}{#a}", "x://b%23c#b#c")
	_covered("x://{a}{+a}", "x://%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D:/?%23[]@!$&'()*+,;=")
	not _covered("x://{a}/{+a}", "x://1/2")
	not _covered("x://{a}/{+a}", "x://b%2Fc/b/d")
	not _covered("x://{a}/{+a}", "x://b%2fc/b/c")
	not _covered("x://{+a}!{+a}", "x://b/c!b%2Fc")
}

test_level_4_and_what_is_no_template_covers_nothing if {
	every text in [
		"x://s/{id*}", "x://s/{id:3}", "x://s/{/id*}", "x://s/{?id:3,q}", "x://s/{=id}", "x://s/{,id}", "x://s/{!id}",
		"x://s/{@id}", "x://s/{|id}", "x://s/{}", "x://s/{a,}", "x://s/{a,,b}", "x://s/{a b}", "x://s/{a.}", "x://s/{.a..b}",
		"x://s/{a-b}", "x://s/{id", "x://s/id}", "x://s/{{id}}", "x://s/{a%2}", "x://s/{é}", "x://s/ {id}", "x://s/<{id}>",
		"x://s/\\E{id}", "x://s/100%{id}", "x://s/^{id}", "x://s/`{id}", "x://s/|{id}", "x://s/\"{id}", "x://s/\n{id}",
	] {
		not templates.compiled(text)
	}
}

test_letters_of_regular_expressions_mean_themselves if {
	_covered("x://s/.*/(a+)$[b]?{id}", "x://s/.*/(a+)$[b]?7")
	not _covered("x://s/.*/{id}", "x://s/anything/7")
	not _covered("x://s/(a+){id}", "x://s/aa7")
	_covered("x://s/\u002bE{id}", "x://s/+E7")
}

test_many_ways_to_divide_a_long_uri_are_no_burden if {
	hyphens := concat("", ["-" | some _ in numbers.range(1, 20000)])
	_covered("x://{a}-{b}-{c}-{d}-{e}-{f}!", concat("", ["x://", hyphens, "!"]))
	not _covered("x://{a}-{b}-{c}-{d}-{e}-{f}!", concat("", ["x://", hyphens]))
}

_covered(text, uri) if templates.covers(templates.compiled(text), uri)

test_allow_one_variable_alone_however_its_value_could_be_split if {
	every case in [
		["x://{a}{a}", "x://abab"],
		["x://{a}{a}", "x://%20%20"],
		["x://{id}-{id}", "x://1b-2-1b-2"],
		["x://{+a}/{+a}", "x://p/q/p/q"],
		["x://s{?q}&q2={q}", "x://s?q=ab&q2=ab"],
		["é://{a}.{a}.{a}", "%C3%A9://1.1.1.1.1.1.1.1.1"],
	] {
		templates.covers(templates.compiled(case[0]), case[1])
	}
}

test_deny_one_variable_alone_with_two_values if {
	every case in [
		["x://{a}{a}", "x://"],
		["x://{a}{a}", "x://aba"],
		["x://{a}{a}", "x://abac"],
		["x://{a}/{a}", "x://x/y/x/y"],
		["x://{a}{a}{a}", "x://%20%20"],
		["x://{a}{a}{a}", "x://%2%2%2"],
	] {
		not templates.covers(templates.compiled(case[0]), case[1])
	}
}
