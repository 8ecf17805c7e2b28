/* Keeping the arguments of a fop, or of its reply, past the call that lent them.
 *
 * One set of functions for each kind that tools/kinds.py names: keep_KIND copies or references what is passed,
 * lend_KIND gives it back as the prototypes pass it (NULL where NULL was kept), drop_KIND releases it. Numbers need
 * none of this.
 *
 * GlusterFS's own call stubs do not serve: libglusterfs exports the reply stubs of 13 fops only, has none for getspec
 * and compound, forgets readlink's reply xdata, and cannot keep setactivelk's list. */
#ifndef XL_KEEP_H
#define XL_KEEP_H

#include "common.h"

struct kept_loc {
    loc_t loc;
    bool set;
};

struct kept_iatt {
    struct iatt iatt;
    bool set;
};

struct kept_statvfs {
    struct statvfs buf;
    bool set;
};

struct kept_flock {
    struct gf_flock flock;
    bool set;
};

struct kept_lease {
    struct gf_lease lease;
    bool set;
};

struct kept_checksum {
    uint8_t bytes[GLUPY_CHECKSUM_LEN];
    bool set;
};

struct kept_dirents {
    gf_dirent_t head;
    bool set;
};

struct kept_locklist {
    lock_migration_info_t head;
    bool set;
};

struct kept_payload {
    struct iovec *vector;
    int32_t count;
    struct iobref *iobref;
};

struct kept_inode {
    inode_t *inode;
};

struct kept_fd {
    fd_t *fd;
};

struct kept_dict {
    dict_t *dict;
};

struct kept_string {
    char *text;
};

struct kept_opaque {
    void *pointer;
};

void keep_loc(struct kept_loc *, loc_t *);
loc_t *lend_loc(struct kept_loc *);
void drop_loc(struct kept_loc *);

void keep_iatt(struct kept_iatt *, const struct iatt *);
struct iatt *lend_iatt(struct kept_iatt *);
void drop_iatt(struct kept_iatt *);

void keep_statvfs(struct kept_statvfs *, const struct statvfs *);
struct statvfs *lend_statvfs(struct kept_statvfs *);
void drop_statvfs(struct kept_statvfs *);

void keep_flock(struct kept_flock *, const struct gf_flock *);
struct gf_flock *lend_flock(struct kept_flock *);
void drop_flock(struct kept_flock *);

void keep_lease(struct kept_lease *, const struct gf_lease *);
struct gf_lease *lend_lease(struct kept_lease *);
void drop_lease(struct kept_lease *);

void keep_checksum(struct kept_checksum *, const uint8_t *);
uint8_t *lend_checksum(struct kept_checksum *);
void drop_checksum(struct kept_checksum *);

void keep_dirents(struct kept_dirents *, gf_dirent_t *);
gf_dirent_t *lend_dirents(struct kept_dirents *);
void drop_dirents(struct kept_dirents *);

void keep_locklist(struct kept_locklist *, lock_migration_info_t *);
lock_migration_info_t *lend_locklist(struct kept_locklist *);
void drop_locklist(struct kept_locklist *);

/* Has no lend: its three members are three parameters, not always side by side. */
void keep_payload(struct kept_payload *, const struct iovec *vector, int32_t count, struct iobref *iobref);
void drop_payload(struct kept_payload *);

void keep_inode(struct kept_inode *, inode_t *);
inode_t *lend_inode(struct kept_inode *);
void drop_inode(struct kept_inode *);

void keep_fd(struct kept_fd *, fd_t *);
fd_t *lend_fd(struct kept_fd *);
void drop_fd(struct kept_fd *);

void keep_dict(struct kept_dict *, dict_t *);
dict_t *lend_dict(struct kept_dict *);
void drop_dict(struct kept_dict *);

void keep_string(struct kept_string *, const char *);
char *lend_string(struct kept_string *);
void drop_string(struct kept_string *);

/* Nobody knows what compound's pointers lead to: they are passed on as they are. */
void keep_opaque(struct kept_opaque *, void *);
void *lend_opaque(struct kept_opaque *);
void drop_opaque(struct kept_opaque *);

#endif
