/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv [flags] [-- dockerd flags]: the entrypoint of an image or a VM.
 *
 * Makes the certificates that are missing, then keeps two children running:
 * dockerd on a unix socket, and the gate in front of it.  The gate is this
 * program again, in a process of its own, started after the certificates
 * were made: what faces the network never had the authority's key in its
 * memory, and what holds dockerd faces no network.  One process for both was
 * rejected for that reason.
 *
 * Flags and variables are those of the images that dinv replaces, so that a
 * changed image name is all it takes; without a TLS flag that means clear
 * text on 2375, and the log says how much that gives away.  Wrong usage ends
 * with status 2 before anything is made or started.
 *
 * Who attacks: nobody yet.  What comes in here is the operator's, and what
 * DOCKER_OPTS may not say is in entry.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin.h"
#include "certs/dind.h"
#include "certs/store.h"
#include "cmd.h"
#include "ensure.h"
#include "entry.h"
#include "log.h"
#include "needs.h"
#include "ping.h"
#include "preload.h"
#include "room.h"
#include "storage.h"
#include "supervise.h"
#include "words.h"

/* Both command lines; the kernel's own limit for one is 2 MiB. */
#define ARGV_BYTES (4u << 20)

static struct entry_opts opts = {
	.preload = PRELOAD_DIR,
	.socket = "/var/run/docker.sock",
	.dockerd = "dockerd",
	.grace_s = 10,
};

#define CERTS_DEFAULT "/certs"

/* As it was given, one line. */
static const char *app;

/* ca/, server/ and client/ beside the store's own names. */
static bool dind_layout;

static const struct flag entry_flags[] = {
	{ "tlsverify", FLAG_BOOL, &opts.tlsverify, "",
	    "mutual TLS on 2376: clients need a certificate of ours" },
	{ "tls", FLAG_BOOL, &opts.tls, "", "TLS on 2376, open to any client" },
	{ "local", FLAG_BOOL, &opts.local, "",
	    "no listener: dockerd on its unix socket alone (also LOCAL=true)" },
	{ "listen", FLAG_LIST, &opts.listen, "URL",
	    "where the gate listens, such as tcp://127.0.0.1:2376;\n"
	    "without it all addresses, 2376 with TLS, 2375 in the clear" },
	{ "certs", FLAG_STRING, &opts.certs, "DIR",
	    "certificates; what is missing is made (default /certs, or\n"
	    "DOCKER_TLS_CERTDIR)" },
	{ "host", FLAG_LIST, &opts.host, "NAME",
	    "a name or address for the server certificate, besides this\n"
	    "machine's own, when it is made" },
	{ "key-pass-file", FLAG_STRING, &opts.key_pass_file, "FILE",
	    "the passphrase of docker.key: the first line" },
	{ "ca-pass-file", FLAG_STRING, &opts.ca_pass_file, "FILE",
	    "the passphrase of ca-key.pem: the first line" },
	{ "enroll", FLAG_LIST, &opts.enroll, "ADDR",
	    "where clients come with tokens, such as tcp://0.0.0.0:2378\n"
	    "(default nowhere)" },
	{ "policy", FLAG_STRING, &opts.policy, "FILE|PRESET",
	    "who may do what (default admin: everything)" },
	{ "audit", FLAG_STRING, &opts.audit, "FILE",
	    "where decisions are recorded" },
	{ "config", FLAG_STRING, &opts.config, "FILE",
	    "the gate's configuration; flags win over it" },
	{ "admin", FLAG_STRING, &opts.admin, "ADDR",
	    "where the gate is watched and told, or none\n"
	    "(default " ADMIN_DEFAULT ")" },
	{ "storage", FLAG_STRING, &opts.storage, "NAME",
	    "dockerd's storage driver (default overlay2, or vfs where that\n"
	    "cannot work); \"\" lets dockerd choose" },
	{ "insecure-registry", FLAG_LIST, &opts.insecure_registry, "REG",
	    "a registry that dockerd may use without TLS" },
	{ "socket", FLAG_STRING, &opts.socket, "PATH",
	    "dockerd's unix socket" },
	{ "data", FLAG_STRING, &opts.data, "DIR",
	    "dockerd's data folder (default dockerd's own)" },
	{ "dockerd", FLAG_STRING, &opts.dockerd, "PATH", "the dockerd to run" },
	{ "dockerd-log", FLAG_STRING, &opts.dockerd_log, "FILE",
	    "dockerd's log goes there (default our standard error)" },
	{ "preload", FLAG_STRING, &opts.preload, "DIR",
	    "image archives there (*.tar) are loaded, each once" },
	{ "app", FLAG_STRING, &app, "COMMAND",
	    "a program to run once dockerd is ready, DOCKER_HOST set; when\n"
	    "it ends all ends, and a stop goes to it first" },
	{ "grace", FLAG_UINT, &opts.grace_s, "SECONDS",
	    "a stop takes no longer; as long as docker stop -t" },
};

static const struct flag_set entry_set = {
	.usage = "dinv [flags] [-- dockerd flags]",
	.about = "Starts dockerd on its unix socket and the gate in front of "
		 "it.\nEnvironment: DOCKER_OPTS (more dockerd flags), "
		 "LOCAL=true, DEBUG=true,\nDOCKER_TLS_CERTDIR (as docker:dind: "
		 "-tlsverify, certificates there in its layout\ntoo), "
		 "DOCKER_TLS_SAN (DNS:NAME,IP:ADDRESS,...).",
	.flag = entry_flags,
	.n = NELEM(entry_flags),
	.max_operands = 0,
};

/* ---- what was asked for -------------------------------------------------- */

static bool
env_is_true(const char *name)
{
	const char *v = getenv(name);

	return v != NULL && (strcmp(v, "true") == 0 || strcmp(v, "1") == 0);
}

static enum err
add_docker_opts(struct diag *d)
{
	const char *text = getenv("DOCKER_OPTS");
	struct diag why = { 0, 0, "" };
	enum err rc;
	char *copy;

	if (text == NULL) {
		return ERR_OK;
	}
	copy = strdup(text); /* the words live as long as the program */
	if (copy == NULL) {
		return ERR_NOMEM;
	}
	rc = words_split(copy, &opts.dockerd_flags, &why);
	if (rc == ERR_SYNTAX) {
		diag_set(d, 0, 0, "DOCKER_OPTS: %s", why.text);
	}
	return rc;
}

static enum err
add_app(struct diag *d)
{
	struct diag why = { 0, 0, "" };
	enum err rc;
	char *copy;

	if (app == NULL) {
		return ERR_OK;
	}
	copy = strdup(app); /* the words live as long as the program */
	if (copy == NULL) {
		return ERR_NOMEM;
	}
	rc = words_split(copy, &opts.app, &why);
	if (rc == ERR_SYNTAX) {
		diag_set(d, 0, 0, "-app: %s", why.text);
	} else if (rc == ERR_OK && opts.app.n == 0) {
		diag_set(d, 0, 0, "-app must name a program");
		rc = ERR_USAGE;
	}
	return rc;
}

/* "DNS:a,IP:1.2.3.4", as OpenSSL writes alternative names. */
static enum err
add_san(struct diag *d)
{
	const char *text = getenv("DOCKER_TLS_SAN");
	char *copy, *item, *rest;
	enum err rc = ERR_OK;

	if (text == NULL || text[0] == '\0') {
		return ERR_OK;
	}
	copy = strdup(text); /* the names live as long as the program */
	if (copy == NULL) {
		return ERR_NOMEM;
	}
	rest = copy;
	while (rc == ERR_OK && (item = strsep(&rest, ",")) != NULL) {
		item += strspn(item, " ");
		if (strncmp(item, "DNS:", 4) == 0) {
			rc = str_list_add(&opts.host, item + 4);
		} else if (strncmp(item, "IP:", 3) == 0) {
			rc = str_list_add(&opts.host, item + 3);
		} else {
			diag_set(d, 0, 0,
			    "DOCKER_TLS_SAN takes DNS:NAME and IP:ADDRESS, "
			    "with commas between them");
			rc = ERR_USAGE;
		}
	}
	return rc;
}

/*
 * As with docker:dind: a folder for certificates means mutual TLS.  Flags win.
 */
static enum err
take_tls_certdir(struct diag *d)
{
	const char *dir = getenv("DOCKER_TLS_CERTDIR");

	if (dir == NULL || dir[0] == '\0') {
		return ERR_OK;
	}
	dind_layout = true;
	if (opts.certs == NULL) {
		opts.certs = dir;
	}
	if (!opts.tls && opts.config == NULL) {
		opts.tlsverify = true;
	}
	return add_san(d);
}

/* Whether a gate could bind [::]; where not, it is not asked to. */
static bool
have_ipv6(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	if (fd == -1) {
		return false;
	}
	ok = bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0;
	close(fd);
	return ok;
}

static enum err
read_options(char **rest, struct diag *d)
{
	const char *debug = getenv("DEBUG");
	enum err rc;

	for (; *rest != NULL; rest++) {
		rc = str_list_add(&opts.dockerd_flags, *rest);
		if (rc != ERR_OK) {
			return rc;
		}
	}
	rc = add_docker_opts(d);
	if (rc == ERR_OK) {
		rc = add_app(d);
	}
	if (rc == ERR_OK) {
		rc = take_tls_certdir(d);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	if (opts.certs == NULL) {
		opts.certs = CERTS_DEFAULT;
	}
	opts.debug = debug != NULL && debug[0] != '\0';
	opts.local = opts.local || env_is_true("LOCAL");
	opts.ipv6 = have_ipv6();
	if (opts.debug) {
		log_set_level(LOG_DEBUG);
	}
	return entry_check(&opts, d);
}

/* ---- before the start -----------------------------------------------------
 */

/* Descriptors 0 to 2 open, so that nothing of ours takes their place. */
static bool
have_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= 2 && fcntl(fd, F_SETFD, 0) == 0);
	if (fd > 2) {
		close(fd);
	}
	return fd > 2;
}

/* What the store says of files that were made, or are not as they should. */
static void
warn_of_open_doors(enum entry_mode mode)
{
	if (mode == ENTRY_TLS) {
		log_warn("NOT SECURE: -tls asks clients for no certificate. "
			 "Whoever reaches the port is root on this machine; "
			 "-tlsverify keeps strangers out");
	}
	if (mode != ENTRY_PLAIN) {
		return;
	}
	log_warn("NOT SECURE: the gate listens in the clear, on port 2375 "
		 "unless -listen says otherwise. Whoever reaches it is root "
		 "on this machine, and whoever is on the way reads along");
	log_warn("to secure it: start dinv with -tlsverify (certificates are "
		 "made in %s), publish 2376, and use docker --tlsverify -H "
		 "tcp://HOST:2376",
	    opts.certs);
}

static bool
have_certs(enum entry_mode mode)
{
	const struct ensure_request req = {
		.dir = opts.certs,
		.mode = mode == ENTRY_TLS ? STORE_TLS : STORE_TLSVERIFY,
		.hosts = &opts.host,
		.key_pass_file = opts.key_pass_file,
		.ca_pass_file = opts.ca_pass_file,
	};
	struct diag d = { 0, 0, "" };
	bool ok;

	ok = !dind_layout || dind_take(opts.certs, &d) == ERR_OK;
	if (ok && !ensure_certs(&req)) {
		return false; /* it was logged why */
	}
	ok = ok && (!dind_layout || dind_give(opts.certs, &d) == ERR_OK);
	if (!ok) {
		log_error("certificates: %s dir=%s", d.text, opts.certs);
	}
	return ok;
}

static const char *
exec_root(void)
{
	return entry_dockerd_value(&opts, "exec-root", '\0', "/var/run/docker");
}

/* A container may have been given too little: said here, or by dockerd. */
static bool
have_room(void)
{
	static const char root[] = "/sys/fs/cgroup";

	if (!room_is_container()) {
		return true;
	}
	/* Docker and containerd then leave the host's AppArmor alone. */
	if (setenv("container", "docker", 0) == -1) {
		return false;
	}
	room_unlock();
	room_forget(exec_root());
	if (!needs_are_met()) {
		return false;
	}
	if (room_nest(root) != ERR_OK) {
		log_warn("cgroup v2: containers may have no limits: %s path=%s",
		    strerror(errno), root);
	}
	return true;
}

/* Sets opts.storage where nobody else has; false where what was asked for
 * cannot work. */
static bool
choose_storage(void)
{
	const char *data = entry_data(&opts);
	struct diag why = { 0, 0, "" };

	if (opts.storage != NULL) {
		if (strcmp(opts.storage, "overlay2") != 0 ||
		    storage_try_overlay(data, &why) == ERR_OK) {
			return true;
		}
		log_error("-storage overlay2 cannot work: %s; mount a volume "
			  "on %s (docker run -v NAME:%s), or use -storage vfs",
		    why.text, data, data);
		return false;
	}
	if (entry_dockerd_value(&opts, "storage-driver", 's', NULL) != NULL) {
		return true;
	}
	opts.storage = storage_choose(data, &why);
	if (why.text[0] != '\0') {
		log_warn("storage driver %s, which copies whole images: %s; "
			 "an empty volume on %s gives overlay2",
		    opts.storage, why.text, data);
	}
	return true;
}

/* This very program, by the name under which it is found again. */
static const char *
own_path(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);

	if (n > 0) {
		out[n] = '\0';
		if (access(out, X_OK) == 0) {
			return out;
		}
	}
	return "/proc/self/exe"; /* it was replaced while we ran */
}

/* For dinv health; what cannot be written makes an unhealthy container. */
static void
leave_mark(void)
{
	const char *admin = opts.admin == NULL ? ADMIN_DEFAULT : opts.admin;
	bool gate = !opts.local && strcmp(admin, "none") != 0;
	FILE *f;

	if (!room_is_container()) {
		return;
	}
	(void)mkdir("/run/dinv", 0700);
	f = fopen(ENTRY_HEALTH, "we");
	if (f == NULL) {
		log_warn("dinv health will fail: %s file=" ENTRY_HEALTH,
		    strerror(errno));
		return;
	}
	fprintf(f, "%s %s\n", gate ? "admin" : "dockerd",
	    gate ? admin : opts.socket);
	fclose(f);
}

/* For the app; neither dockerd nor the gate reads these. */
static bool
set_app_environment(void)
{
	char host[8 + PING_PATH_MAX + 1];

	if (opts.app.n == 0) {
		return true;
	}
	snprintf(host, sizeof(host), "unix://%s", opts.socket);
	return setenv("DOCKER_HOST", host, 1) == 0 &&
	       unsetenv("DOCKER_TLS_VERIFY") == 0 &&
	       unsetenv("DOCKER_CERT_PATH") == 0;
}

static int
start(const char *gate)
{
	struct supervise_plan plan = { .limits = SUPERVISE_LIMITS };
	char **dockerd_argv, **gate_argv, **preload_argv, **app_argv;
	struct arena a;
	int status = 1;

	arena_init(&a, ARGV_BYTES);
	if (entry_dockerd_argv(&opts, &a, &dockerd_argv) != ERR_OK ||
	    entry_gate_argv(&opts, &a, &gate_argv) != ERR_OK ||
	    entry_preload_argv(&opts, &a, &preload_argv) != ERR_OK ||
	    entry_app_argv(&opts, &a, &app_argv) != ERR_OK) {
		log_error("out of memory");
		goto out;
	}
	plan.dockerd = opts.dockerd;
	plan.dockerd_argv = dockerd_argv;
	plan.dockerd_log = opts.dockerd_log;
	plan.gate = opts.local ? NULL : gate;
	plan.gate_argv = gate_argv;
	plan.preload = preload_has_archives(opts.preload) ? gate : NULL;
	plan.preload_argv = preload_argv;
	plan.app = opts.app.n == 0 ? NULL : app_argv[0];
	plan.app_argv = app_argv;
	plan.socket = opts.socket;
	plan.pid_file =
	    entry_dockerd_value(&opts, "pidfile", 'p', "/var/run/docker.pid");
	plan.exec_root = exec_root();
	plan.limits.grace_ms = (int64_t)opts.grace_s * 1000;
	status = supervise_run(&plan);
out:
	arena_fini(&a);
	return status;
}

int
cmd_entry(int argc, char **argv)
{
	struct diag d = { 0, 0, "" };
	char path[4096], **rest;
	enum entry_mode mode;
	int status;
	enum err rc;

	status = flags_start(&entry_set, &argc, argv, &rest);
	if (status >= 0) {
		return status;
	}
	rc = read_options(rest, &d);
	if (rc != ERR_OK) {
		fprintf(stderr, "dinv: %s\n",
		    d.text[0] == '\0' ? err_text(rc) : d.text);
		return 2;
	}
	if (!have_standard_files() || supervise_block_signals() != ERR_OK) {
		log_error("cannot start: %s", strerror(errno));
		return 1;
	}
	if (!have_room() || !choose_storage() || !set_app_environment()) {
		return 1;
	}
	leave_mark();
	mode = entry_mode(&opts);
	if (!opts.local) {
		warn_of_open_doors(mode);
		if (mode != ENTRY_PLAIN && !have_certs(mode)) {
			return 1;
		}
	}
	return start(own_path(path, sizeof(path)));
}
