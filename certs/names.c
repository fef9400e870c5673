/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in certificates; see names.h.
 *
 * A name is checked before it is signed, because nothing can be checked
 * after: clients believe what the certificate says.  Hosts are held to what
 * TLS clients can match (RFC 6125 6.4, Go's and OpenSSL's matchers), plus
 * the underscore that container names have.  Subjects are free text in UTF-8
 * that the policy compares byte by byte and that logs print.
 *
 * Rejected: Mbed TLS's own name strings ("CN=a,OU=b").  They need escaping,
 * keep only one value of each kind (so two units become one), and read '#'
 * as hexadecimal; the values go to the DER writer as they are instead.
 *
 * Attackers ask for a name that looks like another one: control characters
 * and right-to-left overrides in a log, "1.2.3.256" or a NUL that two
 * readers cut differently, a comma that starts a second attribute.
 */
#include "names.h"

#include <arpa/inet.h>

#include "base/text.h"

static bool
is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

static bool
label_ok(const char *p, size_t n)
{
	size_t i;

	if (n == 0 || n > 63 || p[0] == '-' || p[n - 1] == '-') {
		return false;
	}
	for (i = 0; i < n; i++) {
		if (!is_label_char(p[i])) {
			return false;
		}
	}
	return true;
}

/* "*" alone, "*.com": no client matches them (RFC 6125 6.4.3, 7.2). */
static const char *
skip_wildcard(const char *s)
{
	if (strncmp(s, "*.", 2) == 0 && strchr(s + 2, '.') != NULL) {
		return s + 2;
	}
	return s;
}

/* s is in lower case. */
static bool
dns_ok(const char *s)
{
	const char *dot, *p = skip_wildcard(s);

	for (; (dot = strchr(p, '.')) != NULL; p = dot + 1) {
		if (!label_ok(p, (size_t)(dot - p))) {
			return false;
		}
	}
	/* A last label of digits makes it an address to most readers. */
	return label_ok(p, strlen(p)) && strspn(p, "0123456789") != strlen(p);
}

static void
to_lower(char *s)
{
	for (; *s != '\0'; s++) {
		if (*s >= 'A' && *s <= 'Z') {
			*s = (char)(*s - 'A' + 'a');
		}
	}
}

static void
complain_host(const char *s, struct diag *d)
{
	char shown[100];

	text_escape(span_of(s), shown, sizeof(shown));
	diag_set(d, 0, 0, "\"%s\" is neither a DNS name nor an IP address%s",
	    shown,
	    s[0] == '[' || strchr(s, ':') != NULL
		? " (leave out brackets, zone and port)"
		: "");
}

enum err
host_parse(const char *s, struct host *out, struct diag *d)
{
	struct host h = { HOST_DNS, "", { 0 }, 0 };
	size_t len = strlen(s);

	if (len == 0 || len >= sizeof(h.text)) {
		complain_host(s, d);
		return ERR_CERT_NAME;
	}
	memcpy(h.text, s, len + 1);
	to_lower(h.text);
	if (inet_pton(AF_INET, s, h.addr) == 1) {
		h.kind = HOST_IP;
		h.addr_len = 4;
	} else if (inet_pton(AF_INET6, s, h.addr) == 1) {
		h.kind = HOST_IP;
		h.addr_len = 16;
	} else if (!dns_ok(h.text)) {
		complain_host(s, d);
		return ERR_CERT_NAME;
	}
	*out = h;
	return ERR_OK;
}

bool
host_equal(const struct host *a, const struct host *b)
{
	if (a->kind != b->kind || a->addr_len != b->addr_len) {
		return false;
	}
	if (a->kind == HOST_IP) {
		return memcmp(a->addr, b->addr, a->addr_len) == 0;
	}
	return strcmp(a->text, b->text) == 0;
}

/* Code point ranges that change how a line looks instead of showing. */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0x0000, 0x001f },   /* C0 */
	{ 0x007f, 0x009f },   /* DEL, C1 */
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x061c, 0x061c },   /* Arabic letter mark */
	{ 0x200b, 0x200f },   /* zero width, direction marks */
	{ 0x2028, 0x202e },   /* line separators, direction overrides */
	{ 0x2060, 0x206f },   /* word joiner, isolates */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xfff9, 0xfffb },   /* interlinear marks */
	{ 0xe0000, 0xe007f }, /* tags */
};

static bool
is_unseen(uint32_t c)
{
	size_t i;

	for (i = 0; i < NELEM(unseen); i++) {
		if (c >= unseen[i].first && c <= unseen[i].last) {
			return true;
		}
	}
	return false;
}

/* One code point of valid UTF-8; moves *p behind it. */
static uint32_t
next_code_point(const unsigned char **p)
{
	const unsigned char *s = *p;
	uint32_t c = s[0];
	unsigned more = 0;

	if (c >= 0xf0) {
		more = 3;
		c &= 0x07;
	} else if (c >= 0xe0) {
		more = 2;
		c &= 0x0f;
	} else if (c >= 0xc0) {
		more = 1;
		c &= 0x1f;
	}
	for (s++; more > 0; more--, s++) {
		c = c << 6 | (*s & 0x3f);
	}
	*p = s;
	return c;
}

enum err
subject_check(const char *what, const char *s, struct diag *d)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = 0;

	if (s[0] == '\0') {
		diag_set(d, 0, 0, "%s must not be empty", what);
		return ERR_CERT_NAME;
	}
	if (!text_is_utf8(span_of(s))) {
		diag_set(d, 0, 0, "%s must be valid UTF-8", what);
		return ERR_CERT_NAME;
	}
	for (; *p != '\0'; n++) {
		if (is_unseen(next_code_point(&p))) {
			diag_set(d, 0, 0,
			    "%s must not contain control characters", what);
			return ERR_CERT_NAME;
		}
	}
	if (n > SUBJECT_MAX) {
		diag_set(d, 0, 0, "%s must be at most %d characters, got %zu",
		    what, SUBJECT_MAX, n);
		return ERR_CERT_NAME;
	}
	return ERR_OK;
}
