/* control: does to the other layers of its graph what GlusterFS does, when a test asks for it by ipc.
 *
 * The op says what, xdata["layer"] to whom:
 *
 *   CONTROL_RECONFIGURE  new options: each "option NAME" of xdata, as text; on a thread as glusterfsd's event threads are
 *   CONTROL_EVENT        the event xdata["event"], as from the child xdata["from"], or from nowhere
 *   CONTROL_OPTIONS      answers with the options that .meta would show, by the same names
 *
 * What it hears itself is counted: CONTROL_HEARD answers with a count for each event, "event N". */
#include "common.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { CONTROL_RECONFIGURE = 0x636f6e30, CONTROL_EVENT, CONTROL_OPTIONS, CONTROL_HEARD };

#define PREFIX "option "

struct control {
    atomic_int heard[GF_EVENT_MAXVAL];
};

static int
copy_option(dict_t *from, char *key, data_t *value, void *to)
{
    if (strncmp(key, PREFIX, strlen(PREFIX)) != 0)
        return 0;
    return dict_set_dynstr_with_alloc(to, key + strlen(PREFIX), data_to_str(value));
}

static int
copy_back(dict_t *from, char *key, data_t *value, void *to)
{
    char name[256];

    snprintf(name, sizeof(name), PREFIX "%s", key);
    return dict_set_dynstr_with_alloc(to, name, data_to_str(value));
}

struct reconfigure {
    xlator_t *layer;
    dict_t *options;
    int32_t result;
};

static void *
reconfigure(void *arg)
{
    struct reconfigure *call = arg;

    THIS = call->layer;
    call->result = call->layer->reconfigure(call->layer, call->options);
    return NULL;
}

static int32_t
control_reconfigure(xlator_t *layer, dict_t *xdata)
{
    struct reconfigure call = {layer, dict_new(), -1};
    pthread_t thread;

    dict_foreach(xdata, copy_option, call.options);
    if (pthread_create(&thread, NULL, reconfigure, &call) == 0)
        pthread_join(thread, NULL);
    dict_unref(call.options);
    return call.result;
}

static int32_t
control_event(xlator_t *layer, dict_t *xdata)
{
    int64_t event = 0;
    char *from = NULL;
    xlator_t *child = NULL;

    if (dict_get_int64(xdata, "event", &event) != 0)
        return -1;
    if (dict_get_str(xdata, "from", &from) == 0)
        child = xlator_search_by_name(layer, from);
    return xlator_notify(layer, (int)event, child);
}

static int32_t
control_heard(xlator_t *this, dict_t *answer)
{
    struct control *control = this->private;
    char name[32];

    for (int i = 0; i < GF_EVENT_MAXVAL; i++) {
        snprintf(name, sizeof(name), "event %d", i);
        if (dict_set_int32(answer, name, atomic_load(&control->heard[i])) != 0)
            return -1;
    }
    return 0;
}

static int32_t
control_ipc_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    STACK_UNWIND_STRICT(ipc, frame, op_ret, op_errno, xdata);
    return 0;
}

static int32_t
control_ipc(call_frame_t *frame, xlator_t *this, int32_t op, dict_t *xdata)
{
    dict_t *answer = dict_new();
    xlator_t *layer = this;
    char *name = NULL;
    int32_t result = -1;

    if (op < CONTROL_RECONFIGURE || op > CONTROL_HEARD) {
        dict_unref(answer);
        STACK_WIND(frame, control_ipc_cbk, FIRST_CHILD(this), FIRST_CHILD(this)->fops->ipc, op, xdata);
        return 0;
    }
    if (xdata && dict_get_str(xdata, "layer", &name) == 0)
        layer = xlator_search_by_name(this, name);
    if (layer && op == CONTROL_RECONFIGURE)
        result = control_reconfigure(layer, xdata);
    else if (layer && op == CONTROL_EVENT)
        result = control_event(layer, xdata);
    else if (layer && op == CONTROL_OPTIONS)
        result = dict_foreach(layer->options, copy_back, answer) < 0 ? -1 : 0;
    else if (op == CONTROL_HEARD)
        result = control_heard(this, answer);
    result = result ? -1 : 0;
    STACK_UNWIND_STRICT(ipc, frame, result, EINVAL, answer);
    dict_unref(answer);
    return 0;
}

static int32_t
control_init(xlator_t *this)
{
    this->private = xl_alloc(sizeof(struct control));
    return 0;
}

static void
control_fini(xlator_t *this)
{
    free(this->private);
    this->private = NULL;
}

static int
control_notify(xlator_t *this, int32_t event, void *data, ...)
{
    struct control *control = this->private;

    if (control && event > 0 && event < GF_EVENT_MAXVAL)
        atomic_fetch_add(&control->heard[event], 1);
    return default_notify(this, event, data);
}

static struct xlator_fops fops = {.ipc = control_ipc};
static struct xlator_cbks cbks;

XL_EXPORT xlator_api_t xlator_api = {
    .identifier = "control",
    .category = GF_EXPERIMENTAL,
    .op_version = {1},
    .init = control_init,
    .fini = control_fini,
    .notify = control_notify,
    .fops = &fops,
    .cbks = &cbks,
};
