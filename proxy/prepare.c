/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ground on which dockerd is started; see prepare.h.
 *
 * dockerd removes whatever it finds at its socket's path and binds there, a
 * second daemon's socket included, and that daemon's clients would talk to
 * ours from then on.  So we look first, and refuse.
 *
 * Left behind by a kill: docker.pid, which keeps dockerd from starting, and
 * containerd.pid, which keeps it waiting for a containerd that is gone.
 *
 * Locking the folders was rejected: dockerd itself locks its data root, and
 * says so.
 *
 * Who attacks: see pidfile.c and ping.c.  Lines of dockerd's log can hold
 * what a registry or an image author wrote; log.c keeps them one line each.
 */
#include "prepare.h"

#include <errno.h>
#include <stdio.h>

#include "log.h"
#include "pidfile.h"
#include "ping.h"

#define LOG_TAIL_BYTES 2048
#define LOG_TAIL_LINES 5

bool
prepare_socket(const char *path)
{
	switch (ping_look(path)) {
	case ERR_OK:
		return true;
	case ERR_EXISTS:
		log_error("somebody listens there already; stop that daemon "
			  "or use another -socket socket=%s",
		    path);
		return false;
	case ERR_SYNTAX:
		log_error("what is there is no socket; remove it or use "
			  "another -socket socket=%s",
		    path);
		return false;
	default:
		log_error("cannot be used as a socket: %s socket=%s",
		    strerror(errno), path);
		return false;
	}
}

/* fatal: a live one is a reason not to start */
static bool
clear_pid_file(const char *path, const char *const *comms, bool fatal)
{
	pid_t pid = 0;
	enum err rc;

	rc = pidfile_clear(path, comms, &pid);
	if (rc == ERR_OK || (rc == ERR_EXISTS && !fatal)) {
		return true;
	}
	if (rc == ERR_EXISTS) {
		log_error("a %s runs already; stop it, or use another "
			  "-- --pidfile pid=%d file=%s",
		    comms[0], (int)pid, path);
	} else {
		log_error("pid file cannot be cleared: %s file=%s",
		    rc == ERR_IO ? strerror(errno) : "not a regular file",
		    path);
	}
	return false;
}

bool
prepare_pid_files(const struct supervise_plan *p)
{
	static const char *const containerd[] = { "containerd",
		"docker-containerd", NULL };
	const char *slash = strrchr(p->dockerd, '/');
	const char *const dockerd[] = { "dockerd",
		slash == NULL ? p->dockerd : slash + 1, NULL };
	char path[4096];

	snprintf(
	    path, sizeof(path), "%s/containerd/containerd.pid", p->exec_root);
	/* A containerd that outlived its dockerd is taken over by the next. */
	return clear_pid_file(path, containerd, false) &&
	       clear_pid_file(p->pid_file, dockerd, true);
}

void
prepare_show_log(const char *path)
{
	char text[LOG_TAIL_BYTES + 1], *line[LOG_TAIL_LINES], *p;
	size_t n, lines = 0;
	FILE *f;

	f = fopen(path, "re");
	if (f == NULL) {
		return;
	}
	if (fseek(f, -LOG_TAIL_BYTES, SEEK_END) == -1) {
		rewind(f);
	}
	n = fread(text, 1, LOG_TAIL_BYTES, f);
	fclose(f);
	text[n] = '\0';
	for (p = text + n; p > text && lines < LOG_TAIL_LINES; p--) {
		if (p[-1] == '\n') {
			p[-1] = '\0';
			line[lines] = p;
			lines += *p != '\0';
		}
	}
	while (lines > 0) {
		log_error("dockerd said: %s", line[--lines]);
	}
}
