/* SPDX-License-Identifier: Apache-2.0 */
/* Names: the refusals first. */
#include "certs_fixture.h"
#include "names.h"

static const char *const bad_hosts[] = {
	"",
	".",
	"a.",
	".a",
	"a..b",
	"-a",
	"a-",
	"a.-b",
	"a b",
	" a",
	"a ",
	"a\n",
	"a\tb",
	"a\x01",
	"a/b",
	"a,b",
	"a:2376",
	"a@b",
	"a'b",
	"a\"b",
	"a\\b",
	"b\303\274cher.example",
	"\xff",
	"*",
	"*.",
	"*.com",
	"a.*.com",
	"*a.example.com",
	"**.example.com",
	"*.*.example.com",
	"*.-.example.com",
	"1",
	"123456789012",
	"1.2.3",
	"1.2.3.4.5",
	"256.1.1.1",
	"1.2.3.256",
	"01.2.3.4",
	"1.2.3.4 ",
	"1.2.3.4/24",
	"1.2.3.4:2376",
	"example.123",
	"[::1]",
	"::1%lo",
	"fe80::1%eth0",
	":::",
	"1::2::3",
	"12345::",
	"::1.2.3.400",
	/* 64 characters in one label */
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static void
refuses_what_is_not_a_host(void **state)
{
	struct host h;
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad_hosts); i++) {
		d.text[0] = '\0';
		if (host_parse(bad_hosts[i], &h, &d) != ERR_CERT_NAME) {
			fail_msg("\"%s\" was taken", bad_hosts[i]);
		}
		assert_true(d.text[0] != '\0');
		assert_null(strpbrk(d.text, "\n\t\x01\xff"));
	}
}

static void
refuses_a_name_of_254_characters(void **state)
{
	char name[300];
	struct host h;
	size_t i;

	(void)state;
	for (i = 0; i < 254; i++) {
		name[i] = i % 50 == 49 ? '.' : 'a';
	}
	name[254] = '\0';
	assert_int_equal(host_parse(name, &h, NULL), ERR_CERT_NAME);
	name[253] = '\0';
	assert_int_equal(host_parse(name, &h, NULL), ERR_OK);
	assert_string_equal(h.text, name);
}

static const struct {
	const char *in;
	enum host_kind kind;
	const char *text;
	size_t addr_len;
	const char *addr;
} good_hosts[] = {
	{ "a", HOST_DNS, "a", 0, "" },
	{ "localhost", HOST_DNS, "localhost", 0, "" },
	{ "DOCKER", HOST_DNS, "docker", 0, "" },
	{ "a-b.c_d.Example.com", HOST_DNS, "a-b.c_d.example.com", 0, "" },
	{ "_x", HOST_DNS, "_x", 0, "" },
	{ "3com.example", HOST_DNS, "3com.example", 0, "" },
	{ "4f5e6d7c8b9a", HOST_DNS, "4f5e6d7c8b9a", 0, "" },
	{ "1.2.3.4.example", HOST_DNS, "1.2.3.4.example", 0, "" },
	{ "xn--bcher-kva.example", HOST_DNS, "xn--bcher-kva.example", 0, "" },
	{ "*.example.com", HOST_DNS, "*.example.com", 0, "" },
	{ "127.0.0.1", HOST_IP, "127.0.0.1", 4, "\x7f\0\0\1" },
	{ "255.255.255.255", HOST_IP, "255.255.255.255", 4,
	    "\xff\xff\xff\xff" },
	{ "::1", HOST_IP, "::1", 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1" },
	{ "2001:DB8::a", HOST_IP, "2001:db8::a", 16,
	    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x0a" },
	{ "::ffff:1.2.3.4", HOST_IP, "::ffff:1.2.3.4", 16,
	    "\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4" },
};

static void
reads_names_and_addresses(void **state)
{
	struct host h;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(good_hosts); i++) {
		if (host_parse(good_hosts[i].in, &h, NULL) != ERR_OK) {
			fail_msg("\"%s\" was refused", good_hosts[i].in);
		}
		assert_int_equal(h.kind, good_hosts[i].kind);
		assert_string_equal(h.text, good_hosts[i].text);
		assert_int_equal(h.addr_len, good_hosts[i].addr_len);
		assert_memory_equal(h.addr, good_hosts[i].addr, h.addr_len);
	}
}

static void
knows_equal_hosts(void **state)
{
	struct host a, b;

	(void)state;
	assert_int_equal(host_parse("::1", &a, NULL), ERR_OK);
	assert_int_equal(host_parse("0:0::0:1", &b, NULL), ERR_OK);
	assert_true(host_equal(&a, &b));
	assert_int_equal(host_parse("127.0.0.1", &b, NULL), ERR_OK);
	assert_false(host_equal(&a, &b));
	assert_int_equal(host_parse("a.b", &a, NULL), ERR_OK);
	assert_false(host_equal(&a, &b));
	assert_int_equal(host_parse("A.B", &b, NULL), ERR_OK);
	assert_true(host_equal(&a, &b));
}

#define S32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define U8 "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"

static const char *const bad_subjects[] = {
	"",
	"a\nb",
	"a\x1b[2J",
	"\x7f",
	"a\xc2\x85", /* C1 next line */
	"\xff",
	"\xc0\xaf",	/* over-long */
	"\xed\xa0\x80", /* surrogate */
	"a\xe2\x80\xae"
	"b",		 /* right-to-left override */
	"a\xe2\x80\xa8", /* line separator */
	"a\xe2\x80\x8b"
	"b", /* zero width space */
	"a\xe2\x81\xa6"
	"b", /* isolate */
	"\xef\xbb\xbf"
	"a",		     /* byte order mark */
	"a\xf3\xa0\x81\x81", /* tag */
	S32 S32 "a",
	U8 U8 U8 U8 U8 U8 U8 U8 "a",
};

static const char *const good_subjects[] = {
	"a", " a ", "#a", "a,b=c+d;e<f>\"g\"\\h", "CN=root", S32 S32,
	U8 U8 U8 U8 U8 U8 U8 U8, /* 64 characters, 128 bytes */
	"\xf0\x9f\x90\xb3",	 /* a whale */
};

static void
checks_subjects(void **state)
{
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad_subjects); i++) {
		d.text[0] = '\0';
		if (subject_check("the name", bad_subjects[i], &d) !=
		    ERR_CERT_NAME) {
			fail_msg("bad subject %zu was taken", i);
		}
		assert_memory_equal(d.text, "the name ", 9);
	}
	for (i = 0; i < NELEM(good_subjects); i++) {
		if (subject_check("the name", good_subjects[i], NULL) !=
		    ERR_OK) {
			fail_msg("good subject %zu was refused", i);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_a_host),
		cmocka_unit_test(refuses_a_name_of_254_characters),
		cmocka_unit_test(reads_names_and_addresses),
		cmocka_unit_test(knows_equal_hosts),
		cmocka_unit_test(checks_subjects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
