/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the links of a chain of audit records; see audit_link.h.
 *
 * Attackers who could write to the file put in what is nearly one: whatever
 * differs in a byte is none.
 */
#include "audit_link.h"

#include "base/text.h"

static bool
skip(struct span *s, const char *text)
{
	size_t n = strlen(text);

	if (!span_starts(*s, text)) {
		return false;
	}
	s->p += n;
	s->len -= n;
	return true;
}

static bool
take_hash(struct span *s, uint8_t out[SEAL_HASH_BYTES])
{
	size_t i;
	int hi, lo;

	if (s->len < 2 * SEAL_HASH_BYTES) {
		return false;
	}
	for (i = 0; i < SEAL_HASH_BYTES; i++) {
		hi = text_hex_digit(s->p[2 * i]);
		lo = text_hex_digit(s->p[2 * i + 1]);
		if (hi < 0 || lo < 0) {
			return false;
		}
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	s->p += 2 * SEAL_HASH_BYTES;
	s->len -= 2 * SEAL_HASH_BYTES;
	return true;
}

bool
audit_link_parse(struct span line, struct audit_link *out)
{
	return line.len > 0 && line.p[line.len - 1] == '}' &&
	       audit_link_parse_torn(line, out);
}

bool
audit_link_parse_torn(struct span line, struct audit_link *out)
{
	struct span s = line;
	size_t n = 0;

	if (!skip(&s, LINK_SEQ)) {
		return false;
	}
	while (n < s.len && s.p[n] >= '0' && s.p[n] <= '9') {
		n++;
	}
	if (text_parse_u64(span_make(s.p, n), UINT64_MAX, &out->seq) !=
	    ERR_OK) {
		return false;
	}
	s.p += n;
	s.len -= n;
	return skip(&s, LINK_PREV) && take_hash(&s, out->prev) &&
	       skip(&s, "\",\"");
}

bool
audit_link_seal(
    struct span line, struct span *bytes, struct span *key, struct span *seal)
{
	const char *mark, *at;

	at = memmem(line.p, line.len, SEAL_KEY, strlen(SEAL_KEY));
	mark = memmem(line.p, line.len, SEAL_MARK, strlen(SEAL_MARK));
	if (at == NULL || mark == NULL || mark < at || line.len < 2) {
		return false;
	}
	*bytes = span_make(line.p, (size_t)(mark - line.p));
	at += strlen(SEAL_KEY);
	*key = span_make(at, (size_t)(mark - at));
	if (key->len != SEAL_ID_SIZE || key->p[key->len - 1] != '"') {
		return false;
	}
	key->len--;
	mark += strlen(SEAL_MARK);
	*seal = span_make(mark, (size_t)(line.p + line.len - mark));
	if (seal->len < 2) {
		return false;
	}
	seal->len -= 2; /* "} */
	return true;
}
