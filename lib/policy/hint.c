/* hint.c - the known name that an unknown one probably meant */
#include "policy/hint.h"

#include <string.h>

enum { NAME_MAX_LEN = 64 };

static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '-' ? '_' : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to insert, delete, replace or swap with their neighbour. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NAME_MAX_LEN + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *spare = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (fold(a[i - 1]) != fold(b[j - 1])));
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[b_len];
}

void hint_offer(struct hint *h, const char *candidate)
{
	size_t a = strlen(h->wanted), b = strlen(candidate);
	unsigned distance;

	if (a == 0 || a > NAME_MAX_LEN || b > NAME_MAX_LEN)
		return;
	distance = edit_distance(h->wanted, a, candidate, b);
	if (distance <= (a + 2) / 3 && distance < a && (h->best == NULL || distance < h->distance)) {
		h->best = candidate;
		h->distance = distance;
	}
}
