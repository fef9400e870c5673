/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv: one program, its commands in one table.
 *
 * A first word that names no command but starts with a dash (or is absent)
 * is the entrypoint of an image, which is how DinV was called.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"
#include "cmd.h"

static int cmd_version(int argc, char **argv);
static int cmd_help(int argc, char **argv);

/* name, function, one line of help */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "gate", cmd_gate, "stand in front of a dockerd that runs already" },
	{ "cert", cmd_cert, "make and list certificates" },
	{ "enroll", cmd_enroll, "get a certificate with a token, or the next" },
	{ "enroll", cmd_enroll, "get a certificate with a token, or the next" },
	{ "policy", cmd_policy, "check a policy file, explain a decision" },
	{ "audit", cmd_audit, "read and verify what a gate has recorded" },
	{ "reload", cmd_reload, "let a running gate read its policy again" },
	{ "status", cmd_status, "say how a running gate is" },
	{ "health", cmd_health, "0 where it is fit, for a HEALTHCHECK" },
	{ "preload", cmd_preload, "give dockerd the images of a folder" },
	{ "version", cmd_version, "print the version" },
	{ "help", cmd_help, "print this" },
};

static int
cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("dinv %s\n", DINV_VERSION);
	return 0;
}

static int
cmd_help(int argc, char **argv)
{
	size_t i;

	(void)argc;
	(void)argv;
	printf(
	    "Usage: dinv [flags] [-- dockerd flags]\n"
	    "       dinv COMMAND ...\n\n"
	    "Without a command: make certificates, start dockerd on its unix\n"
	    "socket, run the gate in front of it (dinv -h lists the flags).\n\n"
	    "Commands (each has -h):\n");
	for (i = 0; i < NELEM(commands); i++) {
		printf("  %-8s %s\n", commands[i].name, commands[i].help);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || argv[1][0] == '-') {
		return cmd_entry(argc, argv);
	}
	for (i = 0; i < NELEM(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	fprintf(
	    stderr, "dinv: no command \"%s\"; dinv help lists them\n", argv[1]);
	return 2;
}
