/* SPDX-License-Identifier: Apache-2.0 */
/* policy/condition.c, load_rules.c: rules with conditions. */
#include "policy_role.h"

#define BASED(base, rules)                                                     \
	"{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],\"roles\":"  \
	"{\"t\":{\"extends\":\"" base "\",\"rules\":[" rules "]}}}"
#define RULES(rules) BASED("ci-runner", rules)
#define DENY(op, when) "{\"deny\":[\"" op "\"],\"when\":{" when "}}"
#define ALLOW(op, when) "{\"allow\":[\"" op "\"],\"when\":{" when "}}"
#define CREATE "POST /v1.41/containers/create"
#define EXEC "POST /v1.41/containers/a/exec"

static const char container_a[] =
    "{\"Id\":"
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
    "\"HostConfig\":{}}";
static const struct told told[] = {
	{ "/containers/a/json", 200, container_a },
	{ NULL, 0, NULL },
};

/* --- reading -------------------------------------------------------------- */

static const struct {
	const char *text;
	const char *says;
} mistakes[] = {
	{ RULES("3"), "expected an object" },
	{ RULES("{}"), "either allows or denies" },
	{ RULES("{\"allow\":[\"@run\"],\"deny\":[\"@run\"],\"when\":{}}"),
	    "either allows" },
	{ RULES("{\"deny\":[],\"when\":{\"query.all\":true}}"),
	    "an operation or a class at least" },
	{ RULES("{\"deny\":[\"@run\"]}"), "\"when\" is missing" },
	{ RULES("{\"deny\":[\"@run\"],\"when\":{}}"), "must be an object" },
	{ RULES("{\"deny\":[\"@run\"],\"when\":[]}"), "must be an object" },
	{ RULES("{\"deny\":\"@run\",\"when\":{}}"), "expected a list" },
	{ RULES(DENY("Foo", "\"query.all\":true")), "no operation \"Foo\"" },
	{ RULES(ALLOW("ServiceCreate", "\"query.all\":true")),
	    "has no query key" },
	{ RULES("{\"deny\":[\"@run\"],\"whem\":{},\"when\":{\"query.v\":true}"
		"}"),
	    "no member \"whem\"" },
	{ RULES("{\"deny\":[\"ContainerDelete\"],\"about\":3,\"when\":{"
		"\"query.v\":true}}"),
	    "expected a text" },
	{ RULES("{\"deny\":[\"ContainerDelete\"],\"about\":\"\\u001b\","
		"\"when\":{\"query.v\":true}}"),
	    "printable" },
	/* paths that lead nowhere */
	{ RULES(DENY("ContainerCreate", "\"HostConfig.Dns[]\":\"x\"")),
	    "expected a path" },
	{ RULES(DENY("ContainerCreate", "\"body\":\"x\"")), "expected a path" },
	{ RULES(DENY("ContainerCreate", "\"query.\":\"x\"")),
	    "expected a path" },
	{ RULES(DENY("ContainerCreate", "\"body.\":\"x\"")), "expected names" },
	{ RULES(DENY("ContainerCreate", "\"body.HostConfig.dns[]\":\"x\"")),
	    "letter by letter" },
	{ RULES(DENY("ContainerCreate", "\"body.HostConfig.Dns[0]\":\"x\"")),
	    "nothing at" },
	{ RULES(DENY("ContainerCreate", "\"body.HostConfig.Foo\":\"x\"")),
	    "nothing at" },
	{ RULES(DENY("ContainerCreate", "\"body.platform\":\"x\"")),
	    "nothing at" },
	{ RULES(DENY("ContainerCreate", "\"body.Labels.team\":\"x\"")),
	    "nothing at" },
	{ RULES(DENY("ContainerCreate", "\"query.force\":true")),
	    "no query key \"force\"" },
	{ RULES(DENY("ContainerStart", "\"body.Image\":\"x\"")),
	    "no body that dinv reads" },
	{ RULES(DENY("ImageBuild", "\"body.Image\":\"x\"")), "is a stream" },
	{ RULES(DENY("ImageLoad", "\"body.Image\":\"x\"")), "is a stream" },
	{ RULES(DENY("PluginPush", "\"body.Name\":\"x\"")),
	    "no body that dinv reads" },
	{ RULES(DENY("@run", "\"body.Foo\":\"x\"")),
	    "no operation of this rule" },
	{ RULES(DENY("@network", "\"body.Image\":\"x\"")),
	    "no operation of this rule" },
	/* each is somewhere in the class, no operation has both */
	{ RULES(DENY("@run", "\"body.Image\":\"x\",\"query.v\":true")),
	    "no operation of this rule" },
	{ RULES("{\"deny\":[\"ContainerCreate\",\"ContainerUpdate\"],\"when\":"
		"{\"body.Image\":\"x\"}}"),
	    "ContainerUpdate has nothing at \"Image\"" },
	/* conditions that do not fit */
	{ RULES(DENY("ContainerCreate", "\"body.Image\":3")),
	    "expected a pattern" },
	{ RULES(DENY("ContainerCreate", "\"body.Image\":null")),
	    "expected a pattern" },
	{ RULES(DENY("ContainerCreate", "\"body.Image\":[]")), "empty list" },
	{ RULES(DENY("ContainerCreate", "\"body.Image\":[3]")), "a pattern" },
	{ RULES(DENY("ContainerCreate", "\"body.Image\":true")),
	    "holds a text" },
	{ RULES(DENY("ContainerCreate", "\"body.Tty\":\"true\"")),
	    "holds true or false" },
	{ RULES(DENY("ContainerCreate", "\"body.Cmd\":\"sh\"")),
	    "whose elements are []" },
	{ RULES(DENY("ContainerCreate", "\"body.Labels\":\"x\"")),
	    "[] or [key]" },
	{ RULES(DENY("ContainerCreate", "\"body.HostConfig\":\"x\"")),
	    "holds an object" },
	{ RULES(DENY("ContainerCreate", "\"body.StopTimeout\":\"9\"")),
	    "holds an integer" },
	{ RULES(DENY("ContainerCreate", "\"body.Image\":{\"above\":1}")),
	    "for integers" },
	{ RULES(DENY("ContainerCreate", "\"body.StopTimeout\":{}")),
	    "expected one of" },
	{ RULES(DENY("ContainerCreate",
	      "\"body.StopTimeout\":{\"above\":1,\"absent\":true}")),
	    "expected one of" },
	{ RULES(DENY("ContainerCreate", "\"body.StopTimeout\":{\"over\":1}")),
	    "no member \"over\"" },
	{ RULES(
	      DENY("ContainerCreate", "\"body.StopTimeout\":{\"above\":1.5}")),
	    "expected an integer" },
	{ RULES(DENY("ContainerCreate",
	      "\"body.StopTimeout\":{\"above\":1,\"below\":2}")),
	    "nothing is above" },
	{ RULES(DENY(
	      "ContainerCreate", "\"body.StopTimeout\":{\"absent\":false}")),
	    "can only be true" },
	{ RULES(DENY("ContainerCreate", "\"body.Image\":{\"not\":3}")),
	    "a pattern or a list" },
	{ RULES(DENY("ContainerDelete", "\"query.force\":\"1\"")),
	    "holds true or false" },
	{ RULES(DENY("ImageBuild", "\"query.memory\":\"1\"")),
	    "holds an integer" },
	/* JSON in a query has many spellings */
	{ RULES(DENY("ImagePrune", "\"query.filters\":\"*dangling*\"")),
	    "a deny rule cannot rest" },
	{ RULES(ALLOW("ImagePrune", "\"query.filters\":{\"not\":\"x\"}")),
	    "an allow rule cannot rest" },
	{ RULES(DENY("@image", "\"query.platform\":\"x\"")),
	    "a deny rule cannot rest" },
	{ "{\"clients\":[],\"roles\":{\"t\":{\"unconstrained\":true,"
	  "\"rules\":[]}}}",
	    "allowed everything" },
};

static void
refuses_rules_that_could_not_hold(void **state)
{
	unsigned wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(mistakes); i++) {
		struct policy *pol = NULL;
		struct diag d = { 0, 0, "" };

		if (policy_load(span_of(mistakes[i].text), &pol, &d) !=
			ERR_POLICY ||
		    strstr(d.text, mistakes[i].says) == NULL || d.line != 1 ||
		    d.col == 0) {
			print_error("%s: %u:%u: %s\n", mistakes[i].text, d.line,
			    d.col, d.text);
			wrong++;
		}
		policy_free(pol);
	}
	assert_int_equal(wrong, 0);
}

/* --- one rule, one request ------------------------------------------------ */

/* The rules of a role, a request, and whether it is allowed. */
struct one {
	const char *rules;
	const char *request;
	const char *body;
	const char *rule; /* of the refusal; NULL: allowed */
	const char *path;
};

static void
ask_each(const struct one *c, size_t n)
{
	unsigned wrong = 0;
	struct asked a;
	size_t i;

	for (i = 0; i < n; i++) {
		ask_text(c[i].rules, c[i].request, c[i].body, told, &a);
		if ((a.verdict == VERDICT_ALLOW) == (c[i].rule == NULL) &&
		    (c[i].rule == NULL ||
			(strcmp(a.why.rule, c[i].rule) == 0 &&
			    strcmp(a.why.path, c[i].path) == 0))) {
			continue;
		}
		print_error("%s\n%s %s: %s at %s: %s\n", c[i].rules,
		    c[i].request, c[i].body == NULL ? "" : c[i].body,
		    a.why.rule, a.why.path, a.why.message);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

#define DNS RULES(DENY("ContainerCreate", "\"body.HostConfig.Dns[]\":\"10.*\""))
#define MEMORY                                                                 \
	RULES(DENY(                                                            \
	    "ContainerCreate", "\"body.HostConfig.Memory\":{\"below\":1000}"))
#define READONLY                                                               \
	RULES(DENY(                                                            \
	    "ContainerCreate", "\"body.HostConfig.ReadonlyRootfs\":false"))
#define MOUNTS_RO                                                              \
	RULES(DENY(                                                            \
	    "ContainerCreate", "\"body.HostConfig.Mounts[].ReadOnly\":false"))
#define TEAM                                                                   \
	RULES(DENY("VolumeCreate", "\"body.Labels[team]\":{\"absent\":true}"))
#define SHELL RULES(DENY("ContainerExec", "\"body.Cmd[]\":[\"sh\",\"*bash\"]"))
#define USER RULES(DENY("ContainerCreate", "\"body.User\":{\"not\":\"1*\"}"))

static void
denies_whatever_way_it_is_said(void **state)
{
	static const struct one cases[] = {
		{ DNS, CREATE, "{\"HostConfig\":{\"Dns\":[\"10.0.0.1\"]}}",
		    "denied", "HostConfig.Dns[0]" },
		{ DNS, CREATE,
		    "{\"ho\xc5\xbftconfig\":{\"dns\":[\"1.1.1.1\",\"10.\"]}}",
		    "denied", "HostConfig.Dns[1]" },
		{ DNS, CREATE, "{\"HostConfig\":{\"Dns\":[\"1.10.1.1\"]}}",
		    NULL, NULL },
		{ DNS, CREATE, "{\"HostConfig\":{\"Dns\":[]}}", NULL, NULL },
		{ DNS, CREATE, "{\"HostConfig\":{\"Dns\":null}}", NULL, NULL },
		{ DNS, CREATE, "{\"HostConfig\":null}", NULL, NULL },
		{ DNS, CREATE, "null", NULL, NULL },
		{ DNS, CREATE, "", NULL, NULL },
		{ DNS, CREATE, NULL, NULL, NULL },
		/* the walk goes first: no other type gets here */
		{ DNS, CREATE, "{\"HostConfig\":{\"Dns\":\"10.0.0.1\"}}",
		    "type", "HostConfig.Dns" },
		/* what is missing is 0, or false */
		{ MEMORY, CREATE, "{\"HostConfig\":{\"Memory\":999}}", "denied",
		    "HostConfig.Memory" },
		{ MEMORY, CREATE, "{\"HostConfig\":{\"Memory\":0}}", "denied",
		    "HostConfig.Memory" },
		{ MEMORY, CREATE, "{\"HostConfig\":{\"Memory\":null}}",
		    "denied", "HostConfig.Memory" },
		{ MEMORY, CREATE, "{\"HostConfig\":{}}", "denied",
		    "HostConfig.Memory" },
		{ MEMORY, CREATE, "{}", "denied", "HostConfig.Memory" },
		{ MEMORY, CREATE, "null", "denied", "HostConfig.Memory" },
		{ MEMORY, CREATE, "", "denied", "HostConfig.Memory" },
		{ MEMORY, CREATE, NULL, "denied", "HostConfig.Memory" },
		{ MEMORY, CREATE, "{\"HostConfig\":{\"Memory\":1000}}", NULL,
		    NULL },
		{ READONLY, CREATE, "{}", "denied",
		    "HostConfig.ReadonlyRootfs" },
		{ READONLY, CREATE, NULL, "denied",
		    "HostConfig.ReadonlyRootfs" },
		{ READONLY, CREATE,
		    "{\"HostConfig\":{\"ReadonlyRootfs\":true}"
		    "}",
		    NULL, NULL },
		/* of a list each element counts, and none is none */
		{ MOUNTS_RO, CREATE,
		    "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\","
		    "\"Target\":\"/a\",\"ReadOnly\":true},{\"Type\":"
		    "\"volume\",\"Target\":\"/b\"}]}}",
		    "denied", "HostConfig.Mounts[1].ReadOnly" },
		{ MOUNTS_RO, CREATE, "{\"HostConfig\":{\"Mounts\":[]}}", NULL,
		    NULL },
		{ MOUNTS_RO, CREATE, "{}", NULL, NULL },
		/* absent is also empty */
		{ TEAM, "POST /volumes/create", NULL, "denied",
		    "Labels[team]" },
		{ TEAM, "POST /volumes/create", "", "denied", "Labels[team]" },
		{ TEAM, "POST /volumes/create", "{\"Labels\":null}", "denied",
		    "Labels[team]" },
		{ TEAM, "POST /volumes/create", "{\"Labels\":{\"Team\":\"a\"}}",
		    "denied", "Labels[team]" },
		{ TEAM, "POST /volumes/create", "{\"Labels\":{\"team\":\"\"}}",
		    "denied", "Labels[team]" },
		{ TEAM, "POST /volumes/create", "{\"Labels\":{\"team\":\"a\"}}",
		    NULL, NULL },
		/* a string where a list may stand */
		{ SHELL, EXEC, "{\"Cmd\":\"sh\"}", "denied", "Cmd" },
		{ SHELL, EXEC, "{\"cmd\":[\"/bin/bash\"]}", "denied",
		    "Cmd[0]" },
		{ SHELL, EXEC, "{\"Cmd\":[\"ls\"]}", NULL, NULL },
		/* a value is there and matches none */
		{ USER, CREATE, "{\"User\":\"0\"}", "denied", "User" },
		{ USER, CREATE, "{\"User\":\"1000\"}", NULL, NULL },
		{ USER, CREATE, "{\"User\":\"\"}", NULL, NULL },
		{ USER, CREATE, "{}", NULL, NULL },
	};

	(void)state;
	ask_each(cases, NELEM(cases));
}

#define FORCE RULES(DENY("ContainerDelete", "\"query.force\":true"))
#define STATS RULES(DENY("ContainerStats", "\"query.stream\":true"))
#define NOT_ALL RULES(DENY("ContainerList", "\"query.all\":false"))
#define BUILD_MEM RULES(DENY("ImageBuild", "\"query.memory\":{\"above\":1000}"))
#define LABELLED RULES(DENY("ImageBuild", "\"query.t\":{\"not\":\"ci/*\"}"))
#define RM "DELETE /containers/a"

static void
reads_queries_as_dockerd_does(void **state)
{
	static const struct one cases[] = {
		{ FORCE, RM "?force=1", NULL, "denied", "force" },
		{ FORCE, RM "?force=yes", NULL, "denied", "force" },
		{ FORCE, RM "?force=%20TRUE", NULL, "denied", "force" },
		{ FORCE, RM "?force=f", NULL, "denied", "force" },
		{ FORCE, RM "?force=%c2%a00", NULL, "denied", "force" },
		{ FORCE, RM "?force=None", NULL, NULL, NULL },
		{ FORCE, RM "?force=", NULL, NULL, NULL },
		{ FORCE, RM, NULL, NULL, NULL },
		{ FORCE, RM "?v=1", NULL, NULL, NULL },
		/* true where it is missing */
		{ STATS, "GET /containers/a/stats", NULL, "denied", "stream" },
		{ STATS, "GET /containers/a/stats?stream=", NULL, "denied",
		    "stream" },
		{ STATS, "GET /containers/a/stats?stream=0", NULL, NULL, NULL },
		{ NOT_ALL, "GET /containers/json", NULL, "denied", "all" },
		{ NOT_ALL, "GET /containers/json?all=no", NULL, "denied",
		    "all" },
		{ NOT_ALL, "GET /containers/json?all=1", NULL, NULL, NULL },
		/* ParseInt */
		{ BUILD_MEM, "POST /build?memory=1001", NULL, "denied",
		    "memory" },
		{ BUILD_MEM, "POST /build?memory=%2B0001001", NULL, "denied",
		    "memory" },
		{ BUILD_MEM, "POST /build?memory=1e9", NULL, "denied",
		    "memory" },
		{ BUILD_MEM, "POST /build?memory=9223372036854775808", NULL,
		    "denied", "memory" },
		{ BUILD_MEM, "POST /build?memory=1000", NULL, NULL, NULL },
		{ BUILD_MEM, "POST /build?memory=-1001", NULL, NULL, NULL },
		{ BUILD_MEM, "POST /build", NULL, NULL, NULL },
		/* all values of a key that comes more than once */
		{ LABELLED, "POST /build?t=ci/a&t=prod", NULL, "denied", "t" },
		{ LABELLED, "POST /build?t=ci/a&t=ci/b", NULL, NULL, NULL },
	};

	(void)state;
	ask_each(cases, NELEM(cases));
}

#define PRUNE                                                                  \
	RULES(ALLOW("ImagePrune", "\"query.filters\":\"{\\\"dangling\\\":1}"   \
				  "\""))
#define PRUNE_ALL                                                              \
	RULES(ALLOW("ImagePrune", "\"query.filters\":{\"absent\":true}"))
#define WATCH(when) BASED("read-only", ALLOW("ContainerCreate", when))
#define VOLS                                                                   \
	BASED("read-only", ALLOW("VolumeCreate", "\"body.Labels[team]\":"      \
						 "\"a\""))
#define DNS_ONLY WATCH("\"body.HostConfig.Dns[]\":\"10.*\"")
#define SMALL WATCH("\"body.HostConfig.Memory\":{\"below\":1000}")
#define TTY_OFF WATCH("\"body.Tty\":false")
#define NOT_ROOT WATCH("\"body.User\":{\"not\":\"0\"}")
#define NAMED WATCH("\"query.name\":\"ci-*\",\"body.Image\":\"ci/*\"")

static void
allows_only_what_fits_in_all(void **state)
{
	static const struct one cases[] = {
		{ PRUNE, "POST /images/prune", NULL, "op", "" },
		{ PRUNE, "POST /images/prune?filters=", NULL, "op", "" },
		{ PRUNE, "POST /images/prune?filters=%7b%22dangling%22:0%7d",
		    NULL, "op", "" },
		{ PRUNE, "POST /images/prune?filters=%7b%22dangling%22:1%7d",
		    NULL, NULL, NULL },
		{ PRUNE, "POST /volumes/prune?filters=%7b%22dangling%22:1%7d",
		    NULL, "op", "" },
		/* an empty value is nothing sure */
		{ PRUNE_ALL, "POST /images/prune?filters=", NULL, "op", "" },
		{ PRUNE_ALL, "POST /images/prune?filters=x", NULL, "op", "" },
		{ PRUNE_ALL, "POST /images/prune", NULL, NULL, NULL },
		{ VOLS, "POST /volumes/create", NULL, "op", "" },
		{ VOLS, "POST /volumes/create", "", "op", "" },
		{ VOLS, "POST /volumes/create", "{\"Labels\":{}}", "op", "" },
		{ VOLS, "POST /volumes/create", "{\"Labels\":{\"TEAM\":\"a\"}}",
		    "op", "" },
		{ VOLS, "POST /volumes/create", "{\"labels\":{\"team\":\"a\"}}",
		    NULL, NULL },
		{ VOLS, "POST /networks/create",
		    "{\"Labels\":{\"team\":\"a\"}"
		    "}",
		    "op", "" },
		/* every element, and one at least */
		{ DNS_ONLY, CREATE,
		    "{\"HostConfig\":{\"Dns\":[\"10.1\",\"8.8.8.8\"]}}", "op",
		    "" },
		{ DNS_ONLY, CREATE, "{\"HostConfig\":{\"Dns\":[]}}", "op", "" },
		{ DNS_ONLY, CREATE, "{}", "op", "" },
		{ DNS_ONLY, CREATE,
		    "{\"HostConfig\":{\"Dns\":[\"10.1\",\"10.2\"]}}", NULL,
		    NULL },
		/* the rules of a role hold all the same */
		{ DNS_ONLY, CREATE,
		    "{\"HostConfig\":{\"Dns\":[\"10.1\"],\"Privileged\":true}}",
		    "privileged", "HostConfig.Privileged" },
		{ DNS_ONLY, CREATE,
		    "{\"HostConfig\":{\"Dns\":[\"10.1\"],\"Foo\":true}}",
		    "unknown-field", "HostConfig.Foo" },
		/* nothing is no limit */
		{ SMALL, CREATE, "{}", "op", "" },
		{ SMALL, CREATE, "{\"HostConfig\":{\"Memory\":0}}", "op", "" },
		{ SMALL, CREATE, "{\"HostConfig\":{\"Memory\":1000}}", "op",
		    "" },
		{ SMALL, CREATE, "{\"HostConfig\":{\"Memory\":999}}", NULL,
		    NULL },
		{ TTY_OFF, CREATE, "{}", "op", "" },
		{ TTY_OFF, CREATE, "{\"Tty\":true}", "op", "" },
		{ TTY_OFF, CREATE, "{\"Tty\":false}", NULL, NULL },
		{ NOT_ROOT, CREATE, "{}", "op", "" },
		{ NOT_ROOT, CREATE, "{\"User\":\"\"}", "op", "" },
		{ NOT_ROOT, CREATE, "{\"User\":\"0\"}", "op", "" },
		{ NOT_ROOT, CREATE, "{\"User\":\"1\"}", NULL, NULL },
		/* all conditions: the head's before the body is asked for */
		{ NAMED, CREATE "?name=x", "{\"Image\":\"ci/a\"}", "op", "" },
		{ NAMED, CREATE "?name=ci-1", "{\"Image\":\"a\"}", "op", "" },
		{ NAMED, CREATE "?name=ci-1", NULL, "op", "" },
		{ NAMED, CREATE "?name=ci-1", "{\"Image\":\"ci/a\"}", NULL,
		    NULL },
	};

	(void)state;
	ask_each(cases, NELEM(cases));
}

/* --- several rules, several roles ----------------------------------------- */

#define PRUNE_RULE ALLOW("ImagePrune", "\"query.filters\":{\"present\":true}")

static void
denial_wins_and_roles_add_up(void **state)
{
	static const char both[] = RULES(ALLOW("ImagePrune",
	    "\"query.filters\":{\"present\":true}") "," DENY("@image",
	    "\"query.filters\":{\"present\":true}"));
	static const char inherited[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"u\"}],"
	    "\"roles\":{\"u\":{\"extends\":\"t\",\"rules\":[" DENY(
		"ContainerDelete",
		"\"query.force\":true") "]},"
					"\"t\":{\"extends\":\"ci-runner\","
					"\"rules\":[" PRUNE_RULE "]}}}";
	static const char taken[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"u\"}],"
	    "\"roles\":{\"u\":{\"extends\":\"t\",\"deny\":[\"ImagePrune\"]},"
	    "\"t\":{\"extends\":\"ci-runner\",\"rules\":[" PRUNE_RULE "]}}}";
	static const char beside[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],"
	    "\"roles\":{\"u\":{\"extends\":\"t\",\"deny\":[\"ImagePrune\"]},"
	    "\"t\":{\"extends\":\"ci-runner\",\"rules\":[" PRUNE_RULE "]}}}";
	static const char given[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],"
	    "\"roles\":{\"t\":{\"extends\":\"read-only\",\"allow\":["
	    "\"ContainerDelete\"],\"rules\":[" DENY(
		"ContainerDelete", "\"query.force\":true") "]}}}";
	static const struct one cases[] = {
		{ both, "POST /images/prune?filters=x", NULL, "denied",
		    "filters" },
		{ both, "POST /images/prune", NULL, "op", "" },
		{ inherited, "POST /images/prune?filters=x", NULL, NULL, NULL },
		{ inherited, "POST /images/prune", NULL, "op", "" },
		{ inherited, RM "?force=1", NULL, "denied", "force" },
		{ inherited, RM, NULL, NULL, NULL },
		{ taken, "POST /images/prune?filters=x", NULL, "op", "" },
		{ beside, "POST /images/prune?filters=x", NULL, NULL, NULL },
		{ given, RM "?force=1", NULL, "denied", "force" },
		{ given, RM, NULL, NULL, NULL },
	};

	(void)state;
	ask_each(cases, NELEM(cases));
}

static void
names_line_and_reason(void **state)
{
	static const char text[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],\n"
	    "\"roles\":{\"t\":{\"extends\":\"ci-runner\",\"rules\":[\n"
	    "{\"deny\":[\"@run\"],\"when\":{\"body.HostConfig.NanoCpus\":{"
	    "\"above\":4000000000}},\"about\":\"ask ops\"},\n"
	    "{\"deny\":[\"SystemAuth\"],\"when\":{\"body.password\":\"a*\"}},\n"
	    "{\"allow\":[\"ImagePrune\"],\"when\":{\"query.filters\":{"
	    "\"present\":true}}}]}}}";
	struct asked a;

	(void)state;
	ask_text(text, CREATE, "{\"HostConfig\":{\"NanoCpus\":4000000001}}",
	    NULL, &a);
	assert_string_equal(a.why.message,
	    "dinv: role t refuses ContainerCreate as asked: ask ops (rule "
	    "denied, at HostConfig.NanoCpus)");
	assert_int_equal(a.why.line, 3);
	ask_text(text, "POST /auth", "{\"password\":\"aSecret\"}", NULL, &a);
	assert_string_equal(a.why.rule, "denied");
	assert_int_equal(a.why.line, 4);
	assert_null(strstr(a.why.message, "Secret"));
	ask_text(text, "POST /images/prune?filters=x", NULL, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_int_equal(a.why.line, 5);
	ask_text(text, "POST /images/prune", NULL, NULL, &a);
	assert_int_equal(a.why.line, 5);
	/* an operation of the class without that path is not touched */
	ask_text(text, "POST /containers/a/stop", NULL, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
}

/* An observed role tells of each refusal once, and lets all of it pass. */
static void
observed_roles_tell_and_let_pass(void **state)
{
	static const char text[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],"
	    "\"roles\":{\"t\":{\"extends\":\"ci-runner\",\"mode\":"
	    "\"observe\",\"rules\":[" DENY(
		"ContainerDelete", "\"query.force\":true") "]}}}";
	struct asked a;

	(void)state;
	ask_text(text, RM "?force=1", NULL, told, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	ask_text(text, "POST /volumes/prune", NULL, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_rules_that_could_not_hold),
		cmocka_unit_test(denies_whatever_way_it_is_said),
		cmocka_unit_test(reads_queries_as_dockerd_does),
		cmocka_unit_test(allows_only_what_fits_in_all),
		cmocka_unit_test(denial_wins_and_roles_add_up),
		cmocka_unit_test(names_line_and_reason),
		cmocka_unit_test(observed_roles_tell_and_let_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
