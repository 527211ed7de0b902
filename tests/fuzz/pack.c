/* msgpack bytes from a plugin's process: a value that packs to itself, or an error. */
#include "codec/pack.h"

#include "codec/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice packed = { (const char *)data, size };
    struct arena arena = { 0 };
    struct buffer text = { 0 };
    struct value value, again;
    struct err err = { 0 };

    if (pack_read(&arena, packed, &value, &err)) {
        struct slice canonical = pack_value(&arena, &value);
        PROMISE(pack_read(&arena, canonical, &again, &err));
        PROMISE(value_equal(&value, &again));
        PROMISE(slice_equal(pack_value(&arena, &again), canonical));
    } else {
        PROMISE(err.text[0] != '\0');
    }
    json_write_packed(&text, packed);
    PROMISE(text.size > 0 && utf8_is_valid(buffer_view(&text)));
    buffer_finish(&text);
    arena_finish(&arena);
    return 0;
}
