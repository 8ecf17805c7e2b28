/* program: what any program in C does that uses volumes by libgfapi, as a test says on its standard input, a line each:
 *
 *   start NAME VOLFILE LOG   glfs_new() to glfs_init(); what it says is the volume's name from then on
 *   stat NAME PATH           glfs_stat()
 *   begin NAME PATH          the same on a thread of its own, for which nobody waits
 *   stop NAME                glfs_fini()
 *
 * Each is answered by a line on the standard output: "done", or "failed: " and why. At the end of the input it exits. Python
 * is in this process only if a volume brings it. */
#include <glusterfs/api/glfs.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST 16
#define LOG_LEVEL 7

static struct volume {
    char name[64];
    glfs_t *fs;
} volumes[MOST];

struct visit {
    glfs_t *fs;
    char path[256];
};

static struct volume *
find(const char *name)
{
    for (unsigned i = 0; i < MOST; i++)
        if (volumes[i].fs && strcmp(volumes[i].name, name) == 0)
            return &volumes[i];
    return NULL;
}

static int
start(const char *name, const char *volfile, const char *log)
{
    struct volume *volume = volumes;

    while (volume < volumes + MOST && volume->fs)
        volume++;
    if (volume == volumes + MOST)
        return ENOSPC;
    snprintf(volume->name, sizeof(volume->name), "%s", name);
    volume->fs = glfs_new("program");
    if (!volume->fs || glfs_set_volfile(volume->fs, volfile) != 0 || glfs_set_logging(volume->fs, log, LOG_LEVEL) != 0)
        return EINVAL;
    if (glfs_init(volume->fs) == 0)
        return 0;
    volume->fs = NULL; /* not ended: glfs_fini() would free what threads of GlusterFS's still work with */
    return errno ? errno : EIO;
}

static int
stat_path(glfs_t *fs, const char *path)
{
    struct stat buf;

    return glfs_stat(fs, path, &buf) == 0 ? 0 : errno;
}

static void *
visit(void *arg)
{
    struct visit *call = arg;

    stat_path(call->fs, call->path);
    free(call);
    return NULL;
}

static int
begin(glfs_t *fs, const char *path)
{
    struct visit *call = calloc(1, sizeof(*call));
    pthread_t thread;
    int error;

    call->fs = fs;
    snprintf(call->path, sizeof(call->path), "%s", path);
    error = pthread_create(&thread, NULL, visit, call);
    return error ? error : pthread_detach(thread);
}

static int
stop(struct volume *volume)
{
    glfs_t *fs = volume->fs;

    volume->fs = NULL;
    return glfs_fini(fs) == 0 ? 0 : errno ? errno : EIO;
}

static int
obey(char *words[4])
{
    struct volume *volume = find(words[1] ? words[1] : "");

    errno = 0;
    if (strcmp(words[0], "start") == 0 && words[3])
        return start(words[1], words[2], words[3]);
    if (!volume)
        return ENOENT;
    if (strcmp(words[0], "stat") == 0 && words[2])
        return stat_path(volume->fs, words[2]);
    if (strcmp(words[0], "begin") == 0 && words[2])
        return begin(volume->fs, words[2]);
    return strcmp(words[0], "stop") == 0 ? stop(volume) : EINVAL;
}

int
main(void)
{
    char line[4096];

    while (fgets(line, sizeof(line), stdin)) {
        char *words[4] = {NULL}, *rest = NULL;
        int error;

        words[0] = strtok_r(line, " \n", &rest);
        for (unsigned i = 1; i < 4 && words[i - 1]; i++)
            words[i] = strtok_r(NULL, " \n", &rest);
        error = words[0] ? obey(words) : EINVAL;
        if (error)
            printf("failed: %s\n", strerror(error));
        else
            printf("done\n");
        fflush(stdout);
    }
    return 0;
}
