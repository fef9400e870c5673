/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images, and which of them a role may use: refusals first. */
#include "policy_role.h"

#include "image_ref.h"

#define SHA                                                                    \
	"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"  \
	"cdef"
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *in;
	enum image_ref_kind kind;
	const char *text;
} any[] = {
	{ "", IMAGE_REF_BAD, "" },
	{ "/", IMAGE_REF_BAD, "" },
	{ "a/", IMAGE_REF_BAD, "" },
	{ "/a", IMAGE_REF_BAD, "" },
	{ "a//b", IMAGE_REF_BAD, "" },
	{ "Alpine", IMAGE_REF_BAD, "" },
	{ "Foo/bar", IMAGE_REF_BAD, "" },
	{ "docker.io/Foo", IMAGE_REF_BAD, "" },
	{ "a..b", IMAGE_REF_BAD, "" },
	{ "a___b", IMAGE_REF_BAD, "" },
	{ "a-", IMAGE_REF_BAD, "" },
	{ "a:", IMAGE_REF_BAD, "" },
	{ "a:b:c", IMAGE_REF_BAD, "" },
	{ "a:-b", IMAGE_REF_BAD, "" },
	{ "a b", IMAGE_REF_BAD, "" },
	{ "a@", IMAGE_REF_BAD, "" },
	{ "a@sha256:abcd", IMAGE_REF_BAD, "" },
	{ "a@b@" SHA, IMAGE_REF_BAD, "" },
	{ "reg.io:x/a", IMAGE_REF_BAD, "" },
	{ "-reg.io/a", IMAGE_REF_BAD, "" },
	{ "http://reg.io/a", IMAGE_REF_BAD, "" },
	{ "xn--\xc3\xa9.io/a", IMAGE_REF_BAD, "" },
	{ "reg.io/a*", IMAGE_REF_BAD, "" },
	{ "a:*", IMAGE_REF_BAD, "" },
	{ HEX, IMAGE_REF_ID, SHA },
	{ SHA, IMAGE_REF_ID, SHA },
	{ "cafe", IMAGE_REF_ID, "sha256:cafe" },
	{ "0", IMAGE_REF_ID, "sha256:0" },
	{ "sha256:ab", IMAGE_REF_ID, "sha256:ab" },
	{ "alpine", IMAGE_REF_TAG, "docker.io/library/alpine:latest" },
	{ "cafe:1", IMAGE_REF_TAG, "docker.io/library/cafe:1" },
	{ "docker.io/alpine", IMAGE_REF_TAG,
	    "docker.io/library/alpine:latest" },
	{ "index.docker.io/a/b:V1", IMAGE_REF_TAG, "docker.io/a/b:V1" },
	{ "me/app", IMAGE_REF_TAG, "docker.io/me/app:latest" },
	{ "localhost/app", IMAGE_REF_TAG, "localhost/app:latest" },
	{ "localhost:5000/app", IMAGE_REF_TAG, "localhost:5000/app:latest" },
	{ "[::1]:5000/app", IMAGE_REF_TAG, "[::1]:5000/app:latest" },
	{ "reg.io/a__b.c---d/e", IMAGE_REF_TAG, "reg.io/a__b.c---d/e:latest" },
	{ "Reg.IO/a", IMAGE_REF_TAG, "Reg.IO/a:latest" },
	{ "alpine:3@" SHA, IMAGE_REF_DIGEST, "docker.io/library/alpine@" SHA },
};

static void
reads_names_as_dockerd_does(void **state)
{
	unsigned wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(any); i++) {
		struct image_ref r = image_ref_any(span_of(any[i].in));

		if (r.kind != any[i].kind || strcmp(r.text, any[i].text) != 0) {
			print_error("%s: %d %s\n", any[i].in, r.kind, r.text);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void
keeps_a_registrys_star_in_the_registry(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool want;
	} c[] = {
		{ "*.corp.io/x:*", "evil.org/a.corp.io/x:1", false },
		{ "reg.io/*", "reg.io.evil.org/x", false },
		{ "reg.io/x:1", "reg.io/x", false },
		{ "docker.io/library/*", "cafe", false },
		{ "sha256:*", "alpine", false },
		{ "sha256:*", "alpine@" SHA, false },
		{ "docker.io/library/alpine:3*", "alpine:3@" SHA, false },
		{ "*.corp.io/x:*", "a.corp.io/x:1", true },
		{ "*/x:latest", "reg.io/x", true },
		{ "reg.io/*", "reg.io/a/b@" SHA, true },
		{ "sha256:*", "cafe", true },
		{ "*", "cafe", true },
		{ "*", "alpine", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(c); i++) {
		struct image_ref r = image_ref_any(span_of(c[i].name));

		if (image_ref_match(span_of(c[i].pattern), &r) != c[i].want) {
			fail_msg("%s %s", c[i].pattern, c[i].name);
		}
	}
}

#define CREATE "POST /v1.41/containers/create"
#define IMAGES                                                                 \
	"\"images\":{\"run\":[\"docker.io/library/alpine:*\",\"reg.io/*\"],"   \
	"\"pull\":[\"docker.io/library/alpine:3*\",\"reg.io/ci/*\"],\"push\":" \
	"[\"reg.io/ci/*\"],\"tag\":[\"reg.io/ci/*\"]}"

static const struct role_case cases[] = {
	{ CREATE, "{\"Image\":\"debian\"}", "images", "Image",
	    "refuses to run the image \"docker.io/library/debian:latest\" "
	    "(allowed: docker.io/library/alpine:*, reg.io/*)" },
	{ CREATE, "{\"image\":\"debian\"}", "images", "Image", "debian" },
	{ CREATE, "{\"Image\":\"cafe\"}", "images", "Image",
	    "can be an id (write name:tag" },
	{ CREATE, "{\"Image\":\"Reg.io/x\"}", "images", "Image", "Reg.io/x" },
	{ CREATE, "{\"Image\":\" alpine\"}", "images", "Image", "no name" },
	{ CREATE,
	    "{\"Image\":\"alpine\",\"HostConfig\":{\"Mounts\":[{\"Type\":"
	    "\"image\",\"Source\":\"secret\",\"Target\":\"/x\"}]}}",
	    "images", "HostConfig.Mounts[0]", "secret" },
	{ CREATE, "{\"Image\":\"alpine\"}", NULL, "", "" },
	{ CREATE, "{\"Image\":\"reg.io/a/b:c\"}", NULL, "", "" },
	{ "POST /images/create?fromImage=alpine", NULL, "images", "fromImage",
	    "to pull the image \"docker.io/library/alpine:*\"" },
	{ "POST /images/create?fromImage=alpine&tag=2", NULL, "images",
	    "fromImage", "alpine:2" },
	{ "POST /images/create?fromImage=alpine:3.20&tag=2", NULL, "images",
	    "fromImage", "alpine:2" },
	{ "POST /images/create?fromImage=alpine:3.20&tag=" SHA, NULL, "images",
	    "fromImage", "alpine@sha256:" },
	{ "POST /images/create?fromImage=alpine&tag=a%20b", NULL, "images",
	    "fromImage", "no name" },
	{ "POST /images/create?fromImage=evil.io/x&tag=1", NULL, "images",
	    "fromImage", "evil.io/x:1" },
	{ "POST /images/create?fromSrc=-&repo=alpine&tag=3", NULL, "images",
	    "repo", "to tag the image" },
	{ "POST /images/create?fromSrc=-&repo=alpine", NULL, "images", "repo",
	    "alpine:latest" },
	{ "POST /images/create?fromImage=alpine&tag=3.20", NULL, NULL, "", "" },
	{ "POST /images/create?fromImage=alpine:3.20", NULL, NULL, "", "" },
	{ "POST /images/create?fromImage=reg.io/ci/x", NULL, NULL, "", "" },
	{ "POST /images/create?fromSrc=-", NULL, NULL, "", "" },
	{ "POST /images/create?fromSrc=-&repo=reg.io/ci/x", NULL, NULL, "",
	    "" },
	{ "POST /images/reg.io/x/push?tag=1", NULL, "images", "",
	    "to push the image \"reg.io/x:1\" (allowed: reg.io/ci/*)" },
	{ "POST /images/x/push", NULL, "images", "", "library/x:*" },
	{ "POST /images/reg.io/ci/x/push?tag=1", NULL, NULL, "", "" },
	{ "POST /images/reg.io/ci/x/push", NULL, NULL, "", "" },
	{ "POST /images/x/tag?repo=alpine&tag=1", NULL, "images", "repo",
	    "alpine:1" },
	{ "POST /images/x/tag?repo=alpine:reg.io/ci/x", NULL, "images", "repo",
	    "no name" },
	{ "POST /images/x/tag?repo=reg.io/ci/x&tag=1", NULL, NULL, "", "" },
	{ "POST /build?t=reg.io/ci/x&t=alpine", NULL, "images", "t",
	    "alpine:latest" },
	{ "POST /build?cachefrom=[%22reg.io/x%22]", NULL, "images", "cachefrom",
	    "reg.io/x" },
	{ "POST /build?cachefrom=[1]", NULL, "images", "cachefrom", "no name" },
	{ "POST /build?cachefrom={}", NULL, "type", "cachefrom", "list" },
	{ "POST /build?t=reg.io/ci/x:1&cachefrom=null", NULL, NULL, "", "" },
	{ "POST /build?cachefrom=[%22reg.io/ci/x%22]", NULL, NULL, "", "" },
	{ "POST /commit?repo=alpine", "{}", "images", "repo", "alpine" },
	{ "GET /distribution/evil.io/x/json", NULL, "images", "", "evil.io" },
	{ "GET /distribution/reg.io/ci/x/json", NULL, NULL, "", "" },
};

static void
holds_images_against_patterns(void **state)
{
	(void)state;
	ask_cases(ROLE_TEXT("ci-runner", IMAGES), cases, NELEM(cases), NULL);
}

static void
wants_a_digest_where_the_role_does(void **state)
{
	static const struct role_case c[] = {
		{ CREATE, "{\"Image\":\"alpine:3\"}", "images", "Image",
		    "without a digest (write name@sha256:...)" },
		{ CREATE, "{\"Image\":\"cafe\"}", "images", "Image",
		    "without a digest" },
		{ CREATE, "{\"Image\":\"sha256:cafe\"}", "images", "Image",
		    "without a digest" },
		{ CREATE, "{\"Image\":\"" HEX "\"}", NULL, "", "" },
		{ "POST /images/create?fromImage=alpine&tag=3", NULL, "images",
		    "fromImage", "without a digest" },
		{ CREATE, "{\"Image\":\"alpine@" SHA "\"}", NULL, "", "" },
		{ CREATE, "{\"Image\":\"" SHA "\"}", NULL, "", "" },
		{ "POST /images/create?fromImage=alpine&tag=" SHA, NULL, NULL,
		    "", "" },
		{ "POST /images/x/push?tag=1", NULL, NULL, "", "" },
	};

	(void)state;
	ask_cases(ROLE_TEXT("ci-runner", "\"images\":{\"digest_only\":true}"),
	    c, NELEM(c), NULL);
}

static void
a_member_replaces_what_was_inherited(void **state)
{
	static const char text[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"b\"}],"
	    "\"roles\":{\"a\":{\"extends\":\"ci-runner\",\"constraints\":{"
	    "\"images\":{\"run\":[\"reg.io/*\"],\"digest_only\":true}}},"
	    "\"b\":{\"extends\":\"a\",\"constraints\":{\"images\":{\"push\":"
	    "[]}}}}}";
	static const char inherits[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"b\"}],"
	    "\"roles\":{\"a\":{\"extends\":\"ci-runner\",\"constraints\":{"
	    "\"images\":{\"run\":[\"reg.io/*\"]}}},"
	    "\"b\":{\"extends\":\"a\",\"constraints\":{}}}}";
	struct asked a;

	(void)state;
	ask_text(text, CREATE, "{\"Image\":\"alpine\"}", NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	ask_text(text, "POST /images/x/push?tag=1", NULL, NULL, &a);
	assert_string_equal(a.why.message,
	    "dinv: role b refuses to push the image "
	    "\"docker.io/library/x:1\" (allowed: nothing) (rule images)");
	ask_text(inherits, CREATE, "{\"Image\":\"alpine\"}", NULL, &a);
	assert_string_equal(a.why.rule, "images");
}

static void
refuses_policies_that_cannot_be_meant(void **state)
{
	static const struct mistake m[] = {
		{ "\"image\":{}", "no constraint \"image\"" },
		{ "\"images\":[]", "\"images\" must be an object" },
		{ "\"images\":{\"runs\":[]}",
		    "expected run, pull, push, tag, remove or digest_only" },
		{ "\"images\":{\"run\":\"*\"}", "expected a list" },
		{ "\"images\":{\"run\":[3]}", "expected a text" },
		{ "\"images\":{\"run\":[\"\"]}", "not empty" },
		{ "\"images\":{\"run\":[\"alpine\"]}",
		    "expected a pattern of a full name" },
		{ "\"images\":{\"run\":[\"reg.io*\"]}", "a full name" },
		{ "\"images\":{\"run\":[\"\\u00e9/x\"]}", "printable" },
		{ "\"images\":{\"digest_only\":false}", "can only be true" },
	};

	(void)state;
	expect_mistakes(m, NELEM(m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_names_as_dockerd_does),
		cmocka_unit_test(keeps_a_registrys_star_in_the_registry),
		cmocka_unit_test(holds_images_against_patterns),
		cmocka_unit_test(wants_a_digest_where_the_role_does),
		cmocka_unit_test(a_member_replaces_what_was_inherited),
		cmocka_unit_test(refuses_policies_that_cannot_be_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
