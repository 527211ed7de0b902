#include "schema/document/uri.h"

#include "base/buffer.h"

/* Where the first of `stops` is in text, or its size. */
static size_t text_find(struct slice text, const char *stops)
{
    for (size_t i = 0; i < text.size; i++)
        if (strchr(stops, text.data[i]) != NULL && text.data[i] != '\0')
            return i;
    return text.size;
}

static struct slice text_from(struct slice text, size_t at)
{
    return (struct slice){ text.data + at, text.size - at };
}

static bool scheme_is(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_later = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!is_letter && (i == 0 || !is_later))
            return false;
    }
    return text.size > 0;
}

struct uri uri_split(struct slice text)
{
    struct uri uri = { .path = SLICE("") };

    if (text.size == 0)
        return uri;
    size_t at = text_find(text, ":/?#");
    if (at < text.size && text.data[at] == ':' && scheme_is((struct slice){ text.data, at })) {
        uri.scheme = (struct slice){ text.data, at };
        uri.has_scheme = true;
        text = text_from(text, at + 1);
    }
    if (slice_starts(text, "//")) {
        text = text_from(text, 2);
        at = text_find(text, "/?#");
        uri.authority = (struct slice){ text.data, at };
        uri.has_authority = true;
        text = text_from(text, at);
    }
    at = text_find(text, "?#");
    uri.path = (struct slice){ text.data, at };
    text = text_from(text, at);
    if (slice_starts(text, "?")) {
        at = text_find(text, "#");
        uri.query = (struct slice){ text.data + 1, at - 1 };
        uri.has_query = true;
        text = text_from(text, at);
    }
    if (slice_starts(text, "#")) {
        uri.fragment = text_from(text, 1);
        uri.has_fragment = true;
    }
    return uri;
}

/* Drop the last segment of `out` and its slash, but nothing before `start`. */
static void segment_drop(struct buffer *out, size_t start)
{
    while (out->size > start && out->data[out->size - 1] != '/')
        out->size--;
    if (out->size > start)
        out->size--;
}

/* RFC 3986, 5.2.4. */
static void path_add(struct buffer *out, struct slice path)
{
    size_t start = out->size;

    while (path.size > 0) {
        if (slice_starts(path, "../")) {
            path = text_from(path, 3);
        } else if (slice_starts(path, "./")) {
            path = text_from(path, 2);
        } else if (slice_starts(path, "/./")) {
            path = text_from(path, 2);
        } else if (slice_is(path, "/.")) {
            path = SLICE("/");
        } else if (slice_starts(path, "/../") || slice_is(path, "/..")) {
            path = path.size == 3 ? SLICE("/") : text_from(path, 3);
            segment_drop(out, start);
        } else if (slice_is(path, ".") || slice_is(path, "..")) {
            break;
        } else {
            size_t end = 1 + text_find(text_from(path, 1), "/");
            buffer_add(out, path.data, end);
            path = text_from(path, end);
        }
    }
}

/* The base's path up to its last slash, then the reference's. RFC 3986, 5.2.3. */
static void path_merge(struct buffer *out, const struct uri *base, struct slice path)
{
    struct buffer whole = { 0 };
    size_t keep = base->path.size;

    while (keep > 0 && base->path.data[keep - 1] != '/')
        keep--;
    if (base->has_authority && base->path.size == 0)
        buffer_byte(&whole, '/');
    buffer_add(&whole, base->path.data, keep);
    buffer_slice(&whole, path);
    path_add(out, buffer_view(&whole));
    buffer_finish(&whole);
}

static void head_add(struct buffer *out, const struct uri *scheme, const struct uri *authority)
{
    if (scheme->has_scheme) {
        buffer_slice(out, scheme->scheme);
        buffer_byte(out, ':');
    }
    if (authority->has_authority) {
        buffer_text(out, "//");
        buffer_slice(out, authority->authority);
    }
}

struct slice uri_resolve(struct arena *arena, struct slice base_text, struct slice reference)
{
    struct uri base = uri_split(base_text), to = uri_split(reference), query = to;
    struct buffer out = { 0 };

    if (to.has_scheme) {
        head_add(&out, &to, &to);
        path_add(&out, to.path);
    } else if (to.has_authority) {
        head_add(&out, &base, &to);
        path_add(&out, to.path);
    } else {
        head_add(&out, &base, &base);
        if (to.path.size == 0) {
            buffer_slice(&out, base.path);
            query = to.has_query ? to : base;
        } else if (to.path.data[0] == '/') {
            path_add(&out, to.path);
        } else {
            path_merge(&out, &base, to.path);
        }
    }
    if (query.has_query) {
        buffer_byte(&out, '?');
        buffer_slice(&out, query.query);
    }
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct slice uri_decode(struct arena *arena, struct slice text)
{
    char *out = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        int high = text.size - i > 2 && text.data[i] == '%' ? hex_digit(text.data[i + 1]) : -1;
        int low = high < 0 ? -1 : hex_digit(text.data[i + 2]);
        if (low >= 0)
            i += 2;
        out[size++] = low >= 0 ? (char)(high * 16 + low) : text.data[i];
    }
    return (struct slice){ out, size };
}

struct slice uri_of_path(struct arena *arena, struct slice path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    struct buffer out = { 0 };

    for (size_t i = 0; i < path.size; i++) {
        char c = path.data[i];
        if (c != '\0' && strchr(plain, c) != NULL)
            buffer_byte(&out, c);
        else
            buffer_format(&out, "%%%02X", (unsigned)(unsigned char)c);
    }
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}
