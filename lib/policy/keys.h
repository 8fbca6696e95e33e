/* keys.h - what inline: and file: tables hold: keys by hash, and those that read as addresses or networks by address too */
#ifndef WINNOW_POLICY_KEYS_H
#define WINNOW_POLICY_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "policy/table.h"
#include "util/ip.h"

struct keys;

/* place: what an entry's number is put behind in errors, as "PATH:". NULL: no memory. */
struct keys *keys_new(TALLOC_CTX *parent, const char *place);

/* Adds a key (not empty; made lower case in place) with its value; both must live as long as keys. number: of the line or entry.
 * A key that is there with the same value is ignored. false with *error_r = "PLACE NUMBER: what" (child of parent of keys_new): the key is there with another value, is a network
 * with host bits or of too many bits, can match nothing (192.0.2.300, 192.0.2, *.example.com, *@example.com), or there is no memory. */
bool keys_add(struct keys *keys, char *key, const char *value, unsigned number, char **error_r);

/* Ends the adding. false as in keys_add: one network written in two ways with two values. */
bool keys_seal(struct keys *keys, char **error_r);

/* A kind's look-ups (policy/table.h); content: a struct keys. Any number of threads. *value_r lives as long as keys, mem is not used. */
enum answer keys_lookup(const void *content, const char *key, TALLOC_CTX *mem, const char **value_r);
enum answer keys_lookup_ip(const void *content, const struct ip *ip, TALLOC_CTX *mem, const char **value_r);
void keys_each(const void *content, void (*visit)(void *context, const char *key, const char *value), void *context);
size_t keys_count(const void *content);

/* "192.0.2.1/24 has host bits: write 192.0.2.0/24", or why text is no network at all; a child of parent. Also for cidr:. */
char *network_complaint(TALLOC_CTX *parent, const char *text);

#endif
