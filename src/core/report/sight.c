/* Answering those who look. See sight.h. */
#include "report/sight.h"

#include "instance/looking.h"
#include "report/report.h"

int32_t
glupy_sight_dump_private(xlator_t *this)
{
    struct glupy_flat flat;

    glupy_look_begin();
    if (this->private) {
        gf_proc_dump_add_section("xlator.glupy.%s", this->name);
        glupy_flat_to_dump(&flat);
        glupy_report(this->private, &flat.writer, GLUPY_SHOWN);
    }
    glupy_look_end();
    return 0;
}

int32_t
glupy_sight_dump_metrics(xlator_t *this, int fd)
{
    struct glupy_flat flat;

    glupy_look_begin();
    if (this->private) {
        glupy_flat_to_metrics(&flat, this->name, fd);
        glupy_report_numbers(this->private, &flat.writer);
    }
    glupy_look_end();
    return 0;
}

/* The virtual extended attribute */

#define STATS "glusterfs.glupy.stats"

/* The kernel passes on no value of more than 64 KiB. */
#define LARGEST (60u << 10)

/* Callers ask for the size first and for the value then, and GlusterFS answers the second question with ERANGE when the value
 * has grown, which it does when there is most to be seen. So it ends in blanks, which JSON allows, and its size is always the
 * same: but for very many layers with very long names, of which nothing else is told. */
#define SIZE (LARGEST + (1u << 10))
#define STEP 1024u

#define MOST_INSTANCES 64u

static int32_t our_getxattr(call_frame_t *frame, xlator_t *this, loc_t *loc, const char *name, dict_t *xdata);

static struct glupy_instance *
instance_at(xlator_t *xlator)
{
    return xlator->fops && xlator->fops->getxattr == our_getxattr ? xlator->private : NULL;
}

struct found {
    xlator_t *xlators[MOST_INSTANCES];
    unsigned n;
};

static void
find(struct found *found, xlator_t *xlator)
{
    for (unsigned i = 0; i < found->n; i++)
        if (found->xlators[i] == xlator)
            return; /* below two of its layers */
    if (instance_at(xlator) && found->n < MOST_INSTANCES)
        found->xlators[found->n++] = xlator;
    for (xlator_list_t *child = xlator->children; child; child = child->next)
        find(found, child->xlator);
}

/* One instance in at most `room` bytes: of the requests at rest as many as go in. */
static void
add_instance(struct glupy_json *json, struct glupy_instance *instance, size_t room)
{
    size_t before = json->length;

    for (unsigned shown = GLUPY_SHOWN; !json->failed; shown /= 2) {
        json->length = before;
        glupy_report(instance, &json->writer, shown);
        if (json->length - before <= room)
            return;
        if (!shown)
            break;
    }
    json->length = before; /* its name alone: it can be asked by it */
    json->writer.open(&json->writer, "", false);
    json->writer.text(&json->writer, "name", instance->this->name);
    json->writer.close(&json->writer);
}

static void
write_one(struct glupy_json *json, xlator_t *xlator)
{
    add_instance(json, instance_at(xlator), LARGEST);
}

static void
write_all(struct glupy_json *json, xlator_t *top)
{
    struct found found = {.n = 0};

    find(&found, top);
    glupy_json_raw(json, "[", 1);
    for (unsigned i = 0; i < found.n; i++) {
        if (i)
            glupy_json_raw(json, ",\n", 2);
        add_instance(json, instance_at(found.xlators[i]),
                     json->length < LARGEST ? (LARGEST - json->length) / (found.n - i) : 0);
    }
    glupy_json_raw(json, "]", 1);
}

static void
pad(struct glupy_json *json)
{
    size_t wanted = json->length <= SIZE ? SIZE : (json->length + STEP - 1) / STEP * STEP;

    while (json->length < wanted && !json->failed)
        glupy_json_raw(json, " ", 1);
}

/* Under the key that was asked for; GlusterFS frees the value with its own allocator. NULL without memory. */
static dict_t *
make_dict(const char *name, struct glupy_json *json)
{
    char *value = json->failed ? NULL : GF_MALLOC(json->length + 1, gf_common_mt_char);
    dict_t *dict = value ? dict_new() : NULL;

    if (value) {
        memcpy(value, json->text, json->length);
        value[json->length] = '\0';
    }
    if (dict && dict_set_dynptr(dict, (char *)name, value, json->length) == 0)
        return dict;
    GF_FREE(value);
    if (dict)
        dict_unref(dict);
    return NULL;
}

/* What the question is answered with. 0 or an errno. */
static int32_t
answer(xlator_t *this, const char *name, dict_t **dict)
{
    struct glupy_json json;

    glupy_json_init(&json);
    glupy_look_begin();
    if (name[strlen(STATS)] == '.')
        write_one(&json, this);
    else
        write_all(&json, this);
    glupy_look_end();
    pad(&json);
    *dict = make_dict(name, &json);
    free(json.text);
    return *dict ? 0 : ENOMEM;
}

/* Is this layer the one that is asked? Without a name the uppermost is. */
static bool
is_ours(xlator_t *this, const char *name)
{
    if (!name || strncmp(name, STATS, strlen(STATS)) != 0)
        return false;
    name += strlen(STATS);
    return *name == '\0' || (*name == '.' && strcmp(name + 1, this->name) == 0);
}

/* Paths of other people's files are for root only. Others find no such attribute, as with trusted.* in the kernel. */
static int32_t
answer_to(call_frame_t *frame, xlator_t *this, const char *name, dict_t **dict)
{
    *dict = NULL;
    return frame->root->uid == 0 ? answer(this, name, dict) : ENODATA;
}

static int32_t
our_getxattr(call_frame_t *frame, xlator_t *this, loc_t *loc, const char *name, dict_t *xdata)
{
    dict_t *dict;
    int32_t op_ret, op_errno;

    if (!is_ours(this, name))
        return __atomic_load_n(&glupy_instance_of(this)->slots.getxattr, __ATOMIC_ACQUIRE)(frame, this, loc, name, xdata);
    op_errno = answer_to(frame, this, name, &dict);
    op_ret = op_errno ? -1 : 0;
    STACK_UNWIND_STRICT(getxattr, frame, op_ret, op_errno, dict, NULL);
    if (dict)
        dict_unref(dict);
    return 0;
}

static int32_t
our_fgetxattr(call_frame_t *frame, xlator_t *this, fd_t *fd, const char *name, dict_t *xdata)
{
    dict_t *dict;
    int32_t op_ret, op_errno;

    if (!is_ours(this, name))
        return __atomic_load_n(&glupy_instance_of(this)->slots.fgetxattr, __ATOMIC_ACQUIRE)(frame, this, fd, name, xdata);
    op_errno = answer_to(frame, this, name, &dict);
    op_ret = op_errno ? -1 : 0;
    STACK_UNWIND_STRICT(fgetxattr, frame, op_ret, op_errno, dict, NULL);
    if (dict)
        dict_unref(dict);
    return 0;
}

static void
take(struct glupy_instance *instance)
{
    instance->slots.getxattr = instance->slots.own->getxattr;
    instance->slots.fgetxattr = instance->slots.own->fgetxattr;
    instance->slots.own->getxattr = our_getxattr;
    instance->slots.own->fgetxattr = our_fgetxattr;
}

static void **
slot(struct glupy_instance *instance, const struct glupy_fop *fop)
{
    if (fop == &glupy_fops[GLUPY_FOP_getxattr])
        return (void **)&instance->slots.getxattr;
    if (fop == &glupy_fops[GLUPY_FOP_fgetxattr])
        return (void **)&instance->slots.fgetxattr;
    return NULL;
}

const struct glupy_cover glupy_sight_cover = {.take = take, .slot = slot};
