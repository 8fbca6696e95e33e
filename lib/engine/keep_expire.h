/* keep_expire.h - the thread that takes old copies out of the quarantine: at start, each hour, after a reload, and when there are too many */
#ifndef WINNOW_ENGINE_KEEP_EXPIRE_H
#define WINNOW_ENGINE_KEEP_EXPIRE_H

#include <stdint.h>

struct keeper;
struct winnow_engine;

/* Starts it. NULL: no memory, or no thread: that is logged, and copies stay. */
struct keeper *keeper_start(struct winnow_engine *engine);

/* Ends it, in the middle of its work if need be. NULL is allowed. */
void keeper_stop(struct keeper *keeper);

/* Something has changed: look now. NULL is allowed. */
void keeper_wake(struct keeper *keeper);

/* A copy of so many bytes was kept: where all together are too much now, it looks. NULL is allowed. */
void keeper_kept(struct keeper *keeper, uint64_t bytes);

#endif
