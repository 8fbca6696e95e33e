/* address.h - mail addresses: the envelope's paths (RFC 5321) and the header's lists (RFC 5322) */
#ifndef WINNOW_MESSAGE_ADDRESS_H
#define WINNOW_MESSAGE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

/* One block of memory holds all three strings: keep or free them together with the parent. */
struct address {
	const char *text;                /* "local@domain" or "local", as given but the domain in lower case without a trailing dot; "" for the null path */
	const char *local;               /* without its quotes and their backslashes ("a b"@x gives a b), case kept; "" for the null path */
	const char *domain;              /* lower case; "" when there is none; an address literal keeps its brackets */
};

/* Reads the argument of MAIL or RCPT as MTAs hand it on: "<local@domain>", "local@domain", "<>" or "" (the null path), a source route "<@a,@b:local@domain>" (dropped).
 * Strings are children of parent. false: it is no path at all (unbalanced brackets, empty local part with a domain, control characters or blanks outside quotes, an @, dots in
 * wrong places or other specials outside quotes, no or empty domain label, a label over 63 or a domain over 255 octets, characters that no host name or literal has - an
 * underscore is taken -, UTF-8 that is none, local@domain over 320 octets: RFC 5321 sections 4.1.2, 4.1.3, 4.5.3.1; a local part over 64 octets is taken);
 * then text still holds the argument without brackets, local and domain what stands before and after the last @.
 * A path without @ (as "<postmaster>") is accepted with domain "". UTF-8 is accepted in both parts (RFC 6531). */
bool address_parse_path(TALLOC_CTX *parent, const char *path, struct address *address_r);

/* Host name (letters, digits, hyphen, underscore, UTF-8; one trailing dot) or address literal (RFC 5321 section 4.1.3)? */
bool address_domain_valid(const char *domain, size_t len);

/* One mailbox of a header field. */
struct mailbox {
	const char *name;                /* display name, decoded (RFC 2047) to UTF-8, quotes removed; "" if none */
	struct address address;
};

struct mailbox_list {
	struct mailbox *v;
	size_t n;
	bool malformed;                  /* something could not be read as an address (it was skipped), or could be read in two ways: a name with an @ outside quotes,
	                                  * a missing bracket or comma, a group without end */
	bool cut;                        /* more than max mailboxes: the rest was not read */
};

/* Reads the value of From, Sender, To, ...: mailboxes, groups (their members), comments, quoted strings, folding, encoded words in names, obsolete routes.
 * value need not be NUL-terminated and may hold any byte. At most max mailboxes are returned. Domains are checked as in a path, local parts may have their dots anywhere.
 * Words without a domain are skipped. Strings are children of parent. Linear in len. */
struct mailbox_list address_list_parse(TALLOC_CTX *parent, const char *value, size_t len, size_t max);

#endif
