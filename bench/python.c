/* A Python interpreter from the shared libpython, as GlusterFS's processes have it. Debian's /usr/bin/python3 is linked
 * with a copy of its own, compiled differently: what it takes for a call says nothing about a mount. */
#include <Python.h>

int
main(int argc, char **argv)
{
    argv[0] = PYTHON; /* from which it finds its modules */
    return Py_BytesMain(argc, argv);
}
