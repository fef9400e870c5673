/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections by host; see census.h.
 *
 * A hash table of fixed width with chains, under one mutex: it is touched
 * twice a connection, next to a TLS handshake that costs a thousand times
 * more.  An attacker can choose addresses (IPv6) to fill one chain; the cap
 * on connections in all bounds the chain's length.
 */
#include "census.h"

#include <pthread.h>
#include <stdlib.h>

#define CENSUS_BUCKETS 1024

struct host {
	struct host *next;
	uint8_t key[16];
	uint32_t n;
};

struct census {
	pthread_mutex_t lock;
	uint32_t total, max_total, max_per_host;
	struct host *bucket[CENSUS_BUCKETS];
};

struct census *
census_new(uint32_t max_total, uint32_t max_per_host)
{
	struct census *c = calloc(1, sizeof(*c));

	if (c != NULL) {
		pthread_mutex_init(&c->lock, NULL);
		c->max_total = max_total;
		c->max_per_host = max_per_host;
	}
	return c;
}

void
census_free(struct census *c)
{
	struct host *h, *next;
	size_t i;

	if (c == NULL) {
		return;
	}
	for (i = 0; i < CENSUS_BUCKETS; i++) {
		for (h = c->bucket[i]; h != NULL; h = next) {
			next = h->next;
			free(h);
		}
	}
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* The link that points at the host, or at the end of its chain. */
static struct host **
find(struct census *c, const uint8_t key[16])
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	struct host **at;
	size_t i;

	for (i = 0; i < 16; i++) {
		hash = (hash ^ key[i]) * 16777619u;
	}
	at = &c->bucket[hash % CENSUS_BUCKETS];
	while (*at != NULL && memcmp((*at)->key, key, 16) != 0) {
		at = &(*at)->next;
	}
	return at;
}

static enum err
enter_host(struct census *c, const uint8_t key[16])
{
	struct host **at = find(c, key);

	if (*at == NULL) {
		*at = calloc(1, sizeof(**at));
		if (*at == NULL) {
			return ERR_NOMEM;
		}
		memcpy((*at)->key, key, 16);
	}
	if ((*at)->n >= c->max_per_host) {
		return ERR_LIMIT;
	}
	(*at)->n++;
	return ERR_OK;
}

enum err
census_enter(struct census *c, bool has_host, const uint8_t key[16])
{
	enum err rc = ERR_OK;

	pthread_mutex_lock(&c->lock);
	if (c->total >= c->max_total) {
		rc = ERR_LIMIT;
	} else if (has_host) {
		rc = enter_host(c, key);
	}
	if (rc == ERR_OK) {
		c->total++;
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}

void
census_leave(struct census *c, bool has_host, const uint8_t key[16])
{
	struct host **at, *gone;

	pthread_mutex_lock(&c->lock);
	c->total--;
	if (has_host) {
		at = find(c, key);
		gone = *at;
		if (gone != NULL && --gone->n == 0) {
			*at = gone->next;
			free(gone);
		}
	}
	pthread_mutex_unlock(&c->lock);
}

uint32_t
census_total(struct census *c)
{
	uint32_t n;

	pthread_mutex_lock(&c->lock);
	n = c->total;
	pthread_mutex_unlock(&c->lock);
	return n;
}
