/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_HOLD_H
#define CERTS_HOLD_H

/*
 * A certificate directory that is held: locked against other processes, with
 * its ledger read.  Whatever changes the ledger begins and ends here.
 */
#include "ledger.h"

struct hold {
	int dir_fd;
	int lock_fd;
	struct ledger ledger;
};

/*
 * Waits for the lock.  k is to be closed in any case; d names no directory.
 * ERR_NOTFOUND where there is none.
 */
enum err hold_open(struct hold *k, const char *dir, struct diag *d) MUST_USE;
void hold_close(struct hold *k);

#endif
