/* See looking.h. */
#include "instance/looking.h"

#include <pthread.h>

static pthread_rwlock_t looking = PTHREAD_RWLOCK_INITIALIZER;

void
glupy_look_begin(void)
{
    pthread_rwlock_rdlock(&looking);
}

void
glupy_look_end(void)
{
    pthread_rwlock_unlock(&looking);
}

void
glupy_look_bar(void)
{
    pthread_rwlock_wrlock(&looking);
}

void
glupy_look_unbar(void)
{
    pthread_rwlock_unlock(&looking);
}
