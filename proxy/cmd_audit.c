/* SPDX-License-Identifier: Apache-2.0 */
/* dinv audit: reads what a gate has recorded (docs/audit.md). */
#include "cmd_audit.h"

#include <stdio.h>
#include <string.h>

#include "base/span.h"
#include "cmd.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} words[] = {
	{ "tail", cmd_audit_tail, "show requests as they end" },
	{ "query", cmd_audit_query, "find records" },
	{ "report", cmd_audit_report, "who did how much, what was refused" },
	{ "verify", cmd_audit_verify, "find what was changed or removed" },
	{ "key", cmd_audit_key, "the key that checkpoints are checked with" },
};

static void
usage(FILE *to)
{
	size_t i;

	fprintf(to, "Usage: dinv audit WORD ...\n\nWords (each has -h):\n");
	for (i = 0; i < NELEM(words); i++) {
		fprintf(to, "  %-8s %s\n", words[i].name, words[i].help);
	}
}

int
cmd_audit(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < NELEM(words); i++) {
		if (strcmp(argv[1], words[i].name) == 0) {
			return words[i].run(argc - 1, argv + 1);
		}
	}
	if (argc > 1 && strstr("-h --help -help", argv[1]) != NULL) {
		usage(stdout);
		return 0;
	}
	usage(stderr);
	return 2;
}
