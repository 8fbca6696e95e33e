/* libmilter.h - the one place that includes libmilter: stdbool.h must come first, or `bool` has two sizes */
#ifndef WINNOW_MILTER_LIBMILTER_H
#define WINNOW_MILTER_LIBMILTER_H

#include <stdbool.h>

#include <libmilter/mfapi.h>

#endif
