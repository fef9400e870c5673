/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory that is held; see hold.h.
 *
 * One lock for everything that is made in a directory, a flock(2) that the
 * kernel lets go of when its holder dies.  Readers take none: each file is
 * replaced whole.
 */
#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "file.h"

enum err
hold_open(struct hold *k, const char *dir, struct diag *d)
{
	enum err rc;

	k->lock_fd = -1;
	ledger_init(&k->ledger);
	k->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k->dir_fd == -1) {
		diag_set(d, 0, 0, "the directory cannot be opened: %s",
		    strerror(errno));
		return errno == ENOENT ? ERR_NOTFOUND : ERR_IO;
	}
	rc = dir_lock(k->dir_fd, &k->lock_fd);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0,
		    "the ledger is kept here, and the directory cannot be "
		    "written to: %s",
		    strerror(errno));
		return rc;
	}
	dir_sweep(k->dir_fd);
	return ledger_load(&k->ledger, dir, d);
}

void
hold_close(struct hold *k)
{
	ledger_fini(&k->ledger);
	if (k->lock_fd != -1) {
		close(k->lock_fd);
	}
	if (k->dir_fd != -1) {
		close(k->dir_fd);
	}
}
