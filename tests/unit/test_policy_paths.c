/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the host and volumes that a role may mount: refusals first. */
#include "policy_role.h"

#define CREATE "POST /v1.41/containers/create"
#define START "POST /v1.41/containers/x/start"
#define HC(text) "{\"Image\":\"i\",\"HostConfig\":{" text "}}"
#define BIND(text) HC("\"Binds\":[\"" text "\"]")
#define MOUNT(text)                                                            \
	HC("\"Mounts\":[{\"Type\":\"bind\",\"Target\":\"/c\"," text "}]")
#define B0 "HostConfig.Binds[0]"
#define M0 "HostConfig.Mounts[0]"
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define PATHS                                                                  \
	"\"host_paths\":[{\"path\":\"/srv/cache/\",\"mode\":\"ro\"},"          \
	"{\"path\":\"/srv//out\",\"mode\":\"rw\"}]"
#define RULE "host-paths"

static const struct role_case cases[] = {
	{ CREATE, BIND("/etc:/c:ro"), RULE, B0,
	    "refuses the host path \"/etc\" (allowed: /srv/cache/ (ro), "
	    "/srv//out (rw))" },
	{ CREATE, BIND("/:/c:ro"), RULE, B0, "\"/\"" },
	{ CREATE, BIND("/srv:/c:ro"), RULE, B0, "" },
	{ CREATE, BIND("/srv/cachex:/c:ro"), RULE, B0, "" },
	{ CREATE, BIND("/srv/cache/../../etc:/c:ro"), RULE, B0, "" },
	{ CREATE, BIND("/srv/cache/..:/c:ro"), RULE, B0, "" },
	{ CREATE, BIND("srv/cache:/c:ro"), RULE, B0, "" },
	{ CREATE, BIND("./srv/cache:/c:ro"), RULE, B0, "" },
	{ CREATE, BIND("/SRV/cache:/c:ro"), RULE, B0, "" },
	{ CREATE, BIND("/srv/cache:/c"), RULE, B0, "for writing" },
	{ CREATE, BIND("/srv/cache:/c:rw"), RULE, B0, "for writing" },
	{ CREATE, BIND("/srv/cache:/c:ro,rw"), RULE, B0, "for writing" },
	{ CREATE, BIND("/srv/cache:/c:ro,z"), RULE, B0, "for writing" },
	{ CREATE, BIND("/srv/cache:/c:RO"), RULE, B0, "the options \"RO\"" },
	{ CREATE, BIND("/srv/out:/c:rshared"), RULE, B0, "rshared" },
	{ CREATE, BIND("/srv/out:/c:ro:x"), RULE, B0, "ro:x" },
	{ CREATE, BIND("/srv/out:c"), RULE, B0, "" },
	{ CREATE, BIND("/srv/out:/sys/x"), "mount-target", B0, "" },
	{ CREATE, MOUNT("\"Source\":\"/etc\",\"ReadOnly\":true"), RULE, M0,
	    "/etc" },
	{ CREATE, MOUNT("\"Source\":\"/srv/cache\""), RULE, M0, "writing" },
	{ CREATE, MOUNT("\"Source\":\"/srv/cache\",\"ReadOnly\":false"), RULE,
	    M0, "" },
	{ CREATE,
	    MOUNT("\"Source\":\"/srv/cache\",\"ReadOnly\":true,"
		  "\"BindOptions\":{\"ReadOnlyNonRecursive\":true}"),
	    RULE, M0, "" },
	{ CREATE,
	    MOUNT("\"Source\":\"/srv/cache/x\",\"ReadOnly\":true,"
		  "\"BindOptions\":{\"CreateMountpoint\":true}"),
	    RULE, M0, "" },
	{ CREATE,
	    MOUNT("\"Source\":\"/srv/out\",\"BindOptions\":{"
		  "\"Propagation\":\"rshared\"}"),
	    RULE, M0, "the propagation \"rshared\"" },
	{ CREATE, MOUNT("\"Source\":\"\""), RULE, M0, "" },
	{ CREATE,
	    MOUNT("\"Source\":\"/srv/out\",\"VolumeOptions\":{"
		  "\"DriverConfig\":{\"Options\":{\"o\":\"bind\"}}}"),
	    RULE, M0, "options" },
	{ CREATE,
	    HC("\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/c\","
	       "\"BindOptions\":{\"Propagation\":\"rshared\"}}]"),
	    RULE, M0, "" },
	{ CREATE,
	    HC("\"Mounts\":[{\"Type\":\"npipe\",\"Source\":\"/srv/out\"}"
	       "]"),
	    RULE, M0, "" },
	{ "POST /volumes/create",
	    "{\"Name\":\"v\",\"DriverOpts\":{\"o\":\"bind\"}}", RULE,
	    "DriverOpts", "" },
	{ CREATE, BIND("/srv/cache:/c:ro"), NULL, "", "" },
	{ CREATE, BIND("/srv/cache/a/../b:/c:ro,rprivate"), NULL, "", "" },
	{ CREATE, BIND("/srv/out:/c:rw,Z"), NULL, "", "" },
	{ CREATE, BIND("vol:/c"), NULL, "", "" },
	{ CREATE, MOUNT("\"Source\":\"/srv/cache/x\",\"ReadOnly\":true"), NULL,
	    "", "" },
	{ CREATE,
	    MOUNT("\"Source\":\"/srv/out\",\"BindOptions\":{"
		  "\"CreateMountpoint\":true,\"Propagation\":"
		  "\"rprivate\"}"),
	    NULL, "", "" },
};

static void
lets_paths_through_by_list(void **state)
{
	(void)state;
	ask_cases(ROLE_TEXT("ci-runner", PATHS), cases, NELEM(cases), NULL);
}

/* /srv/cache/away is a link to /etc, /srv/cache/in to /srv/cache/x. */
static enum err
fake_links(const char *path, char *out, size_t size)
{
	static const char *const leads[][2] = {
		{ "/srv/cache/away", "/etc" },
		{ "/srv/cache/in", "/srv/cache/x" },
		{ "/srv/cache/out", "/srv/out" },
		{ "/srv/cache/deep", "/srv/out/y" },
		{ "/srv/link", "/data" },
		{ "/srv/link/a", "/data/a" },
	};
	size_t i;

	if (strcmp(path, "/srv/cache/odd") == 0) {
		return ERR_IO;
	}
	if (strcmp(path, "/srv/cache/new") == 0 ||
	    strcmp(path, "/srv/made") == 0) {
		snprintf(out, size, "%s", path);
		return ERR_NOTFOUND;
	}
	for (i = 0; i < NELEM(leads); i++) {
		if (strcmp(path, leads[i][0]) == 0) {
			path = leads[i][1];
		}
	}
	snprintf(out, size, "%s", path);
	return ERR_OK;
}

static void
follows_links(void **state)
{
	static const struct role_case c[] = {
		{ CREATE, BIND("/srv/cache/away:/c:ro"), RULE, B0,
		    "links lead elsewhere" },
		{ CREATE, BIND("/srv/cache/./x/../away:/c:ro"), RULE, B0,
		    "links lead elsewhere" },
		{ CREATE, BIND("/srv/cache/odd:/c:ro"), RULE, B0,
		    "whose links it cannot follow" },
		{ CREATE, BIND("/srv/cache/deep:/c:ro"), RULE, B0,
		    "links lead elsewhere" },
		{ CREATE,
		    MOUNT("\"Source\":\"/srv/cache/away\",\"ReadOnly\":true"),
		    RULE, M0, "links lead elsewhere" },
		{ CREATE, BIND("/srv/cache/new:/c:ro"), RULE, B0,
		    "which is not there" },
		{ CREATE, BIND("/srv/made:/c:ro"), RULE, B0,
		    "which is not there" },
		{ CREATE, BIND("/srv/made:/c"), NULL, "", "" },
		{ CREATE, BIND("/srv/cache/in:/c:ro"), NULL, "", "" },
		{ CREATE, BIND("/srv/cache/out:/c:ro"), NULL, "", "" },
		{ CREATE, BIND("/srv/link:/c:ro"), NULL, "", "" },
		{ CREATE, BIND("/srv/link/a:/c:ro"), NULL, "", "" },
	};

	(void)state;
	role_links = fake_links;
	ask_cases(
	    ROLE_TEXT("ci-runner",
		"\"host_paths\":[{\"path\":\"/srv/cache\",\"mode\":\"ro\"},"
		"{\"path\":\"/srv/link\",\"mode\":\"ro\"},"
		"{\"path\":\"/srv/made\",\"mode\":\"rw\"},"
		"{\"path\":\"/srv/out\",\"mode\":\"rw\"}]"),
	    c, NELEM(c), NULL);
	role_links = NULL;
}

/* Another role writes to it; below a writable path any name can be a link. */
static void
takes_no_path_that_a_container_could_have_linked(void **state)
{
	static const struct role_case c[] = {
		{ CREATE, BIND("/srv/out/a:/c"), RULE, B0,
		    "below \"/srv/out\", where containers can make links" },
		{ CREATE, BIND("/srv/out/a:/c:ro"), RULE, B0, "make links" },
		{ CREATE, BIND("/srv/cache/b/c:/c:ro"), RULE, B0,
		    "below \"/srv/cache/b\"" },
		{ CREATE, MOUNT("\"Source\":\"/srv/out/x\""), RULE, M0,
		    "make links" },
		{ CREATE, BIND("/srv/out:/c"), NULL, "", "" },
		{ CREATE, BIND("/srv/cache/b:/c:ro"), NULL, "", "" },
		{ CREATE, BIND("/srv/cache/x/y:/c:ro"), NULL, "", "" },
		{ CREATE, BIND("/srv/mine/x/y:/c"), NULL, "", "" },
	};

	(void)state;
	ask_cases(
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],"
	    "\"roles\":{\"t\":{\"extends\":\"ci-runner\",\"constraints\":{"
	    "\"host_paths\":[{\"path\":\"/srv/cache\",\"mode\":\"ro\"},"
	    "{\"path\":\"/srv/mine\",\"mode\":\"rw\",\"links\":\"trusted\"},"
	    "{\"path\":\"/srv/out\",\"mode\":\"rw\"}]}},"
	    "\"u\":{\"extends\":\"ci-runner\",\"constraints\":{"
	    "\"host_paths\":[{\"path\":\"/srv/cache/b\",\"mode\":\"rw\"}]"
	    "}}}}",
	    c, NELEM(c), NULL);
}

static void
enters_what_it_could_have_made(void **state)
{
	static const struct {
		const char *inspect;
		bool want;
	} c[] = {
		{ "\"Binds\":[\"/etc:/c:ro\"]},\"Mounts\":[]", false },
		{ "\"Binds\":null},\"Mounts\":[{\"Type\":\"bind\",\"Source\":"
		  "\"/srv/cache\",\"RW\":true,\"Propagation\":\"rprivate\"}]",
		    false },
		{ "\"Binds\":null},\"Mounts\":[{\"Type\":\"bind\",\"Source\":"
		  "\"/srv/cache\",\"Propagation\":\"rprivate\"}]",
		    false },
		{ "\"Binds\":null},\"Mounts\":[{\"Type\":\"bind\",\"Source\":"
		  "\"/srv/out\",\"RW\":true,\"Propagation\":\"rshared\"}]",
		    false },
		{ "\"Binds\":[\"/srv/cache:/c:ro\"]},\"Mounts\":[{\"Type\":"
		  "\"bind\",\"Source\":\"/srv/cache\",\"Destination\":\"/c\","
		  "\"Mode\":\"ro\",\"RW\":false,\"Propagation\":\"rprivate\"}]",
		    true },
		{ "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/srv/out\","
		  "\"Target\":\"/o\"}]},\"Mounts\":[{\"Type\":\"bind\","
		  "\"Source\":\"/srv/out\",\"RW\":true,\"Propagation\":"
		  "\"rprivate\"}]",
		    true },
	};
	char inspect[512];
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(c); i++) {
		const struct told told[] = {
			{ "/containers/x/json", 200, inspect },
			{ NULL, 0, NULL },
		};

		snprintf(inspect, sizeof(inspect),
		    "{\"Id\":\"" ID "\",\"HostConfig\":{%s}", c[i].inspect);
		ask_text(ROLE_TEXT("ci-runner", PATHS), START, NULL, told, &a);
		if ((a.verdict == VERDICT_ALLOW) != c[i].want) {
			fail_msg("%s: %s", inspect, a.why.message);
		}
	}
}

static void
holds_volumes_by_name_and_driver(void **state)
{
	static const struct told told[] = {
		{ "/volumes/ci-nfs", 200,
		    "{\"Name\":\"ci-nfs\",\"Driver\":\"nfs\"}" },
		{ "/volumes/ci-odd", 200,
		    "{\"Name\":\"ci-odd\",\"Driver\":\"odd\"}" },
		{ NULL, 0, NULL },
	};
	static const struct role_case c[] = {
		{ CREATE, BIND("prod:/c"), "volumes", B0,
		    "refuses the volume \"prod\" (allowed: ci-*)" },
		{ CREATE,
		    HC("\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"prod\","
		       "\"Target\":\"/c\"}]"),
		    "volumes", M0, "prod" },
		{ "POST /volumes/create", "{\"Name\":\"prod\"}", "volumes",
		    "Name", "prod" },
		{ "DELETE /volumes/prod", NULL, "volumes", "", "prod" },
		{ "POST /volumes/create",
		    "{\"Name\":\"ci-a\",\"Driver\":\"../../tmp/x\"}",
		    "volume-driver", "Driver", "allowed: nfs" },
		{ CREATE, HC("\"VolumeDriver\":\"odd\""), "volume-driver",
		    "HostConfig.VolumeDriver", "allowed: nfs" },
		{ CREATE, BIND("ci-odd:/c"), "volume-driver", B0, "ci-odd" },
		{ CREATE,
		    HC("\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/c\","
		       "\"VolumeOptions\":{\"DriverConfig\":{\"Name\":\"odd\"}}"
		       "}]"),
		    "volume-driver", M0, "odd" },
		{ CREATE, BIND("/etc:/c"), "host-paths", B0, "" },
		{ CREATE, BIND("ci-nfs:/c"), NULL, "", "" },
		{ CREATE, BIND("/anonymous"), NULL, "", "" },
		{ "POST /volumes/create",
		    "{\"Name\":\"ci-a\",\"Driver\":\"nfs\"}", NULL, "", "" },
		{ "POST /volumes/create", "{}", NULL, "", "" },
		{ "DELETE /volumes/ci-a", NULL, NULL, "", "" },
	};

	(void)state;
	ask_cases(ROLE_TEXT("ci-runner", "\"volumes\":{\"drivers\":[\"nfs\"],"
					 "\"names\":[\"ci-*\"]}"),
	    c, NELEM(c), told);
}

static void
refuses_policies_that_cannot_be_meant(void **state)
{
	static const struct mistake m[] = {
		{ "\"host_paths\":{}", "expected a list of paths" },
		{ "\"host_paths\":[\"/srv\"]", "an object with path and mode" },
		{ "\"host_paths\":[{\"path\":\"/srv\"}]", "expected { \"path" },
		{ "\"host_paths\":[{\"path\":\"srv\",\"mode\":\"ro\"}]",
		    "an absolute path" },
		{ "\"host_paths\":[{\"path\":\"/srv\",\"mode\":\"r\"}]",
		    "expected \"ro\" or \"rw\"" },
		{ "\"host_paths\":[{\"path\":\"/srv\",\"mode\":\"ro\","
		  "\"x\":1}]",
		    "no member \"x\"; expected path, mode or links" },
		{ "\"host_paths\":[{\"path\":\"/srv\"}]", "expected { \"path" },
		{ "\"volumes\":{\"driver\":[]}", "expected drivers or names" },
	};

	(void)state;
	expect_mistakes(m, NELEM(m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lets_paths_through_by_list),
		cmocka_unit_test(follows_links),
		cmocka_unit_test(
		    takes_no_path_that_a_container_could_have_linked),
		cmocka_unit_test(enters_what_it_could_have_made),
		cmocka_unit_test(holds_volumes_by_name_and_driver),
		cmocka_unit_test(refuses_policies_that_cannot_be_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
