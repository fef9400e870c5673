/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv gate: flags and configuration file become one struct gate_config.
 *
 * A flag wins over the file, so the file is read first: the flags are parsed
 * twice, once to learn its name.
 */
#include <stdio.h>
#include <stdlib.h>

#include "activation.h"
#include "cmd.h"
#include "conf.h"
#include "ensure.h"
#include "gate_policy.h"
#include "log.h"
#include "master.h"
#include "notify.h"

struct gate_flags {
	struct str_list listen;
	struct str_list enroll;
	struct str_list host;
	const char *config;
	const char *admin_default;
	bool tls, tlsverify, plain;
	bool check; /* and end */
	struct gate_config conf;
};

#define GATE_ABOUT                                                             \
	"Stands in front of a dockerd that runs already: terminates TLS,\n"    \
	"asks the client for its certificate, decides by policy what it may\n" \
	"do, and writes an audit record.  SIGTERM stops it gracefully."

static int
parse(struct gate_flags *f, int argc, char **argv)
{
	const struct flag flags[] = {
		{ "listen", FLAG_LIST, &f->listen, "ADDR",
		    "tcp://ADDRESS:PORT, unix:///PATH, or fd:// for the\n"
		    "sockets that systemd has opened (fd://NAME: one of them)\n"
		    "(without one: tcp://0.0.0.0:2376)" },
		{ "enroll", FLAG_LIST, &f->enroll, "ADDR",
		    "take tokens here (dinv cert token, dinv enroll), such as\n"
		    "tcp://0.0.0.0:2378; without it nowhere" },
		{ "upstream", FLAG_STRING, &f->conf.upstream, "ADDR",
		    "dockerd's socket" },
		{ "certs", FLAG_STRING, &f->conf.certs, "DIR",
		    "ca.crt, docker.crt and docker.key; made if missing" },
		{ "key-pass-file", FLAG_STRING, &f->conf.key_pass_file, "FILE",
		    "the passphrase of docker.key: the first line" },
		{ "ca-pass-file", FLAG_STRING, &f->conf.ca_pass_file, "FILE",
		    "the passphrase of ca-key.pem, for the processes that\n"
		    "renew and issue" },
		{ "host", FLAG_LIST, &f->host, "NAME",
		    "a name or address for the server certificate, besides\n"
		    "this machine's own, when it is made" },
		{ "tlsverify", FLAG_BOOL, &f->tlsverify, "",
		    "ask clients for a certificate of our CA (the default)" },
		{ "tls", FLAG_BOOL, &f->tls, "",
		    "server certificate only: clients are anonymous" },
		{ "insecure-plain", FLAG_BOOL, &f->plain, "",
		    "no TLS: whoever reaches the port is an anonymous client" },
		{ "policy", FLAG_STRING, &f->conf.policy, "FILE",
		    "a policy file, or a preset: admin, read-only, ci-runner, "
		    "builder" },
		{ "audit", FLAG_STRING, &f->conf.audit, "FILE",
		    "append audit records here; - for standard output,\n"
		    "syslog: or journal: for the system's log" },
		{ "audit-key", FLAG_STRING, &f->conf.audit_key, "FILE",
		    "the key that signs checkpoints of the audit log, made if\n"
		    "missing (default the audit file's name and .key)" },
		{ "audit-rotate-mb", FLAG_UINT, &f->conf.audit_rotate_mb, "N",
		    "move the audit file away when it has N MiB (0: never)" },
		{ "audit-rotate-hours", FLAG_UINT, &f->conf.audit_rotate_hours,
		    "N", "or when it is N hours old (0: never)" },
		{ "audit-keep", FLAG_UINT, &f->conf.audit_keep, "N",
		    "keep N of those that were moved away (0: all)" },
		{ "audit-required", FLAG_BOOL, &f->conf.audit_required, "",
		    "while records cannot be written, refuse what changes "
		    "state" },
		{ "admin", FLAG_STRING, &f->conf.admin, "ADDR",
		    "health, metrics, dinv status and dinv reload here:\n"
		    "unix:///PATH, tcp://127.0.0.1:PORT, or none (the "
		    "default)" },
		{ "admin-default", FLAG_STRING, &f->admin_default, "ADDR",
		    "the same where neither flag nor file say -admin;\n"
		    "the gate does without if it cannot be had" },
		{ "insecure-admin-remote", FLAG_BOOL,
		    &f->conf.insecure_admin_remote, "",
		    "-admin may be a TCP address that others reach" },
		{ "user", FLAG_STRING, &f->conf.user, "NAME",
		    "who the process that faces the network becomes, if root\n"
		    "starts it (default dinv, or nobody where there is none)" },
		{ "check", FLAG_BOOL, &f->check, "",
		    "read flags, file and policy, say what is wrong, and end" },
		{ "config", FLAG_STRING, &f->config, "FILE",
		    "JSON with all of this and the limits; a flag wins" },
		{ "debug", FLAG_BOOL, &f->conf.debug, "", "log more" },
	};
	const struct flag_set set = { "dinv gate [flags]", GATE_ABOUT, flags,
		NELEM(flags), 0 };

	return flags_start(&set, &argc, argv, NULL);
}

static enum err
settle(struct gate_flags *f, struct diag *d)
{
	if (f->tls + f->tlsverify + f->plain > 1) {
		diag_set(d, 0, 0,
		    "-tls, -tlsverify and -insecure-plain "
		    "exclude each other");
		return ERR_USAGE;
	}
	if (f->tls) {
		f->conf.tls = GATE_TLS_SERVER;
	}
	if (f->tlsverify) {
		f->conf.tls = GATE_TLS_VERIFY;
	}
	if (f->plain) {
		f->conf.tls = GATE_TLS_NONE;
	}
	if (f->listen.n > 0) {
		str_list_fini(&f->conf.listen);
		f->conf.listen = f->listen;
	}
	if (f->enroll.n > 0) {
		str_list_fini(&f->conf.enroll);
		f->conf.enroll = f->enroll;
	}
	if (f->conf.admin == NULL) {
		f->conf.admin = f->admin_default;
		f->conf.admin_optional = true;
	}
	if (f->conf.audit_required && f->conf.audit == NULL) {
		diag_set(d, 0, 0, "-audit-required needs -audit FILE");
		return ERR_USAGE;
	}
	if (f->conf.limits.audit_queue_bytes < 2 * LIMIT_AUDIT_RECORD_BYTES) {
		diag_set(d, 0, 0,
		    "limits.audit_queue_bytes must be at least "
		    "2097152: two of the longest records");
		return ERR_USAGE;
	}
	if (f->conf.tls_min > f->conf.tls_max) {
		diag_set(d, 0, 0, "tls.min is above tls.max");
		return ERR_USAGE;
	}
	if (f->conf.listen.n == 0) {
		return str_list_add(&f->conf.listen, "tcp://0.0.0.0:2376");
	}
	return ERR_OK;
}

static const struct gate_flags flags_default = {
	.conf = { .upstream = "unix:///var/run/docker.sock",
	    .certs = "/certs",
	    .policy = "admin",
	    .tls_max = TLS_VERSION_1_3,
	    .limits = LIMITS_DEFAULT },
};

/* Flags over file over defaults. */
static int
read_all(struct gate_flags *f, int argc, char **argv)
{
	struct diag d = { 0, 0, "" };
	struct gate_config conf;
	const char *config;
	int status;
	enum err rc;

	status = parse(f, argc, argv);
	if (status >= 0) {
		return status;
	}
	if (f->config != NULL) {
		config = f->config;
		conf = flags_default.conf;
		if (conf_load(config, &conf, &d) != ERR_OK) {
			fprintf(stderr, "dinv gate: %s\n", d.text);
			return 1;
		}
		str_list_fini(&f->listen);
		str_list_fini(&f->enroll);
		str_list_fini(&f->host);
		*f = flags_default;
		f->conf = conf;
		status = parse(f, argc, argv);
		if (status >= 0) {
			return status;
		}
	}
	rc = settle(f, &d);
	if (rc != ERR_OK) {
		fprintf(stderr, "dinv gate: %s\n", d.text);
		return 2;
	}
	return -1;
}

/* What a service manager passes to its services: sockets, and where to tell
 * how we are.  First of all, so that no child sees it. */
static enum err
meet_manager(struct gate_config *conf, struct diag *d)
{
	static struct activation passed;
	static struct notify notify;
	enum err rc;

	notify_open(&notify);
	conf->notify = &notify;
	conf->passed = &passed;
	rc = activation_take(&passed, d);
	return rc == ERR_OK ? activation_name(&passed, &conf->listen, d) : rc;
}

static int
run(struct gate_flags *f, char **argv)
{
	const struct ensure_request ensure = {
		.dir = f->conf.certs,
		.mode = f->conf.tls == GATE_TLS_VERIFY ? STORE_TLSVERIFY
						       : STORE_TLS,
		.hosts = &f->host,
		.key_pass_file = f->conf.key_pass_file,
		.ca_pass_file = f->conf.ca_pass_file,
	};
	struct diag d = { 0, 0, "" };
	enum err rc;

	if (f->conf.debug) {
		log_set_level(LOG_DEBUG);
	}
	rc = meet_manager(&f->conf, &d);
	if (rc != ERR_OK) {
		fprintf(stderr, "dinv gate: %s\n",
		    d.text[0] == '\0' ? err_text(rc) : d.text);
		return 1;
	}
	if (f->conf.tls == GATE_TLS_NONE) {
		log_warn("clear text: anyone who reaches the port may do what "
			 "the policy allows anonymous clients");
	} else if (!ensure_certs_apart(&ensure)) {
		return 1; /* it was logged why */
	}
	return master_run(&f->conf, argv);
}

static int
check(const struct gate_flags *f)
{
	struct shared_policy *policy = NULL;
	struct diag d = { 0, 0, "" };
	enum err rc = gate_load_policy(f->conf.policy, &policy, &d, NULL);

	if (rc != ERR_OK) {
		fprintf(stderr, "dinv gate: %s\n",
		    d.text[0] == '\0' ? err_text(rc) : d.text);
	}
	shared_policy_drop(policy);
	return rc == ERR_OK ? 0 : 1;
}

/* The command line as it was, the program's name first. */
static char **
whole_argv(int argc, char **argv)
{
	char **all = calloc((size_t)argc + 2, sizeof(*all));

	if (all != NULL) {
		all[0] = strdup("dinv");
		memcpy(all + 1, argv, (size_t)argc * sizeof(*all));
	}
	return all;
}

int
cmd_gate(int argc, char **argv)
{
	/* static: strings of the file live as long as the program */
	static struct gate_flags f;
	char **whole = whole_argv(argc, argv);
	int status;

	master_hold_signals();
	f = flags_default;
	status = read_all(&f, argc, argv);

	if (status < 0) {
		status = f.check ? check(&f) : run(&f, whole);
	}
	str_list_fini(&f.conf.listen);
	str_list_fini(&f.conf.enroll);
	str_list_fini(&f.host);
	if (whole != NULL) {
		free(whole[0]);
	}
	free(whole);
	return status;
}
