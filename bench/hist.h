/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

/*
 * How long things took: counted in buckets that are a sixteenth of their
 * value wide, by any number of threads.
 */
#include <stdint.h>

uint64_t hist_now_ns(void);
void hist_add(uint64_t ns);

/* The time in us that this part of them (0 to 1) did not exceed. */
double hist_us(double part);

/* How many there were, and from the first one's begin to the last one's end
 * in seconds. */
uint64_t hist_count(void);
double hist_seconds(void);

#endif
