/* Time that a test moves. See held_clock.h. */
#include "python/held_clock.h"

#include <pthread.h>
#include <stdlib.h>

#include "python/clock.h"

static struct {
    pthread_mutex_t lock;
    struct glupy_alarms alarms;
    uint64_t now; /* 0: it is held by nobody */
    unsigned holders;
} held = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t
held_now(void)
{
    uint64_t now;

    pthread_mutex_lock(&held.lock);
    now = held.holders ? held.now : glupy_now();
    pthread_mutex_unlock(&held.lock);
    return now;
}

static bool
held_set(struct glupy_alarm *alarm, uint64_t when)
{
    bool set, over;

    pthread_mutex_lock(&held.lock);
    over = !held.holders; /* the last one has let go in between */
    set = over || glupy_alarms_put(&held.alarms, alarm, when);
    pthread_mutex_unlock(&held.lock);
    if (over)
        alarm->ring(alarm);
    return set;
}

static bool
held_unset(struct glupy_alarm *alarm)
{
    bool set;

    pthread_mutex_lock(&held.lock);
    set = alarm->place != 0;
    if (set)
        glupy_alarms_take(&held.alarms, alarm);
    pthread_mutex_unlock(&held.lock);
    return set;
}

static const struct glupy_timers timers = {.now = held_now, .set = held_set, .unset = held_unset};

/* End all sleeps up to a time, one after another: what rings may set new ones, which wait for the next move. */
static bool
ring_until(uint64_t until)
{
    bool rung = false;

    pthread_mutex_lock(&held.lock);
    while (held.alarms.count && held.alarms.heap[0]->when <= until) {
        struct glupy_alarm *due = held.alarms.heap[0];

        glupy_alarms_take(&held.alarms, due);
        pthread_mutex_unlock(&held.lock);
        due->ring(due);
        rung = true;
        pthread_mutex_lock(&held.lock);
    }
    pthread_mutex_unlock(&held.lock);
    return rung;
}

static uint64_t
move(uint64_t until)
{
    uint64_t next;

    pthread_mutex_lock(&held.lock);
    next = held.alarms.count && held.alarms.heap[0]->when < until ? held.alarms.heap[0]->when : until;
    if (next > held.now)
        held.now = next;
    next = held.now;
    pthread_mutex_unlock(&held.lock);
    return next;
}

PyObject *
glupy_held_clock_hold_method(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    pthread_mutex_lock(&held.lock);
    if (!held.holders++) {
        held.now = glupy_now();
        glupy_timers_replace(&timers);
    }
    pthread_mutex_unlock(&held.lock);
    Py_RETURN_NONE;
}

PyObject *
glupy_held_clock_release_method(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    pthread_mutex_lock(&held.lock);
    if (held.holders && !--held.holders)
        glupy_timers_replace(glupy_timers_real());
    pthread_mutex_unlock(&held.lock);
    Py_RETURN_NONE;
}

PyObject *
glupy_held_clock_now_method(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromUnsignedLongLong(held_now());
}

PyObject *
glupy_held_clock_move_method(PyObject *module, PyObject *until)
{
    uint64_t value = PyLong_AsUnsignedLongLong(until);
    bool rung;

    (void)module;
    if (value == (uint64_t)-1 && PyErr_Occurred())
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rung = ring_until(move(value));
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(rung);
}

/* A copy, since making a list may run other code. NULL without memory. */
static uint64_t *
copy_due(size_t *count)
{
    uint64_t *due;

    pthread_mutex_lock(&held.lock);
    *count = held.alarms.count;
    due = malloc((*count + 1) * sizeof(*due));
    for (size_t i = 0; due && i < *count; i++)
        due[i] = held.alarms.heap[i]->when;
    pthread_mutex_unlock(&held.lock);
    return due;
}

PyObject *
glupy_held_clock_due_method(PyObject *module, PyObject *unused)
{
    size_t count;
    uint64_t *due = copy_due(&count);
    PyObject *list = due ? PyList_New((Py_ssize_t)count) : PyErr_NoMemory();

    (void)module;
    (void)unused;
    for (size_t i = 0; list && i < count; i++) {
        PyObject *when = PyLong_FromUnsignedLongLong(due[i]);

        if (when)
            PyList_SET_ITEM(list, (Py_ssize_t)i, when);
        else
            Py_CLEAR(list);
    }
    free(due);
    if (list && PyList_Sort(list) != 0)
        Py_CLEAR(list);
    return list;
}
