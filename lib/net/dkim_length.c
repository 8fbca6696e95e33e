/* dkim_length.c - how long the canonical body is (RFC 6376 sections 3.4.3, 3.4.4): what l= leaves unsigned; libopendkim counts no further than l= */
#include "net/dkim_private.h"

struct dkim_length dkim_length_new(bool relaxed)
{
	return (struct dkim_length){ .relaxed = relaxed, .line_empty = true };
}

/* An octet that stands in a line: blank lines before it count after all, and blanks, in relaxed form, as one. */
static void put(struct dkim_length *l)
{
	l->octets += 2 * l->blank_lines + l->space + 1;
	l->blank_lines = 0;
	l->space = false;
	l->line_empty = false;
}

static void end_line(struct dkim_length *l)
{
	if (l->line_empty)
		l->blank_lines++;
	else
		l->octets += 2;
	l->line_empty = true;
	l->space = false;
}

void dkim_length_add(struct dkim_length *l, const char *data, size_t len)
{
	for (const char *p = data; p < data + len; p++) {
		bool ends = l->cr && *p == '\n';

		if (l->cr && !ends)
			put(l);                  /* a lone CR is an octet like others */
		l->cr = *p == '\r';
		if (ends)
			end_line(l);
		else if (l->relaxed && (*p == ' ' || *p == '\t'))
			l->space = true;
		else if (!l->cr)
			put(l);
	}
}

uint64_t dkim_length_end(struct dkim_length *l)
{
	if (l->cr)
		put(l);
	l->cr = false;
	if (!l->line_empty)
		end_line(l);
	return l->octets == 0 && !l->relaxed ? 2 : l->octets;
}
