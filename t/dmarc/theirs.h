/* theirs.h - libopendmarc's answers; its header and ours give different things the same names, so they do not meet */
#ifndef WINNOW_T_DMARC_THEIRS_H
#define WINNOW_T_DMARC_THEIRS_H

#include <stdbool.h>

struct theirs {
	bool read;                       /* the record was taken */
	int p, sp, adkim, aspf;          /* first letters; 0: not there */
	int pct;
	char rua[1000];                  /* comma between them */
	char verdict;                    /* 'p' pass, 'r' reject, 'q' quarantine, 'n' none, '-' no record */
};

enum { OUTCOME_NONE, OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_TEMPORARY };

struct identity {
	const char *domain;
	unsigned outcome;
};

/* org: where the record comes from, if not from `from` itself; NULL. */
void ask_them(const char *record, const char *from, const char *org, struct identity spf, struct identity dkim, struct theirs *theirs_r);

#endif
