/* A translator's file is loaded anew while its graph is up: beside the version that runs, which it then takes the place of.
 *
 * The package decides when, loads, and says what goes wrong (glupy/lifecycle/reload.py); all that happens on Python's main
 * thread. In the C core a version is begun, made ready, and taken or dropped. Taking is one step under the interpreter's lock:
 * a request that calls its method afterwards calls the new one's. Those inside go on as they are, since a coroutine holds the
 * object that it belongs to. When the last of them has left, what the replaced version runs in the background has some seconds
 * to end; then its fini() is called.
 *
 * What belongs to the layer stays: contexts, counters, the children, the common options in force. */
#ifndef GLUPY_RELOAD_H
#define GLUPY_RELOAD_H

#include "instance/instance.h"

/* Methods of Instance: see their docstrings. */
PyObject *glupy_instance_begin_version(PyObject *self, PyObject *unused);
PyObject *glupy_instance_prepare_version(PyObject *self, PyObject *args);
PyObject *glupy_instance_take_version(PyObject *self, PyObject *unused);
PyObject *glupy_instance_drop_version(PyObject *self, PyObject *unused);
PyObject *glupy_instance_end_tasks(PyObject *self, PyObject *version);
PyObject *glupy_instance_get_version(PyObject *self, void *unused);
PyObject *glupy_instance_load_anew(PyObject *self, PyObject *args);

/* Attached. The first version of an instance that is being made; its translator is `translator`, of those methods. -1 with an
 * exception. */
int glupy_version_first(struct glupy_instance *instance);
int glupy_version_first_made(struct glupy_instance *instance, PyObject *translator, PyObject *methods);

/* Attached, main thread. The author's fini() of one version; what it raises is logged. */
void glupy_call_fini(struct glupy_instance *instance, PyObject *translator);

/* Attached, main thread. The graph goes: call fini() of all versions but the current one's that have come through their
 * init(). */
void glupy_versions_end(struct glupy_instance *instance);

#endif
