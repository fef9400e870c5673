/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv policy learn: from audit files to a policy; see policy/learn.h.
 *
 * Files are read line by line into one buffer of the size that no record
 * exceeds; a longer line is none of ours.  What cannot be read is counted and
 * named, and the rest is learnt from all the same.
 *
 * Attackers: whoever could write to an audit file.  What is printed is for an
 * owner to read before it is used.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "flags.h"
#include "limit.h"
#include "policy/learn.h"

#define LEARNT_BYTES ((size_t)16 * 1024 * 1024)

/* A line into buf without its end; false at the end.  *len is above size
 * where it did not fit. */
static bool
read_line(FILE *f, char *buf, size_t size, size_t *len)
{
	int c;

	*len = 0;
	while ((c = getc_unlocked(f)) != EOF && c != '\n') {
		if (*len < size) {
			buf[*len] = (char)c;
		}
		*len += *len <= size;
	}
	return c != EOF || *len > 0;
}

static bool
learn_file(struct learn *l, const char *path, char *buf)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	unsigned long line = 0;
	enum err rc;
	size_t len;

	if (f == NULL) {
		fprintf(stderr, "dinv: cannot read %s: %s\n", path,
		    strerror(errno));
		return false;
	}
	while (read_line(f, buf, LIMIT_AUDIT_RECORD_BYTES, &len)) {
		line++;
		rc = len > LIMIT_AUDIT_RECORD_BYTES
			 ? ERR_LIMIT
			 : learn_record(l, span_make(buf, len));
		if (rc != ERR_OK) {
			fprintf(stderr, "%s:%lu: not learnt from: %s\n", path,
			    line, err_text(rc));
		}
	}
	if (f != stdin) {
		fclose(f);
	}
	return true;
}

static int
learn_all(int argc, char **argv)
{
	struct learn *l = learn_new();
	char *line = malloc(LIMIT_AUDIT_RECORD_BYTES);
	struct buf out;
	enum err rc = ERR_NOMEM;
	int i;

	buf_init(&out, LEARNT_BYTES);
	if (l != NULL && line != NULL) {
		rc = ERR_OK;
	}
	for (i = 1; i < argc && rc == ERR_OK; i++) {
		rc = learn_file(l, argv[i], line) ? ERR_OK : ERR_IO;
	}
	if (rc == ERR_OK) {
		rc = learn_write(l, &out);
		if (rc == ERR_OK) {
			fwrite(buf_span(&out).p, 1, buf_span(&out).len, stdout);
		}
	}
	if (rc != ERR_OK && rc != ERR_IO) {
		fprintf(stderr, "dinv: nothing learnt: %s\n", err_text(rc));
	}
	buf_fini(&out);
	free(line);
	learn_free(l);
	return rc == ERR_OK ? 0 : 1;
}

int
policy_cmd_learn(int argc, char **argv)
{
	const struct flag_set set = {
		.usage = "dinv policy learn AUDIT-FILE...",
		.about = "Prints the policy that allows what observed roles "
			 "(\"mode\": \"observe\") did, by\nthe records of "
			 "audit files in their order; \"-\" is standard "
			 "input.  Lines that are\nno records are named on "
			 "standard error.",
		.max_operands = 1000,
	};
	int rc = flags_start(&set, &argc, argv, NULL);

	if (rc >= 0) {
		return rc;
	}
	if (argc < 2) {
		fprintf(stderr, "dinv: usage: %s\n", set.usage);
		return 2;
	}
	return learn_all(argc, argv);
}
