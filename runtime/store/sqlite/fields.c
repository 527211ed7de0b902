#include "fields.h"

#include "base/id.h"

/* ---- the fields; a number is given once and for ever ---------------------------------------
 */

#define RUN_CREATED 1
#define RUN_ROOT    41
#define RUN_LANE    45

/* clang-format off */
#define RUN_COUNTS(X)                                                                          \
    X(2, status) X(3, outcome) X(4, seq) X(5, attempt) X(6, max_attempts) X(7, entry)          \
    X(8, depth) X(9, remaining) X(10, progress) X(11, log_lines) X(12, secrets)
#define RUN_NUMBERS(X) X(16, ttl_ms) X(17, priority_ms) X(18, limit_ms) X(19, busy_us)
#define RUN_FLAGS(X)                                                                           \
    X(24, is_test) X(25, needs_parent) X(26, due_is_span) X(27, has_tokens) X(28, is_out)
#define RUN_TIMES(X) X(32, rank_ms) X(33, updated_ms) X(34, started_ms)                \
    X(35, finished_ms) X(36, due_ms)
#define RUN_IDS(X) X(40, queue) X(42, id_block) X(43, parent_id) X(44, swept_id)
#define RUN_WORDS(X) X(48, segment) X(49, version) X(50, build) X(51, task)
#define RUN_BYTES(X)                                                                           \
    X(56, tags) X(57, metadata) X(58, error) X(59, wait) X(60, once) X(61, timeline)           \
    X(62, key) X(63, key_text) X(64, schema) X(65, schema_now) X(66, deaths)                   \
    X(67, concurrency_key)

#define WAITPOINT_CREATED 1
#define WAITPOINT_COUNTS(X) X(2, environment) X(3, kind) X(4, status) X(6, is_shared)
#define WAITPOINT_FLAGS(X) X(5, due_is_span)
#define WAITPOINT_TIMES(X)                                                                     \
    X(16, timeout_ms) X(17, completed_ms) X(18, key_expires_ms) X(19, due_ms)
#define WAITPOINT_IDS(X) X(24, run_id)
#define WAITPOINT_WORDS(X) X(32, task) X(33, schema)
#define WAITPOINT_BYTES(X) X(40, tags) X(41, key_text) X(42, secret)
/* clang-format on */

/* ---- writing ----------------------------------------------------------------------------- */

enum { FIELDS_MOST = 64, NUMBER_BYTES = 11 }; /* a tag and 64 bits, seven at a time */

static char *put_varint(char *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (char)(number | 0x80);
    *at++ = (char)number;
    return at;
}

/* `number` is the distance from something, or the thing itself. */
static char *put_number(char *at, unsigned tag, uint64_t number)
{
    *at++ = (char)(tag << 1);
    return put_varint(at, number << 1 ^ (number >> 63 == 0 ? 0 : UINT64_MAX));
}

static inline char *put(char *at, unsigned tag, int64_t value)
{
    return value == 0 ? at : put_number(at, tag, (uint64_t)value);
}

static inline char *put_from(char *at, unsigned tag, int64_t value, int64_t base)
{
    return value == 0 ? at : put_number(at, tag, (uint64_t)value - (uint64_t)base);
}

static char *put_bytes(char *at, unsigned tag, struct slice bytes)
{
    if (bytes.size == 0)
        return at;
    *at++ = (char)(tag << 1 | 1);
    at = put_varint(at, bytes.size);
    memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

void run_pack(struct buffer *out, const struct run *run, const struct run_words *words)
{
    size_t size = (size_t)FIELDS_MOST * NUMBER_BYTES;

#define X(tag, field) size += run->field.size;
    RUN_BYTES(X)
#undef X
    out->size = 0;
    char *at = buffer_reserve(out, size);
    if (run->created_ms != id_time_ms(run->id)) /* usual, and left out */
        at = put_number(at, RUN_CREATED,
                        (uint64_t)run->created_ms - (uint64_t)id_time_ms(run->id));
#define X(tag, field) at = put(at, tag, (int64_t)run->field);
    RUN_COUNTS(X)
    RUN_NUMBERS(X)
    RUN_FLAGS(X)
#undef X
#define X(tag, field) at = put_from(at, tag, run->field, run->created_ms);
    RUN_TIMES(X)
#undef X
#define X(tag, field) at = put_from(at, tag, run->field, run->id);
    RUN_IDS(X)
#undef X
    if (run->root_id != run->id) /* usually it is, and is left out */
        at = put_from(at, RUN_ROOT, run->root_id, run->id);
    if (run->lane != run->queue) /* it has a key */
        at = put_from(at, RUN_LANE, run->lane, run->id);
#define X(tag, field) at = put(at, tag, words->field);
    RUN_WORDS(X)
#undef X
#define X(tag, field) at = put_bytes(at, tag, run->field);
    RUN_BYTES(X)
#undef X
    out->size = (size_t)(at - out->data);
}

void waitpoint_pack(struct buffer *out, const struct waitpoint *waitpoint,
                    const struct waitpoint_words *words)
{
    size_t size = (size_t)FIELDS_MOST * NUMBER_BYTES;

#define X(tag, field) size += waitpoint->field.size;
    WAITPOINT_BYTES(X)
#undef X
    out->size = 0;
    char *at = buffer_reserve(out, size);
    if (waitpoint->created_ms != id_time_ms(waitpoint->id))
        at = put_number(at, WAITPOINT_CREATED,
                        (uint64_t)waitpoint->created_ms - (uint64_t)id_time_ms(waitpoint->id));
#define X(tag, field) at = put(at, tag, waitpoint->field);
    WAITPOINT_COUNTS(X)
    WAITPOINT_FLAGS(X)
#undef X
#define X(tag, field) at = put_from(at, tag, waitpoint->field, waitpoint->created_ms);
    WAITPOINT_TIMES(X)
#undef X
#define X(tag, field) at = put_from(at, tag, waitpoint->field, waitpoint->id);
    WAITPOINT_IDS(X)
#undef X
#define X(tag, field) at = put(at, tag, words->field);
    WAITPOINT_WORDS(X)
#undef X
#define X(tag, field) at = put_bytes(at, tag, waitpoint->field);
    WAITPOINT_BYTES(X)
#undef X
    out->size = (size_t)(at - out->data);
}

/* ---- reading ----------------------------------------------------------------------------- */

struct field {
    unsigned tag; /* with the low bit: is it bytes */
    uint64_t number;
    struct slice bytes;
};

static bool take_varint(struct slice *rest, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 64 && rest->size > 0; shift += 7) {
        unsigned char byte = (unsigned char)*rest->data;
        rest->data++;
        rest->size--;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* The field at the front of `rest`, which is not empty. */
static bool field_take(struct slice *rest, struct field *field)
{
    uint64_t number;

    field->tag = (unsigned char)*rest->data;
    rest->data++;
    rest->size--;
    if (!take_varint(rest, &number))
        return false;
    if ((field->tag & 1) == 0) {
        field->number = number >> 1 ^ (0 - (number & 1));
        return true;
    }
    if (number > rest->size)
        return false;
    field->bytes = (struct slice){ rest->data, (size_t)number };
    rest->data += number;
    rest->size -= (size_t)number;
    return true;
}

static int64_t from(const struct field *field, int64_t base)
{
    return (int64_t)((uint64_t)base + field->number);
}

static void run_field(const struct field *field, struct run *run, struct run_words *words)
{
    switch (field->tag) {
    case RUN_CREATED << 1:
        run->created_ms = from(field, run->created_ms);
        break;
    case RUN_ROOT << 1:
        run->root_id = from(field, run->id);
        break;
    case RUN_LANE << 1:
        run->lane = from(field, run->id);
        break;
#define X(tag, name)                         \
    case tag << 1:                           \
        run->name = (uint32_t)field->number; \
        break;
        RUN_COUNTS(X)
#undef X
#define X(tag, name)                        \
    case tag << 1:                          \
        run->name = (int64_t)field->number; \
        break;
        RUN_NUMBERS(X)
#undef X
#define X(tag, name)                    \
    case tag << 1:                      \
        run->name = field->number != 0; \
        break;
        RUN_FLAGS(X)
#undef X
#define X(tag, name)                              \
    case tag << 1:                                \
        run->name = from(field, run->created_ms); \
        break;
        RUN_TIMES(X)
#undef X
#define X(tag, name)                      \
    case tag << 1:                        \
        run->name = from(field, run->id); \
        break;
        RUN_IDS(X)
#undef X
#define X(tag, name)                          \
    case tag << 1:                            \
        words->name = (int64_t)field->number; \
        break;
        RUN_WORDS(X)
#undef X
#define X(tag, name)              \
    case tag << 1 | 1:            \
        run->name = field->bytes; \
        break;
        RUN_BYTES(X)
#undef X
    default: /* a newer version's */
        break;
    }
}

bool run_unpack(struct slice data, struct run *run, struct run_words *words)
{
    struct field field = { 0 };

    *words = (struct run_words){ 0 };
    run->created_ms = id_time_ms(run->id);
    run->root_id = run->id;
    while (data.size > 0) {
        if (!field_take(&data, &field))
            return false;
        run_field(&field, run, words);
    }
    if (run->lane == 0)
        run->lane = run->queue;
    return run->status < RUN_STATUS_COUNT && run->outcome < OUTCOME_COUNT;
}

static void waitpoint_field(const struct field *field, struct waitpoint *waitpoint,
                            struct waitpoint_words *words)
{
    switch (field->tag) {
    case WAITPOINT_CREATED << 1:
        waitpoint->created_ms = from(field, waitpoint->created_ms);
        break;
#define X(tag, name)                               \
    case tag << 1:                                 \
        waitpoint->name = (uint32_t)field->number; \
        break;
        WAITPOINT_COUNTS(X)
#undef X
#define X(tag, name)                          \
    case tag << 1:                            \
        waitpoint->name = field->number != 0; \
        break;
        WAITPOINT_FLAGS(X)
#undef X
#define X(tag, name)                                          \
    case tag << 1:                                            \
        waitpoint->name = from(field, waitpoint->created_ms); \
        break;
        WAITPOINT_TIMES(X)
#undef X
#define X(tag, name)                                  \
    case tag << 1:                                    \
        waitpoint->name = from(field, waitpoint->id); \
        break;
        WAITPOINT_IDS(X)
#undef X
#define X(tag, name)                          \
    case tag << 1:                            \
        words->name = (int64_t)field->number; \
        break;
        WAITPOINT_WORDS(X)
#undef X
#define X(tag, name)                    \
    case tag << 1 | 1:                  \
        waitpoint->name = field->bytes; \
        break;
        WAITPOINT_BYTES(X)
#undef X
    default: /* a newer version's */
        break;
    }
}

bool waitpoint_unpack(struct slice data, struct waitpoint *waitpoint,
                      struct waitpoint_words *words)
{
    struct field field = { 0 };

    *words = (struct waitpoint_words){ 0 };
    waitpoint->created_ms = id_time_ms(waitpoint->id);
    while (data.size > 0) {
        if (!field_take(&data, &field))
            return false;
        waitpoint_field(&field, waitpoint, words);
    }
    return waitpoint->status <= WAITPOINT_CANCELLED;
}
