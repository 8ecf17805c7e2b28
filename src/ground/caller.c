/* Who asks: see caller.h. */
#include "caller.h"

#include "ground.h"

#include <glusterfs/client_t.h>

struct caller {
    struct list_head link;
    int key;
    call_stack_t like; /* pid, uid, gid, lk_owner, client */
    unsigned ngroups;
    uint32_t groups[];
};

struct callers {
    pthread_mutex_t lock;
    struct list_head all;
    int last;
};

static client_t *connected(xlator_t *this, char *name);

/* option client: whose the requests are that are nobody else's. */
static int
everybody_init(xlator_t *this, struct callers *callers)
{
    data_t *name = dict_get(this->options, "client");
    struct caller *everybody = name ? calloc(1, sizeof(*everybody)) : NULL;

    if (!name)
        return 0;
    if (!everybody || !(everybody->like.client = connected(this, data_to_str(name)))) {
        free(everybody);
        return -1;
    }
    everybody->key = GROUND_CALLERS;
    list_add_tail(&everybody->link, &callers->all);
    return 0;
}

static void
init_list(struct list_head *list)
{
    if (!list->next)
        INIT_LIST_HEAD(list);
}

static void
fill_gfid(uuid_t gfid, inode_t *inode)
{
    if (inode && gf_uuid_is_null(gfid))
        gf_uuid_copy(gfid, inode->gfid);
}

void
ground_fill(loc_t *loc)
{
    if (!loc)
        return;
    fill_gfid(loc->gfid, loc->inode);
    fill_gfid(loc->pargfid, loc->parent);
}

int
ground_caller_notify(xlator_t *this, int32_t event, void *data)
{
    int result = default_notify(this, event, data);

    if (event == GF_EVENT_PARENT_DOWN && dict_get(this->options, "storage"))
        return default_notify(this, GF_EVENT_CHILD_DOWN, data);
    return result;
}

int
ground_callers_init(xlator_t *this)
{
    struct callers *callers = calloc(1, sizeof(*callers));

    if (!callers)
        return -1;
    pthread_mutex_init(&callers->lock, NULL);
    INIT_LIST_HEAD(&callers->all);
    callers->last = GROUND_CALLERS;
    this->private = callers;
    if (dict_get(this->options, "storage")) {
        init_list(&this->ctx->diskth_xl);
        init_list(&this->ctx->janitor_fds);
    }
    return everybody_init(this, callers);
}

void
ground_callers_fini(xlator_t *this)
{
    struct callers *callers = this->private;
    struct caller *caller, *next;

    list_for_each_entry_safe(caller, next, &callers->all, link) free(caller);
    pthread_mutex_destroy(&callers->lock);
    free(callers);
    this->private = NULL;
}

/* They stay until the end: what is found is not freed. */
static struct caller *
find(struct callers *callers, int key)
{
    struct caller *caller, *found = NULL;

    pthread_mutex_lock(&callers->lock);
    list_for_each_entry(caller, &callers->all, link)
    {
        if (caller->key == key)
            found = caller;
    }
    pthread_mutex_unlock(&callers->lock);
    return found;
}

void
ground_become(call_frame_t *frame, xlator_t *this)
{
    struct caller *caller = frame->root->pid > GROUND_CALLERS ? find(this->private, frame->root->pid) : NULL;
    struct caller *everybody = find(this->private, GROUND_CALLERS);

    if (everybody)
        frame->root->client = everybody->like.client;
    if (!caller)
        return;
    frame->root->pid = caller->like.pid;
    frame->root->uid = caller->like.uid;
    frame->root->gid = caller->like.gid;
    frame->root->lk_owner = caller->like.lk_owner;
    if (caller->like.client)
        frame->root->client = caller->like.client;
    if (call_stack_alloc_groups(frame->root, (int)caller->ngroups) != 0)
        return;
    for (unsigned i = 0; i < caller->ngroups; i++)
        frame->root->groups[i] = caller->groups[i];
}

/* As protocol/server does when a client connects. NULL: failed. */
static client_t *
connected(xlator_t *this, char *name)
{
    client_auth_data_t nobody = {0};
    client_t *client;

    if (!this->ctx->clienttable)
        this->ctx->clienttable = gf_clienttable_alloc();
    client = this->ctx->clienttable ? gf_client_get(this, &nobody, name, NULL) : NULL;
    if (client)
        client->bound_xl = this;
    return client;
}

static bool
same_client(client_t *client, const char *name)
{
    return client && (!name || strcmp(client->client_uid, name) == 0);
}

/* A client that a caller of ours is already. */
static client_t *
known(struct callers *callers, const char *name)
{
    struct caller *caller;
    client_t *client = NULL;

    pthread_mutex_lock(&callers->lock);
    list_for_each_entry(caller, &callers->all, link)
    {
        if (same_client(caller->like.client, name))
            client = caller->like.client;
    }
    pthread_mutex_unlock(&callers->lock);
    return client;
}

static int64_t
number(dict_t *xdata, char *key)
{
    int64_t value;

    return dict_get_int64(xdata, key, &value) == 0 ? value : 0;
}

static char *
text(dict_t *xdata, char *key)
{
    char *value;

    return dict_get_str(xdata, key, &value) == 0 ? value : NULL;
}

/* The key, or -1 with errno. */
static int
remember(xlator_t *this, dict_t *xdata)
{
    struct callers *callers = this->private;
    struct caller *caller;
    data_t *groups = dict_get(xdata, "groups"), *owner = dict_get(xdata, "lk-owner");
    char *client = text(xdata, "client");
    size_t size = groups ? (size_t)groups->len : 0;

    caller = calloc(1, sizeof(*caller) + size);
    if (!caller || (owner && (size_t)owner->len > sizeof(caller->like.lk_owner.data))) {
        errno = caller ? EINVAL : ENOMEM;
        free(caller);
        return -1;
    }
    caller->like.pid = (pid_t)number(xdata, "pid");
    caller->like.uid = (uid_t)number(xdata, "uid");
    caller->like.gid = (gid_t)number(xdata, "gid");
    caller->ngroups = (unsigned)(size / sizeof(caller->groups[0]));
    if (size)
        memcpy(caller->groups, groups->data, size);
    if (owner) {
        caller->like.lk_owner.len = owner->len;
        memcpy(caller->like.lk_owner.data, owner->data, (size_t)owner->len);
    }
    if (client && !(caller->like.client = known(callers, client)) && !(caller->like.client = connected(this, client))) {
        errno = ENOMEM;
        free(caller);
        return -1;
    }
    pthread_mutex_lock(&callers->lock);
    caller->key = ++callers->last;
    list_add_tail(&caller->link, &callers->all);
    pthread_mutex_unlock(&callers->lock);
    return caller->key;
}

/* Nobody is a client's any more; what it is taken from is its last use but for those of requests under way. NULL: none. */
static client_t *
take(struct callers *callers, const char *name)
{
    client_t *client = known(callers, name);
    struct caller *caller;

    if (!client)
        return NULL;
    pthread_mutex_lock(&callers->lock);
    list_for_each_entry(caller, &callers->all, link)
    {
        if (caller->like.client == client)
            caller->like.client = NULL;
    }
    pthread_mutex_unlock(&callers->lock);
    return client;
}

static int
disconnect(xlator_t *this, dict_t *xdata)
{
    client_t *client;
    char *name = text(xdata, "client");
    int count = 0;

    while ((client = take(this->private, name))) {
        gf_boolean_t detached = false;

        gf_client_disconnect(client);
        gf_client_put(client, &detached);
        count++;
    }
    return count;
}

bool
ground_caller_ipc(call_frame_t *frame, xlator_t *this, int32_t op, dict_t *xdata)
{
    int result, error;

    if (op == GROUND_FORGET || op == GROUND_INVENTORY) {
        ground_ipc(frame, this, op, xdata);
        return true;
    }
    if (!xdata || (op != GROUND_CALLER && op != GROUND_DISCONNECT))
        return false;
    result = op == GROUND_CALLER ? remember(this, xdata) : disconnect(this, xdata);
    error = result < 0 ? errno : 0;
    STACK_UNWIND_STRICT(ipc, frame, result, error, NULL);
    return true;
}
