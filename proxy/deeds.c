/* SPDX-License-Identifier: Apache-2.0 */
/* What takes rights; see deeds.h. */
#include "deeds.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"

int
deed_open(const char *path)
{
	/* O_NONBLOCK: a pipe in a file's place must not hold us up. */
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

int
deed_connect(const struct addr *dockerd)
{
	int fd, rc, why;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return -1;
	}
	do {
		rc = connect(fd, &dockerd->sa, dockerd->len);
	} while (rc == -1 && errno == EINTR);
	if (rc == -1) {
		why = errno;
		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

enum err
deed_issue(const char *certs_dir, const char *ca_pass_file, int question,
    int *answer, pid_t *pid)
{
	const char *argv[] = { "dinv", "cert", "sign", "-certs", certs_dir,
		NULL, NULL, NULL };
	int out[2];
	enum err rc;

	if (ca_pass_file != NULL) {
		argv[5] = "-key-pass-file";
		argv[6] = ca_pass_file;
	}
	if (pipe2(out, O_CLOEXEC) == -1) {
		return ERR_IO;
	}
	rc = spawn_self(argv, question, out[1], pid);
	close(out[1]);
	if (rc != ERR_OK) {
		close(out[0]);
		return rc;
	}
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	*answer = out[0];
	return ERR_OK;
}

void
deed_end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR) {
		continue;
	}
}
