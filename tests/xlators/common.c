/* Options and memory of the test translators; see common.h. */
#include "common.h"

#include <stdlib.h>

const char *
xl_option(dict_t *options, const char *key, const char *missing)
{
    char *text = NULL;

    return dict_get_str(options, (char *)key, &text) == 0 ? text : missing;
}

int64_t
xl_option_number(dict_t *options, const char *key, int64_t missing)
{
    const char *text = xl_option(options, key, NULL);
    char *end = NULL;

    if (!text)
        return missing;
    int64_t number = strtoll(text, &end, 10);
    return *text && !*end ? number : missing;
}

bool
xl_option_switch(dict_t *options, const char *key, bool missing)
{
    const char *text = xl_option(options, key, NULL);
    gf_boolean_t value = missing;

    if (text && gf_string2boolean(text, &value) != 0)
        return missing;
    return value;
}

void *
xl_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        abort();
    return memory;
}
