/* What the generated fops of chaos need of its hand-written part. */
#ifndef XL_CHAOS_H
#define XL_CHAOS_H

#include "calls.h"

enum chaos_mode {
    CHAOS_SYNC,   /* answered by the child's thread, as if chaos were not there */
    CHAOS_THREAD, /* … from a thread of ours, at once; the winder may or may not be gone */
    CHAOS_LATE,   /* … after a random time */
    CHAOS_EARLY,  /* … while the winder is still inside its wind */
    CHAOS_ORDER,  /* … together with other replies that came after it, shuffled */
    CHAOS_ERROR,  /* never reaches the child, fails with a random errno */
    CHAOS_NEVER,  /* never reaches the child, not answered until told to */
    CHAOS_MODES,
};

/* One wind, and how its reply is to be given. */
struct passage;

/* Decide over a fop that came in. */
struct passage *chaos_begin(xlator_t *this);
enum chaos_mode chaos_mode(const struct passage *passage);

/* The fop's wind has returned: for CHAOS_EARLY, stay until another thread has unwound. The passage is gone after. */
void chaos_end(xlator_t *this, struct passage *passage);

/* CHAOS_ERROR: the errno to fail with; the fop counts as answered. */
int32_t chaos_error(xlator_t *this);

/* ipc with this op is for chaos itself: answer what has never been answered, and go on answering. */
#define CHAOS_IPC_RELEASE 0x63686f73

void chaos_release(xlator_t *this);

/* CHAOS_NEVER: keep the reply that will be given when told to. */
void chaos_hold(xlator_t *this, struct call *reply);

/* CHAOS_SYNC: count the answer that the caller is about to give. */
void chaos_answered(xlator_t *this);

/* The child has replied: give the kept reply as the passage says. */
void chaos_answer(xlator_t *this, struct passage *passage, struct call *reply);

extern struct xlator_fops chaos_fops;

#endif
