/* A dict of bytes -> the address of a data_t. See xdata_index.h. */
#include "values/types/xdata_index.h"

static int
put(PyObject *index, PyObject *key, data_t *value)
{
    PyObject *address = PyLong_FromVoidPtr(value);
    int failed = !address || PyDict_SetItem(index, key, address) != 0;

    Py_XDECREF(address);
    if (failed)
        return -1;
    data_ref(value);
    return 0;
}

static int
add_entry(dict_t *dict, char *key, data_t *value, void *index)
{
    PyObject *bytes = PyBytes_FromString(key);
    int failed = !bytes;

    (void)dict;
    if (bytes && !glupy_xdata_index_find(index, bytes))
        failed = put(index, bytes, value);
    Py_XDECREF(bytes);
    return failed ? -1 : 0;
}

PyObject *
glupy_xdata_index_new(dict_t *dict)
{
    int collects = PyGC_Disable();
    PyObject *index = PyDict_New();

    if (index && dict && dict_foreach(dict, add_entry, index) < 0) {
        glupy_xdata_index_free(index);
        index = NULL;
    }
    if (collects)
        PyGC_Enable();
    return index;
}

void
glupy_xdata_index_free(PyObject *index)
{
    Py_ssize_t position = 0;
    PyObject *key;
    data_t *value;

    while (index && glupy_xdata_index_next(index, &position, &key, &value))
        data_unref(value);
    Py_XDECREF(index);
}

data_t *
glupy_xdata_index_find(PyObject *index, PyObject *key)
{
    PyObject *address = PyDict_GetItemWithError(index, key);

    return address ? PyLong_AsVoidPtr(address) : NULL;
}

bool
glupy_xdata_index_next(PyObject *index, Py_ssize_t *position, PyObject **key, data_t **value)
{
    PyObject *address;

    if (!PyDict_Next(index, position, key, &address))
        return false;
    *value = PyLong_AsVoidPtr(address);
    return true;
}

int
glupy_xdata_index_set(PyObject *index, PyObject *key, data_t *value)
{
    data_t *old = glupy_xdata_index_find(index, key);

    if (put(index, key, value) != 0)
        return -1;
    if (old)
        data_unref(old);
    return 0;
}

int
glupy_xdata_index_remove(PyObject *index, PyObject *key)
{
    data_t *old = glupy_xdata_index_find(index, key);

    if (!old)
        return 0;
    if (PyDict_DelItem(index, key) != 0)
        return -1;
    data_unref(old);
    return 0;
}
