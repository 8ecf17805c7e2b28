/* What the test translators share: GlusterFS's headers, options read straight from the volfile's strings, memory.
 *
 * None of them declares typed options: GlusterFS then hands the strings over unchecked, as it does to glupy. */
#ifndef XL_COMMON_H
#define XL_COMMON_H

#include "../../src/core/base/gluster.h"

/* Marks the one symbol GlusterFS looks up, for builds with -fvisibility=hidden. */
#define XL_EXPORT __attribute__((visibility("default")))

/* An option's text, or what stands in for a missing one. Belongs to the dict. */
const char *xl_option(dict_t *options, const char *key, const char *missing);

/* An option as a decimal number; text that is no number counts as missing. */
int64_t xl_option_number(dict_t *options, const char *key, int64_t missing);

/* An option as GlusterFS reads switches ("on", "off", "yes", "1" …). */
bool xl_option_switch(dict_t *options, const char *key, bool missing);

/* Zeroed memory, for free(). A test that runs out of memory has nothing left to tell: it aborts. */
void *xl_alloc(size_t size);

#endif
