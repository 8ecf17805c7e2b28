/* Writing JSON. Bytes that are not UTF-8 (GlusterFS's paths may have any) become what Python's surrogateescape makes of
 * them, \udc80 to \udcff: valid JSON, from which the path can be had back. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/writer.h"

static struct glupy_json *
json_of(struct glupy_writer *writer)
{
    return (struct glupy_json *)writer;
}

static bool
make_room(struct glupy_json *json, size_t more)
{
    size_t room = json->room ? json->room : 4096;
    char *grown;

    while (room < json->length + more)
        room *= 2;
    if (room == json->room)
        return true;
    grown = realloc(json->text, room);
    if (!grown) {
        json->failed = true;
        return false;
    }
    json->text = grown;
    json->room = room;
    return true;
}

void
glupy_json_raw(struct glupy_json *json, const char *text, size_t length)
{
    if (!make_room(json, length))
        return;
    memcpy(json->text + json->length, text, length);
    json->length += length;
}

__attribute__((format(printf, 2, 3))) static void
put(struct glupy_json *json, const char *format, ...)
{
    char text[64];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    glupy_json_raw(json, text, strlen(text));
}

/* Bytes of the UTF-8 sequence at `text`, 0 where there is none: neither overlong, nor a surrogate, nor beyond U+10FFFF. */
static size_t
sequence(const unsigned char *text)
{
    static const struct {
        unsigned char first, last, low, high; /* of the first byte; of the second */
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (text[0] < forms[i].first || text[0] > forms[i].last)
            continue;
        for (size_t k = 1; k < forms[i].length; k++)
            if (k == 1 ? text[1] < forms[i].low || text[1] > forms[i].high : (text[k] & 0xc0) != 0x80)
                return 0; /* the terminating NUL ends the search, too */
        return forms[i].length;
    }
    return 0;
}

static void
put_string(struct glupy_json *json, const char *value)
{
    const unsigned char *at = (const unsigned char *)value;

    put(json, "\"");
    while (*at) {
        size_t length = sequence(at);

        if (!length)
            put(json, "\\udc%02x", *at++);
        else if (*at == '"' || *at == '\\')
            put(json, "\\%c", *at++);
        else if (*at < 0x20 || *at == 0x7f)
            put(json, "\\u%04x", *at++);
        else {
            glupy_json_raw(json, (const char *)at, length);
            at += length;
        }
    }
    put(json, "\"");
}

static bool
in_list(struct glupy_json *json)
{
    return json->lists >> json->depth & 1;
}

/* What stands before a value. */
static void
begin(struct glupy_json *json, const char *key)
{
    char last = json->length ? json->text[json->length - 1] : '\0';

    if (json->depth && last != '{' && last != '[')
        put(json, ", ");
    if (json->depth && !in_list(json)) {
        put_string(json, key);
        put(json, ": ");
    }
}

static void
json_open(struct glupy_writer *writer, const char *key, bool list)
{
    struct glupy_json *json = json_of(writer);

    begin(json, key);
    put(json, list ? "[" : "{");
    json->depth++;
    json->lists &= ~((uint64_t)1 << json->depth);
    json->lists |= (uint64_t)list << json->depth;
}

static void
json_close(struct glupy_writer *writer)
{
    struct glupy_json *json = json_of(writer);

    put(json, in_list(json) ? "]" : "}");
    json->depth--;
}

static void
json_number(struct glupy_writer *writer, const char *key, uint64_t value)
{
    begin(json_of(writer), key);
    put(json_of(writer), "%llu", (unsigned long long)value);
}

static void
json_text(struct glupy_writer *writer, const char *key, const char *value)
{
    begin(json_of(writer), key);
    put_string(json_of(writer), value);
}

void
glupy_json_init(struct glupy_json *json)
{
    *json = (struct glupy_json){
        .writer = {.open = json_open, .close = json_close, .number = json_number, .text = json_text},
    };
}
