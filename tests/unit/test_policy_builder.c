/* SPDX-License-Identifier: Apache-2.0 */
/* The preset builder: what it has not, then what a build needs. */
#include "policy_role.h"

static const char *const denied[] = {
	"POST /containers/create",
	"POST /containers/x/start",
	"POST /containers/x/attach",
	"POST /containers/x/exec",
	"POST /containers/x/kill",
	"GET /containers/json",
	"GET /containers/x/json",
	"GET /containers/x/logs",
	"GET /containers/x/export",
	"GET /containers/x/archive?path=/",
	"POST /exec/x/start",
	"POST /commit?container=x",
	"POST /volumes/create",
	"GET /volumes",
	"DELETE /volumes/x",
	"POST /networks/create",
	"GET /networks",
	"POST /images/load",
	"GET /images/x/get",
	"GET /images/get?names=x",
	"POST /images/prune",
	"GET /images/search?term=x",
	"POST /build/prune",
	"POST /build/cancel?id=x",
	"GET /events",
	"GET /system/df",
	"GET /swarm",
	"GET /services",
	"GET /secrets",
	"GET /plugins",
	"POST /build?networkmode=host",
	"POST /build?remote=http%3a%2f%2f169.254.169.254%2f",
	"POST /images/create?fromSrc=http%3a%2f%2fx%2f",
};

static const char *const allowed[] = {
	"HEAD /_ping",
	"GET /_ping",
	"GET /version",
	"GET /v1.41/info",
	"POST /v1.41/build?t=x&rm=1",
	"POST /v1.41/build?version=2&remote=client-session&session=a",
	"POST /images/create?fromImage=alpine&tag=3",
	"POST /images/x/push?tag=1",
	"POST /images/x/tag?repo=y&tag=1",
	"DELETE /images/x",
	"GET /images/json",
	"GET /images/x/json",
	"GET /images/x/history",
	"GET /distribution/x/json",
	"POST /auth",
};

static void
builds_and_pushes_and_no_more(void **state)
{
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(denied); i++) {
		ask_preset("builder", denied[i], NULL, NULL, &a);
		if (a.verdict != VERDICT_DENY) {
			fail_msg("%s", denied[i]);
		}
	}
	for (i = 0; i < NELEM(allowed); i++) {
		ask_preset("builder", allowed[i], NULL, NULL, &a);
		if (a.verdict != VERDICT_ALLOW) {
			fail_msg("%s: %s", allowed[i], a.why.message);
		}
	}
}

static void
is_held_to_names_of_images(void **state)
{
	static const struct role_case c[] = {
		{ "POST /build?t=alpine", NULL, "images", "t", "" },
		{ "POST /images/x/push?tag=1", NULL, "images", "", "" },
		{ "POST /build?t=reg.io/ci/x", NULL, NULL, "", "" },
	};

	(void)state;
	ask_cases(ROLE_TEXT("builder", "\"images\":{\"push\":[\"reg.io/ci/*\"],"
				       "\"tag\":[\"reg.io/ci/*\"]}"),
	    c, NELEM(c), NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_and_pushes_and_no_more),
		cmocka_unit_test(is_held_to_names_of_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
