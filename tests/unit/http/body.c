/* What a body means, by its two headers: no socket needed. */
#include "http/server/body.h"

#include "codec/json.h"

#include <criterion/criterion.h>
#include <zlib.h>

static struct arena arena;

static void teardown(void)
{
    arena_finish(&arena);
}

TestSuite(body, .fini = teardown);

#define FORM "application/x-www-form-urlencoded"

static bool read_bytes(const char *type, const char *encoding, struct slice bytes,
                       struct value *value, struct err *err)
{
    struct body_from from = { &arena, slice_of(type), slice_of(encoding), bytes, 1 << 20 };

    *err = (struct err){ 0 };
    return body_read(&from, value, err);
}

static const char *shown(const struct value *value)
{
    struct buffer out = { 0 };

    json_write(&out, value);
    const char *text = arena_text(&arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

Test(body, is_understood_by_its_type)
{
    static const struct {
        const char *type, *body, *value;
    } cases[] = {
        { "", "", "{}" },
        { "application/json", "", "{}" },
        { "image/png", "", "{}" },
        { "", "{\"a\":1}", "{\"a\":1}" },
        { "", "\xef\xbb\xbf{\"a\":1}", "{\"a\":1}" },
        { "", "\xef\xbb\xbf", "{}" },
        { "application/json; charset=UTF-8", "[1]", "[1]" },
        { "Application/JSON;charset=\"utf-8\"", "7", "7" },
        { "application/vnd.api+json", "null", "null" },
        { "text/json", "true", "true" },
        { FORM, "approved=true&by=ann", "{\"approved\":\"true\",\"by\":\"ann\"}" },
        { FORM, "a=1+2%20%C3%A4&&b=", "{\"a\":\"1 2 \xc3\xa4\",\"b\":\"\"}" },
        { FORM "; charset=utf-8", "a=b=c", "{\"a\":\"b=c\"}" },
        { FORM, "{\"approved\": false}", "{\"approved\":false}" },
        { FORM, " [1, 2]", "[1,2]" },
        { FORM, "\"a=b\"", "\"a=b\"" },
        { FORM, "true", "true" },
        { FORM, "42", "42" },
        { "text/plain", "oops", "\"oops\"" },
        { "text/plain; charset=utf-8", "{\"a\":", "\"{\\\"a\\\":\"" },
        { "text/html", "\xef\xbb\xbf<b>", "\"<b>\"" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct value value;
        struct err err;
        bool ok = read_bytes(cases[i].type, "", slice_of(cases[i].body), &value, &err);
        cr_expect(ok, "%s as %s: %s", cases[i].body, cases[i].type, err.text);
        if (ok)
            cr_expect_str_eq(shown(&value), cases[i].value);
    }
}

Test(body, is_refused_when_it_is_not_understood)
{
    static const struct {
        const char *type, *body;
        int status;
    } cases[] = {
        { "", "{\"a\": ", 400 },
        { "", "oops", 400 },
        { "", "approved=true&by=ann", 400 },
        { "", "{\"a\":1} x", 400 },
        { "", " ", 400 },
        { "application/json", " \t\r\n", 400 },
        { FORM, " ", 400 },
        { ";;;", "{}", 415 },
        { "; charset=utf-8", "{}", 415 },
        { "", "\xef\xbb\xbf\xef\xbb\xbf{}", 400 },
        { FORM, "\xef\xbb\xbf\xef\xbb\xbf{}", 400 },
        { "text/plain", "\xef\xbb\xbf\xef\xbb\xbf", 400 },
        { "application/json", "\xff", 400 },
        { "application/json", "\xff\xfe{", 415 },
        { "application/json", "\xfe\xff", 415 },
        { "application/json; charset=utf-16", "{}", 415 },
        { "text/plain; charset=iso-8859-1", "a", 415 },
        { "text/plain", "\xe4", 400 },
        { FORM, "oops", 400 },
        { FORM, "{\"a\": ", 400 },
        { FORM, "{\"a\":1} x", 400 },
        { FORM, "{\"a\":1}&b=2", 400 },
        { FORM, "a=1&oops", 400 },
        { FORM, "a=1&a=2", 400 },
        { FORM, "a=%", 400 },
        { FORM, "a=%zz", 400 },
        { FORM, "a=%00", 400 },
        { FORM, "a=%ff", 400 },
        { "multipart/form-data; boundary=x", "--x", 415 },
        { "application/xml", "<a/>", 415 },
        { "application/octet-stream", "{}", 415 },
        { "nonsense", "{}", 415 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct value value;
        struct err err;
        cr_expect_not(read_bytes(cases[i].type, "", slice_of(cases[i].body), &value, &err),
                      "%s as %s", cases[i].body, cases[i].type);
        cr_expect_eq(err_status(err.code), cases[i].status, "%s as %s: %s", cases[i].body,
                     cases[i].type, err.text);
        cr_expect_gt(strlen(err.text), 10);
    }
}

Test(body, of_utf16_without_a_mark_and_with_zeroes_is_refused)
{
    struct value value;
    struct err err;

    cr_assert_not(
        read_bytes("application/json", "", (struct slice){ "{\0}\0", 4 }, &value, &err));
    cr_assert_eq(err_status(err.code), 400);
    cr_assert_not(read_bytes(FORM, "", (struct slice){ "a=\0b", 4 }, &value, &err));
    cr_assert_eq(err_status(err.code), 400);
}

/* ---- packed ------------------------------------------------------------------------------ */

static struct slice packed(struct slice text, int bits)
{
    z_stream stream = { 0 };
    char *out = arena_alloc(&arena, text.size + 1000);

    cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)text.data;
    stream.avail_in = (uInt)text.size;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)text.size + 1000;
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t size = stream.total_out;
    deflateEnd(&stream);
    return (struct slice){ out, size };
}

Test(body, is_unpacked)
{
    struct slice gzip = packed(SLICE("{\"a\":1}"), MAX_WBITS + 16);
    struct slice first = packed(SLICE("{\"a\""), MAX_WBITS + 16);
    struct slice second = packed(SLICE(":1}"), MAX_WBITS + 16);
    struct slice both = arena_format(&arena, "%*s", (int)(first.size + second.size), "");
    struct value value;
    struct err err;

    memcpy((char *)both.data, first.data, first.size);
    memcpy((char *)both.data + first.size, second.data, second.size);
    cr_assert(read_bytes("", "gzip", gzip, &value, &err), "%s", err.text);
    cr_assert_str_eq(shown(&value), "{\"a\":1}");
    cr_assert(read_bytes("", "X-GZIP", both, &value, &err), "%s", err.text);
    cr_assert_str_eq(shown(&value), "{\"a\":1}");
    cr_assert(read_bytes(FORM, "deflate", packed(SLICE("a=1"), MAX_WBITS), &value, &err));
    cr_assert_str_eq(shown(&value), "{\"a\":\"1\"}");
    cr_assert(read_bytes("", "identity", SLICE("1"), &value, &err));
    cr_assert(read_bytes("", "gzip", SLICE(""), &value, &err));
}

Test(body, that_is_packed_badly_is_refused)
{
    struct slice gzip = packed(SLICE("{\"a\":\"a longer text than that\"}"), MAX_WBITS + 16);
    struct slice tail = arena_format(&arena, "%*s", (int)gzip.size + 5, "");
    struct value value;
    struct err err;

    memcpy((char *)tail.data, gzip.data, gzip.size);
    for (size_t size = 1; size < gzip.size; size++) {
        cr_assert_not(read_bytes("", "gzip", (struct slice){ gzip.data, size }, &value, &err));
        cr_assert_eq(err_status(err.code), 400);
    }
    cr_assert_not(read_bytes("", "gzip", tail, &value, &err));
    cr_assert_not(read_bytes("", "gzip", SLICE("{\"a\":1}"), &value, &err));
    cr_assert_eq(err_status(err.code), 400);
    cr_assert_not(read_bytes("", "br", gzip, &value, &err));
    cr_assert_eq(err_status(err.code), 415);
    cr_assert_not(read_bytes("", "gzip, gzip", gzip, &value, &err));
    cr_assert_eq(err_status(err.code), 415);
    cr_assert_not(read_bytes("", "", gzip, &value, &err));
    cr_assert_eq(err_status(err.code), 400);
}

Test(body, that_swells_is_cut_at_the_limit)
{
    enum { SIZE = 64 << 20 };
    char *zeroes = calloc(1, SIZE);
    struct slice bomb = packed((struct slice){ zeroes, SIZE }, MAX_WBITS + 16);
    struct value value;
    struct err err;

    cr_assert_not(read_bytes("text/plain", "gzip", bomb, &value, &err));
    cr_assert_eq(err.code, ERR_TOO_LARGE);
    struct slice fits = packed((struct slice){ zeroes, 1 << 20 }, MAX_WBITS + 16);
    cr_assert(read_bytes("text/plain", "gzip", fits, &value, &err), "%s", err.text);
    cr_assert_eq(value.bytes.size, 1 << 20);
    struct slice over = packed((struct slice){ zeroes, (1 << 20) + 1 }, MAX_WBITS + 16);
    cr_assert_not(read_bytes("text/plain", "gzip", over, &value, &err));
    free(zeroes);
}

Test(body, forms_are_bounded)
{
    struct buffer form = { 0 };
    struct value value;
    struct err err;

    for (int i = 0; i < 1000; i++)
        buffer_format(&form, "n%d=1&", i);
    cr_assert(read_bytes(FORM, "", buffer_view(&form), &value, &err), "%s", err.text);
    cr_assert_eq(value.count, 1000);
    buffer_text(&form, "more=1");
    cr_assert_not(read_bytes(FORM, "", buffer_view(&form), &value, &err));
    buffer_finish(&form);
}
