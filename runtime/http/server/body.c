#include "http/server/body.h"

#include "codec/json.h"
#include "http/server/params.h"

#include <limits.h>
#include <strings.h>

#define ZLIB_CONST
#include <zlib.h>

enum { UNPACK_STEP = 16 * 1024, FORM_MEMBERS = 1000 };

#define KINDS "application/json, application/x-www-form-urlencoded or text/plain"

/* ---- words of headers -------------------------------------------------------------------- */

static bool word_is(struct slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

static struct slice trimmed(struct slice text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = (struct slice){ text.data + 1, text.size - 1 };
    while (text.size > 0 &&
           (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* The part before the next ';', which goes with it. */
static struct slice part_take(struct slice *rest)
{
    const char *end = rest->size == 0 ? NULL : memchr(rest->data, ';', rest->size);
    struct slice part = { rest->data, end == NULL ? rest->size : (size_t)(end - rest->data) };
    size_t taken = part.size + (end != NULL);

    *rest = (struct slice){ rest->data + taken, rest->size - taken };
    return trimmed(part);
}

/* Only UTF-8 is read, and what is a part of it. */
static bool charset_check(struct slice rest, struct err *err)
{
    while (rest.size > 0) {
        struct slice part = part_take(&rest);
        if (part.size < 8 || strncasecmp(part.data, "charset=", 8) != 0)
            continue;
        struct slice name = { part.data + 8, part.size - 8 };
        if (name.size > 1 && name.data[0] == '"' && name.data[name.size - 1] == '"')
            name = (struct slice){ name.data + 1, name.size - 2 };
        if (!word_is(name, "utf-8") && !word_is(name, "utf8") && !word_is(name, "us-ascii"))
            return err_set(err, ERR_MEDIA_TYPE, "The body is in charset %.*s; send it in UTF-8",
                           SLICE_ARG(name));
    }
    return true;
}

/* ---- unpacking --------------------------------------------------------------------------- */

static bool unpack_refuse(int result, struct err *err)
{
    return result == Z_BUF_ERROR
               ? err_set(err, ERR_BAD_REQUEST,
                         "The compressed body ends in the middle; was all of it sent?")
               : err_set(err, ERR_BAD_REQUEST,
                         "The body is not what its Content-Encoding says: it cannot be "
                         "unpacked");
}

/* One stream after the other, as gzip allows. *result tells how it ended. */
static bool unpack_all(z_stream *stream, struct buffer *out, size_t most, int *result)
{
    for (;;) {
        size_t room = most + 1 - out->size; /* one more, to see that it is too much */
        room = room < UNPACK_STEP ? room : UNPACK_STEP;
        stream->next_out = (Bytef *)buffer_reserve(out, room);
        stream->avail_out = (uInt)room;
        *result = inflate(stream, Z_NO_FLUSH);
        out->size += room - stream->avail_out;
        if (out->size > most)
            return true;
        if (*result == Z_STREAM_END && stream->avail_in == 0)
            return true;
        if (*result == Z_STREAM_END)
            *result = inflateReset(stream);
        if (*result != Z_OK)
            return false;
    }
}

static bool unpack(const struct body_from *from, struct slice *text, struct err *err)
{
    enum { ANY_HEADER = 32 }; /* zlib's own and gzip's */
    z_stream stream = { 0 };
    struct buffer out = { 0 };
    int result = Z_MEM_ERROR;

    if (from->bytes.size > UINT_MAX)
        return err_set(err, ERR_TOO_LARGE, "Request body too large");
    stream.next_in = (const Bytef *)from->bytes.data;
    stream.avail_in = (uInt)from->bytes.size;
    if (inflateInit2(&stream, MAX_WBITS + ANY_HEADER) != Z_OK)
        return err_set(err, ERR_SYSTEM, "there is no memory to unpack the body");
    bool ok = unpack_all(&stream, &out, from->most, &result) || unpack_refuse(result, err);
    (void)inflateEnd(&stream); /* what it says was said before */
    if (ok && out.size > from->most)
        ok =
            err_set(err, ERR_TOO_LARGE, "The body is over %zu bytes once unpacked", from->most);
    if (ok)
        *text = arena_copy(from->arena, buffer_view(&out));
    buffer_finish(&out);
    return ok;
}

static bool text_of(const struct body_from *from, struct slice *text, struct err *err)
{
    struct slice encoding = trimmed(from->encoding);

    *text = from->bytes;
    if (encoding.size == 0 || word_is(encoding, "identity") || from->bytes.size == 0)
        return true;
    if (word_is(encoding, "gzip") || word_is(encoding, "x-gzip") ||
        word_is(encoding, "deflate"))
        return unpack(from, text, err);
    return err_set(err, ERR_MEDIA_TYPE,
                   "Content-Encoding %.*s is not understood; send the body as it is, or gzip",
                   SLICE_ARG(encoding));
}

/* Without UTF-8's mark; those of other encodings are refused by name. */
static bool mark_skip(struct slice *text, struct err *err)
{
    static const struct {
        const char *bytes;
        size_t size;
    } others[] = { { "\xff\xfe", 2 }, { "\xfe\xff", 2 }, { "\0\0\xfe\xff", 4 } };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (text->size >= others[i].size &&
            memcmp(text->data, others[i].bytes, others[i].size) == 0)
            return err_set(err, ERR_MEDIA_TYPE,
                           "The body is in UTF-16 or UTF-32; send it in UTF-8");
    if (text->size >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0)
        *text = (struct slice){ text->data + 3, text->size - 3 };
    return text->size < 3 || memcmp(text->data, "\xef\xbb\xbf", 3) != 0 ||
           err_set(err, ERR_BAD_REQUEST, "The body begins with two byte order marks");
}

/* ---- kinds ------------------------------------------------------------------------------- */

bool posted_read(struct arena *arena, struct slice text, struct value *value, struct err *err)
{
    struct err found = { 0 };

    if (json_read(arena, text, value, &found))
        return true;
    char *quote = strstr(found.text, " near '");
    return err_set(err, found.code, "%.*s",
                   (int)(quote == NULL ? strlen(found.text) : (size_t)(quote - found.text)),
                   found.text);
}

static bool pair_read(struct arena *arena, struct slice pair, struct value *form,
                      struct err *err)
{
    const char *equals = memchr(pair.data, '=', pair.size);
    uint32_t number = form->count + 1;
    struct slice name, value;

    if (equals == NULL)
        return err_set(err, ERR_BAD_REQUEST,
                       "The body is neither JSON nor a form: its member %u has no \"=\". Send "
                       "JSON as application/json, plain words as text/plain",
                       number);
    size_t size = (size_t)(equals - pair.data);
    if (!percent_decode(arena, (struct slice){ pair.data, size }, true, &name, NULL) ||
        !percent_decode(arena, (struct slice){ equals + 1, pair.size - size - 1 }, true, &value,
                        NULL))
        return err_set(err, ERR_BAD_REQUEST,
                       "Member %u of the form has a broken percent escape or is not UTF-8",
                       number);
    if (value_find_slice(form, name) != NULL)
        return err_set(err, ERR_BAD_REQUEST,
                       "Member %u of the form is there twice, and only one could be kept",
                       number);
    if (number > FORM_MEMBERS)
        return err_set(err, ERR_BAD_REQUEST, "The form has more than %d members; send JSON",
                       FORM_MEMBERS);
    value_put_slice(arena, form, name, value_string(value));
    return true;
}

static bool form_read(struct arena *arena, struct slice text, struct value *value,
                      struct err *err)
{
    struct slice blank = text;

    while (blank.size > 0 && strchr(" \t\r\n", blank.data[0]) != NULL)
        blank = (struct slice){ blank.data + 1, blank.size - 1 };
    /* A form begins with a name, in which these three are written with an escape. */
    if (blank.size > 0 && strchr("{[\"", blank.data[0]) != NULL)
        return posted_read(arena, text, value, err);
    if (memchr(text.data, '=', text.size) == NULL && posted_read(arena, text, value, NULL))
        return true; /* 7, true, null */
    if (memchr(text.data, '\0', text.size) != NULL)
        return err_set(err, ERR_BAD_REQUEST, "The form has a zero byte in it");
    *value = value_map();
    for (size_t at = 0; at < text.size;) {
        const char *end = memchr(text.data + at, '&', text.size - at);
        size_t size = end == NULL ? text.size - at : (size_t)(end - text.data) - at;
        struct slice pair = { text.data + at, size };
        if (size > 0 && !pair_read(arena, pair, value, err))
            return false;
        at += size + 1;
    }
    return true;
}

static bool string_read(struct slice text, struct value *value, struct err *err)
{
    *value = value_string(text);
    return utf8_is_valid(text) || err_set(err, ERR_BAD_REQUEST, "The text is not valid UTF-8");
}

static bool is_json(struct slice type)
{
    return type.size == 0 || word_is(type, "application/json") || word_is(type, "text/json") ||
           (type.size > 5 && strncasecmp(type.data + type.size - 5, "+json", 5) == 0);
}

bool body_read(const struct body_from *from, struct value *value, struct err *err)
{
    struct slice rest = from->type, text;
    struct slice type = part_take(&rest);

    *value = value_map();
    if (from->bytes.size == 0)
        return true;
    if (!charset_check(rest, err) || !text_of(from, &text, err) || !mark_skip(&text, err))
        return false;
    if (text.size == 0)
        return true;
    if (is_json(type) && (type.size > 0 || from->type.size == 0))
        return posted_read(from->arena, text, value, err);
    if (word_is(type, "application/x-www-form-urlencoded"))
        return form_read(from->arena, text, value, err);
    if (type.size > 5 && strncasecmp(type.data, "text/", 5) == 0)
        return string_read(text, value, err);
    return err_set(err, ERR_MEDIA_TYPE, "Content-Type %.*s is not understood; send " KINDS,
                   SLICE_ARG(type));
}
