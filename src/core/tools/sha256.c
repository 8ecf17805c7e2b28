#include "tools/sha256.h"

#include "base/gluster.h"

PyObject *
glupy_sha256_method(PyObject *module, PyObject *data)
{
    char hash[GLUPY_CHECKSUM_LEN];
    Py_buffer bytes;
    int failed;

    (void)module;
    if (PyObject_GetBuffer(data, &bytes, PyBUF_SIMPLE) != 0)
        return NULL;
    failed = glusterfs_compute_sha256(bytes.buf, (size_t)bytes.len, hash);
    PyBuffer_Release(&bytes);
    if (failed)
        return PyErr_Format(PyExc_RuntimeError, "_sha256(): OpenSSL refuses it");
    return PyBytes_FromStringAndSize(hash, sizeof(hash));
}
