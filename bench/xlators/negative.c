/* negative: translators/negative_lookup.py in C, for comparison: remembers which names do not exist, with an age and a
 * limit, forgets a name when an operation that makes one comes back, and does not remember an ENOENT that was on its
 * way meanwhile. Only the fops that the bench sends: lookup and create. */
#include <pthread.h>
#include <stdlib.h>

#include "../../src/core/base/gluster.h"

#define BUCKETS 65536u
#define LIMIT 65536u
#define TIMEOUT 60 /* seconds */
#define SLOTS 4096u

struct name {
    struct list_head hash, age; /* in its bucket; the one asked for last at the end */
    uuid_t directory;
    time_t until;
    char name[];
};

struct cache {
    pthread_mutex_t lock;
    struct list_head buckets[BUCKETS];
    struct list_head ages;
    unsigned count;
    uint64_t changes[SLOTS]; /* by hash: what was made */
};

/* A lookup or create that is under way. */
struct asked {
    struct cache *cache;
    uint64_t before;
    uint32_t hash;
    uuid_t directory;
    char name[];
};

static bool
has_name(loc_t *loc)
{
    return loc->name && *loc->name && !gf_uuid_is_null(loc->pargfid);
}

static uint32_t
hash_of(uuid_t directory, const char *name)
{
    uint32_t hash = 2166136261u;

    for (int i = 0; i < 16; i++)
        hash = (hash ^ directory[i]) * 16777619u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

static struct name *
find(struct cache *cache, uint32_t hash, uuid_t directory, const char *name)
{
    struct name *entry;

    list_for_each_entry(entry, &cache->buckets[hash % BUCKETS], hash)
    {
        if (gf_uuid_compare(entry->directory, directory) == 0 && strcmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

static time_t
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static void
drop(struct cache *cache, struct name *entry)
{
    list_del(&entry->hash);
    list_del(&entry->age);
    cache->count--;
    free(entry);
}

static void
remember(struct asked *asked)
{
    struct cache *cache = asked->cache;
    struct name *entry = find(cache, asked->hash, asked->directory, asked->name);

    if (!entry) {
        entry = malloc(sizeof(*entry) + strlen(asked->name) + 1);
        if (!entry)
            return;
        gf_uuid_copy(entry->directory, asked->directory);
        strcpy(entry->name, asked->name);
        list_add(&entry->hash, &cache->buckets[asked->hash % BUCKETS]);
        cache->count++;
    } else {
        list_del(&entry->age);
    }
    entry->until = now() + TIMEOUT;
    list_add_tail(&entry->age, &cache->ages);
    if (cache->count > LIMIT)
        drop(cache, list_first_entry(&cache->ages, struct name, age));
}

static struct asked *
ask(struct cache *cache, loc_t *loc, uint32_t hash)
{
    struct asked *asked = malloc(sizeof(*asked) + strlen(loc->name) + 1);

    if (!asked)
        return NULL;
    asked->cache = cache;
    asked->hash = hash;
    asked->before = cache->changes[hash % SLOTS];
    gf_uuid_copy(asked->directory, loc->pargfid);
    strcpy(asked->name, loc->name);
    return asked;
}

static int32_t
negative_lookup_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret, int32_t op_errno, inode_t *inode,
                    struct iatt *buf, dict_t *xdata, struct iatt *postparent)
{
    struct asked *asked = cookie;

    if (asked && op_ret < 0 && op_errno == ENOENT) {
        pthread_mutex_lock(&asked->cache->lock);
        if (asked->cache->changes[asked->hash % SLOTS] == asked->before)
            remember(asked);
        pthread_mutex_unlock(&asked->cache->lock);
    }
    free(asked);
    STACK_UNWIND_STRICT(lookup, frame, op_ret, op_errno, inode, buf, xdata, postparent);
    return 0;
}

static int32_t
negative_lookup(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    struct cache *cache = this->private;
    struct asked *asked = NULL;
    bool known = false;

    if (has_name(loc)) {
        uint32_t hash = hash_of(loc->pargfid, loc->name);

        pthread_mutex_lock(&cache->lock);
        struct name *entry = find(cache, hash, loc->pargfid, loc->name);
        known = entry && entry->until > now();
        if (known)
            list_move_tail(&entry->age, &cache->ages);
        else
            asked = ask(cache, loc, hash);
        pthread_mutex_unlock(&cache->lock);
    }
    if (known)
        STACK_UNWIND_STRICT(lookup, frame, -1, ENOENT, NULL, NULL, NULL, NULL);
    else
        STACK_WIND_COOKIE(frame, negative_lookup_cbk, asked, FIRST_CHILD(this), FIRST_CHILD(this)->fops->lookup, loc,
                          xdata);
    return 0;
}

static int32_t
negative_create_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret, int32_t op_errno, fd_t *fd,
                    inode_t *inode, struct iatt *buf, struct iatt *preparent, struct iatt *postparent, dict_t *xdata)
{
    struct asked *asked = cookie;

    if (asked) {
        struct cache *cache = asked->cache;

        pthread_mutex_lock(&cache->lock);
        cache->changes[asked->hash % SLOTS]++;
        struct name *entry = find(cache, asked->hash, asked->directory, asked->name);
        if (entry)
            drop(cache, entry);
        pthread_mutex_unlock(&cache->lock);
    }
    free(asked);
    STACK_UNWIND_STRICT(create, frame, op_ret, op_errno, fd, inode, buf, preparent, postparent, xdata);
    return 0;
}

static int32_t
negative_create(call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t flags, mode_t mode, mode_t umask, fd_t *fd,
                dict_t *xdata)
{
    struct asked *asked = has_name(loc) ? ask(this->private, loc, hash_of(loc->pargfid, loc->name)) : NULL;

    STACK_WIND_COOKIE(frame, negative_create_cbk, asked, FIRST_CHILD(this), FIRST_CHILD(this)->fops->create, loc, flags,
                      mode, umask, fd, xdata);
    return 0;
}

static int32_t
negative_init(xlator_t *this)
{
    struct cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        return -1;
    pthread_mutex_init(&cache->lock, NULL);
    INIT_LIST_HEAD(&cache->ages);
    for (unsigned i = 0; i < BUCKETS; i++)
        INIT_LIST_HEAD(&cache->buckets[i]);
    this->private = cache;
    return 0;
}

static void
negative_fini(xlator_t *this)
{
    struct cache *cache = this->private;
    struct name *entry, *next;

    if (!cache)
        return;
    list_for_each_entry_safe(entry, next, &cache->ages, age)
    {
        drop(cache, entry);
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache);
    this->private = NULL;
}

static struct xlator_fops fops = {.lookup = negative_lookup, .create = negative_create};
static struct xlator_cbks cbks;

__attribute__((visibility("default"))) xlator_api_t xlator_api = {
    .identifier = "negative",
    .category = GF_EXPERIMENTAL,
    .op_version = {1},
    .init = negative_init,
    .fini = negative_fini,
    .fops = &fops,
    .cbks = &cbks,
};
