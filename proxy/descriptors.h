/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_DESCRIPTORS_H
#define PROXY_DESCRIPTORS_H

/*
 * How many files the system lets us have open, and for how many clients that
 * is enough.
 */
#include <stdint.h>

/* Up to the hard limit. */
void descriptors_raise(void);
/* So many of the wanted connections there is room for, 1 at least; a warning
 * where that is fewer. */
uint32_t descriptors_room(uint32_t connections);

#endif
