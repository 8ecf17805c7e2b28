/* Saying what the main thread is at. See stuck.h. */
#include "lifecycle/stuck.h"

#include "base/compat.h"
#include "observe/watch.h"
#include "python/aside.h"
#include "python/main_thread.h"

#define STACK_IN 2u /* seconds: something may keep the interpreter from all other threads */

struct sight {
    struct glupy_main_busy busy;
    char *stack; /* or NULL */
};

static void
look_attached(void *arg)
{
    struct sight *sight = arg;
    PyObject *text = glupy_watch_stack(sight->busy.thread, sight->busy.interpreter, Py_None);
    const char *shown = text ? PyUnicode_AsUTF8(text) : NULL;

    if (shown)
        sight->stack = strdup(shown);
    Py_XDECREF(text);
    PyErr_Clear();
}

static void
drop(void *arg)
{
    free(((struct sight *)arg)->stack);
    free(arg);
}

static void
say(xlator_t *this, const struct sight *sight, const char *consequence)
{
    const struct glupy_main_busy *busy = &sight->busy;

    if (busy->what)
        gf_msg(this->name, GF_LOG_ERROR, 0, 0,
               "Python's main thread, which loads translators and calls their hooks, has been at %s of %s for %.0f seconds, %s%s",
               busy->what, busy->name, busy->seconds, consequence,
               sight->stack ? sight->stack : "; where is not known, since something keeps Python's interpreter from all others");
    else
        gf_msg(this->name, GF_LOG_ERROR, 0, 0, "Python's main thread had too much to do, %s", consequence);
}

void
glupy_stuck_say(xlator_t *this, const char *consequence, ...)
{
    struct sight *sight = calloc(1, sizeof(*sight)), without = {.busy = glupy_main_is_at()};
    char text[256];
    va_list ap;

    va_start(ap, consequence);
    vsnprintf(text, sizeof(text), consequence, ap);
    va_end(ap);
    if (sight)
        sight->busy = without.busy;
    if (sight && sight->busy.thread &&
        glupy_aside(STACK_IN, sight->busy.interpreter, look_attached, sight, drop)) {
        say(this, sight, text);
        drop(sight);
        return;
    }
    say(this, &without, text);
}
