/*
 * Requests on a connection. However the bytes are cut into pieces, they are read as the same
 * messages; what is read has no byte in its head that two parsers might read differently; and
 * what is refused says why.
 */
#include "http/server/message.h"

#include "fuzz.h"

enum { MOST = 2048 };

struct reading {
    struct buffer text; /* what was read, as it would be told to a route */
    struct refusal refusal;
};

static bool take(void *context, struct slice piece)
{
    struct reading *reading = context;

    buffer_slice(&reading->text, piece);
    return true;
}

static void head_write(struct reading *reading, const struct head *head)
{
    static char space[] = " ", line[] = "\n";

    PROMISE(head->method.size > 0 && head->target.size > 0);
    PROMISE(!(head->is_chunked && head->length > 0));
    buffer_slice(&reading->text, head->method);
    buffer_text(&reading->text, space);
    buffer_slice(&reading->text, head->target);
    for (uint32_t i = 0; i < head->header_count; i++) {
        struct slice name = head->headers[i].name, value = head->headers[i].value;
        PROMISE(name.size > 0);
        for (size_t k = 0; k < value.size; k++)
            PROMISE((unsigned char)value.data[k] >= ' ' || value.data[k] == '\t');
        buffer_text(&reading->text, line);
        buffer_slice(&reading->text, name);
        buffer_text(&reading->text, space);
        buffer_slice(&reading->text, value);
    }
    buffer_text(&reading->text, line);
}

/* A whole message, or what there is of it. Returns its bytes; 0: no more can be read. */
static size_t message_read(struct reading *reading, struct slice bytes, size_t piece)
{
    static struct head head;
    struct message message;
    size_t size = 0, shown = 0, at;

    message_init(&message);
    while (size == 0 && reading->refusal.status == 0) {
        if (shown == bytes.size)
            return 0;
        shown = bytes.size - shown < piece ? bytes.size : shown + piece;
        size = message_find(&message, (struct slice){ bytes.data, shown }, MOST,
                            &reading->refusal);
        PROMISE(size <= shown && size <= MOST);
    }
    if (size == 0 ||
        !message_head(&message, (struct slice){ bytes.data, size }, &head, &reading->refusal))
        return 0;
    head_write(reading, &head);
    for (at = size; !message.is_whole && at < bytes.size && reading->refusal.status == 0;) {
        size_t left = bytes.size - at < piece ? bytes.size - at : piece;
        size_t used = message_body(&message, (struct slice){ bytes.data + at, left }, take,
                                   reading, MOST, &reading->refusal);
        PROMISE(used == left || message.is_whole || reading->refusal.status != 0);
        at += used;
    }
    return message.is_whole && reading->refusal.status == 0 ? at : 0;
}

static void read_all(struct reading *reading, struct slice bytes, size_t piece)
{
    size_t size;

    while (bytes.size > 0 && (size = message_read(reading, bytes, piece)) > 0)
        bytes = (struct slice){ bytes.data + size, bytes.size - size };
    PROMISE(reading->refusal.status == 0 || reading->refusal.text != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reading whole = { { 0 }, { 0 } }, cut = { { 0 }, { 0 } };
    size_t piece = size > 0 ? 1 + data[0] % 16 : 1;

    if (size < 1)
        return 0;
    read_all(&whole, (struct slice){ (const char *)data + 1, size - 1 }, SIZE_MAX);
    read_all(&cut, (struct slice){ (const char *)data + 1, size - 1 }, piece);
    /* A body's last pieces may have been taken before what is wrong behind them was seen. */
    PROMISE(whole.refusal.status == cut.refusal.status);
    PROMISE(whole.refusal.status != 0 ||
            slice_equal(buffer_view(&whole.text), buffer_view(&cut.text)));
    buffer_finish(&whole.text);
    buffer_finish(&cut.text);
    return 0;
}
