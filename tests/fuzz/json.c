/* What is read is written, and what is written reads back as the same value; through msgpack,
 * too. */
#include "codec/json.h"

#include "codec/pack.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = { 0 };
    struct buffer text = { 0 };
    struct value value, again;
    struct err err = { 0 };

    if (json_read(&arena, (struct slice){ (const char *)data, size }, &value, &err)) {
        json_write(&text, &value);
        PROMISE(utf8_is_valid(buffer_view(&text)));
        PROMISE(json_read(&arena, buffer_view(&text), &again, &err));
        PROMISE(value_equal(&value, &again));
        text.size = 0;
        json_write_pretty(&text, &value);
        PROMISE(json_read(&arena, buffer_view(&text), &again, &err));
        PROMISE(value_equal(&value, &again));
        PROMISE(pack_read(&arena, pack_value(&arena, &value), &again, &err));
        PROMISE(value_equal(&value, &again));
    } else {
        PROMISE(err.text[0] != '\0');
    }
    buffer_finish(&text);
    arena_finish(&arena);
    return 0;
}
