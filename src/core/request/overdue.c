/* Fops that rest for long. See overdue.h. */
#include "request/overdue.h"

#include "instance/instance.h"
#include "request/rest.h"

#define AT_ONCE 10u /* entries in the log: where everything hangs, the next ones follow with the next look */

static void
say(xlator_t *this, const struct glupy_suspended *one, double seconds)
{
    _gf_msg(this->name, "glupy", one->fop, 0, GF_LOG_WARNING, 0, 0, 0,
            "%s of %s (unique %" PRIu64 ", uid %u, pid %u) has been waiting for more than %g s (option patience): for %s%s%s",
            one->fop, one->path ? one->path : "no file", one->unique, one->uid, one->pid, seconds,
            one->awaits ? one->awaits : "what it does not say", one->at ? ", at " : "", one->at ? one->at : "");
}

void
glupy_overdue_look(struct glupy_patience *patience, uint64_t nanoseconds, uint64_t now)
{
    struct glupy_instance *instance = (void *)((char *)patience - offsetof(struct glupy_instance, patience));
    struct glupy_suspended found[AT_ONCE];
    unsigned n = glupy_resting_overdue(instance, nanoseconds, now, found, AT_ONCE);
    xlator_t *old_this = THIS;

    THIS = patience->this; /* the graph's context decides where to */
    for (unsigned i = 0; i < n; i++)
        say(patience->this, &found[i], (double)nanoseconds / 1e9);
    THIS = old_this;
    glupy_suspended_free(found, n);
}
