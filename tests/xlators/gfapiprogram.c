/* gfapiprogram VOLFILE LOG: a program in C that uses libgfapi. It starts the graph, asks for the root and ends with 0. */
#include <glusterfs/api/glfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    glfs_t *fs = argc == 3 ? glfs_new("program") : NULL;
    struct stat root;

    if (!fs || glfs_set_volfile(fs, argv[1]) != 0 || glfs_set_logging(fs, argv[2], 7) != 0 || glfs_init(fs) != 0 ||
        glfs_stat(fs, "/", &root) != 0) {
        perror("gfapiprogram");
        _exit(1);
    }
    _exit(glfs_fini(fs) == 0 ? 0 : 2);
}
