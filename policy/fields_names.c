/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and values as Go's encoding/json takes them, and as messages show
 * them; see fields.h.
 *
 * Go takes a member for a field when the names are equal after simple case
 * folding (fold.go).  Of all runes outside ASCII only two fold to a letter:
 * U+212A to k and U+017F to s.  The names in our tables are ASCII letters, so
 * these two are the whole of it; dotless i, full-width letters and combining
 * marks fold to nothing here, as they do there.
 *
 * Attackers spell "NetworkMode" with a Kelvin sign and "HostConfig" with a
 * long s; and put escape sequences for terminals into names that a message
 * will quote.
 */
#include "base/text.h"
#include "fields.h"

/* The ASCII letter that Go folds the rune at p to; *n bytes of it. */
static int
fold_rune(struct span s, size_t *n)
{
	unsigned char c = (unsigned char)s.p[0];

	*n = 1;
	if (c >= 'A' && c <= 'Z') {
		return c - 'A' + 'a';
	}
	if (c < 0x80) {
		return c;
	}
	if (s.len >= 3 && memcmp(s.p, "\xe2\x84\xaa", 3) == 0) {
		*n = 3; /* U+212A KELVIN SIGN */
		return 'k';
	}
	if (s.len >= 2 && memcmp(s.p, "\xc5\xbf", 2) == 0) {
		*n = 2; /* U+017F LATIN SMALL LETTER LONG S */
		return 's';
	}
	return -1;
}

/* Go encoding/json fold.go: foldName(), for names of ASCII letters. */
bool
fields_fold(struct span key, const char *name)
{
	size_t n, m;

	/* Most names differ in their first letter already. */
	if (key.len > 0 && (unsigned char)key.p[0] < 0x80 &&
	    (key.p[0] | 0x20) != (name[0] | 0x20)) {
		return false;
	}
	for (; key.len > 0; key.p += n, key.len -= n) {
		int c = fold_rune(key, &n);

		if (*name == '\0' || c != fold_rune(span_make(name, 1), &m)) {
			return false;
		}
		name++;
	}
	return *name == '\0';
}

bool
fields_fold_same(struct span a, struct span b)
{
	size_t n, m;

	while (a.len > 0 && b.len > 0) {
		int c = fold_rune(a, &n);

		if (c != fold_rune(b, &m) ||
		    (c == -1 && (n != m || memcmp(a.p, b.p, n) != 0))) {
			return false;
		}
		a.p += n;
		a.len -= n;
		b.p += m;
		b.len -= m;
	}
	return a.len == 0 && b.len == 0;
}

const struct json_node *
fields_get(const struct json_node *object, const char *name)
{
	const struct json_node *m;

	if (object == NULL || json_type(object) != JSON_OBJECT) {
		return NULL;
	}
	for (m = json_first(object); m != NULL; m = json_next(m)) {
		if (fields_fold(json_key(m), name)) {
			return m;
		}
	}
	return NULL;
}

struct quoted
quote(struct span s)
{
	struct quoted q;
	size_t n;

	q.s[0] = '"';
	text_escape(s, q.s + 1, 66);
	n = strlen(q.s);
	if (s.len > 64 || n > 65) {
		memcpy(q.s + n, "...", 3);
		n += 3;
	}
	q.s[n] = '"';
	q.s[n + 1] = '\0';
	return q;
}

bool
fields_zero(const struct json_node *v)
{
	const struct json_node *m;
	int64_t i;

	switch (json_type(v)) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return !json_bool(v);
	case JSON_NUMBER:
		return json_int(v, &i) == ERR_OK && i == 0;
	case JSON_STRING:
		return json_string(v).len == 0;
	case JSON_ARRAY:
		return json_first(v) == NULL;
	case JSON_OBJECT:
		break;
	}
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		if (!fields_zero(m)) {
			return false;
		}
	}
	return true;
}

bool
fields_is_text(const struct field *f)
{
	return f->type == FT_STR || f->type == FT_STRS ||
	       f->type == FT_STRSLICE || f->type == FT_STRMAP;
}

/* Nothing is asked for.  A map's key with an empty value is something:
 * {"net.ipv4.ip_forward": ""}. */
bool
fields_nothing(const struct field *f, const struct json_node *v)
{
	if (f->type == FT_STRMAP && json_type(v) == JSON_OBJECT) {
		return json_first(v) == NULL;
	}
	return fields_zero(v);
}

/*
 * docker-java writes "EnableIPv6" and "enableIPv6", with one value.  Equal
 * scalars mean the same in either order; lists and objects would be merged.
 */
bool
fields_same(const struct json_node *a, const struct json_node *b)
{
	if (json_type(a) != json_type(b)) {
		return false;
	}
	switch (json_type(a)) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return json_bool(a) == json_bool(b);
	case JSON_NUMBER:
		return span_eq(json_number(a), json_number(b));
	case JSON_STRING:
		return span_eq(json_string(a), json_string(b));
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return false;
}
