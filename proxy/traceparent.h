/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_TRACEPARENT_H
#define PROXY_TRACEPARENT_H

/*
 * The trace that a request belongs to, as its client says (W3C Trace Context,
 * version 00): "00-" 32 hex "-" 16 hex "-" 2 hex, lower case, neither id all
 * zeros.  Empty where it is not there, there twice, or anything else.
 */
#include "http1.h"

struct span traceparent_of(const struct http_head *h);

#endif
