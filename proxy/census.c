/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections by host and by client; see census.h.
 *
 * Two hash tables of fixed width with chains, under one mutex: each is
 * touched twice a connection, next to a TLS handshake that costs a thousand
 * times more.  An attacker can choose addresses (IPv6) to fill one chain; the
 * cap on connections in all bounds the chain's length.
 */
#include "census.h"

#include <pthread.h>
#include <stdlib.h>

#define CENSUS_BUCKETS 1024

struct tally {
	struct tally *next;
	uint8_t key[16];
	uint32_t n;
};

struct table {
	struct tally *bucket[CENSUS_BUCKETS];
};

struct census {
	pthread_mutex_t lock;
	uint32_t total, max_total, max_per_host, max_per_client;
	struct table hosts, clients;
};

struct census *
census_new(uint32_t max_total, uint32_t max_per_host, uint32_t max_per_client)
{
	struct census *c = calloc(1, sizeof(*c));

	if (c != NULL) {
		pthread_mutex_init(&c->lock, NULL);
		c->max_total = max_total;
		c->max_per_host = max_per_host;
		c->max_per_client = max_per_client;
	}
	return c;
}

static void
table_fini(struct table *t)
{
	struct tally *h, *next;
	size_t i;

	for (i = 0; i < CENSUS_BUCKETS; i++) {
		for (h = t->bucket[i]; h != NULL; h = next) {
			next = h->next;
			free(h);
		}
	}
}

void
census_free(struct census *c)
{
	if (c == NULL) {
		return;
	}
	table_fini(&c->hosts);
	table_fini(&c->clients);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* The link that points at the key's tally, or at the end of its chain. */
static struct tally **
find(struct table *t, const uint8_t key[16])
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	struct tally **at;
	size_t i;

	for (i = 0; i < 16; i++) {
		hash = (hash ^ key[i]) * 16777619u;
	}
	at = &t->bucket[hash % CENSUS_BUCKETS];
	while (*at != NULL && memcmp((*at)->key, key, 16) != 0) {
		at = &(*at)->next;
	}
	return at;
}

/* One more, unless there are max.  *n: how many there are then. */
static enum err
add(struct table *t, const uint8_t key[16], uint32_t max, uint32_t *n)
{
	struct tally **at = find(t, key);

	if (*at == NULL) {
		*at = calloc(1, sizeof(**at));
		if (*at == NULL) {
			return ERR_NOMEM;
		}
		memcpy((*at)->key, key, 16);
	}
	if ((*at)->n >= max) { /* a fresh one has none: max is 1 at least */
		return ERR_LIMIT;
	}
	*n = ++(*at)->n;
	return ERR_OK;
}

static void
take(struct table *t, const uint8_t key[16])
{
	struct tally **at = find(t, key), *gone = *at;

	if (gone != NULL && --gone->n == 0) {
		*at = gone->next;
		free(gone);
	}
}

enum err
census_enter(struct census *c, bool has_host, const uint8_t key[16])
{
	enum err rc = ERR_OK;
	uint32_t n;

	pthread_mutex_lock(&c->lock);
	if (c->total >= c->max_total) {
		rc = ERR_LIMIT;
	} else if (has_host) {
		rc = add(&c->hosts, key, c->max_per_host, &n);
		rc = rc == ERR_LIMIT ? ERR_SHARE : rc;
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
	pthread_mutex_lock(&c->lock);
	c->total--;
	if (has_host) {
		take(&c->hosts, key);
	}
	pthread_mutex_unlock(&c->lock);
}

enum err
census_join(struct census *c, const uint8_t client[16])
{
	uint32_t n = 0, max = c->max_per_client;
	enum err rc;

	pthread_mutex_lock(&c->lock);
	rc = add(&c->clients, client, max > UINT32_MAX / 2 ? max : 2 * max, &n);
	pthread_mutex_unlock(&c->lock);
	return rc == ERR_OK && n > max ? ERR_SHARE : rc;
}

void
census_part(struct census *c, const uint8_t client[16])
{
	pthread_mutex_lock(&c->lock);
	take(&c->clients, client);
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
