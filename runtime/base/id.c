#include "id.h"

#include <assert.h>
#include <stdio.h>

enum { COUNTER_BITS = 22, DIGITS = 13 };

#define EPOCH_MS      INT64_C(1704067200000) /* 2024-01-01 */
#define COUNTER_LIMIT (1u << COUNTER_BITS)

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's, in order */

void id_source_init(struct id_source *source, uint64_t seed)
{
    *source = (struct id_source){ .limit = COUNTER_LIMIT,
                                  .random = seed == 0 ? 0x9e3779b97f4a7c15u : seed };
}

void id_source_node(struct id_source *source, uint32_t node)
{
    source->counter = source->first = node % ID_NODES * (COUNTER_LIMIT / ID_NODES);
    source->limit = source->first + COUNTER_LIMIT / ID_NODES;
}

void id_source_skip(struct id_source *source, int64_t last)
{
    int64_t at_ms = id_time_ms(last);
    uint32_t next = (uint32_t)(last & (COUNTER_LIMIT - 1)) + 1;

    /* Its counter may be another node's, or that of one that had this number before. */
    if (source->limit - source->first < COUNTER_LIMIT) {
        source->last_ms = at_ms >= source->last_ms ? at_ms + 1 : source->last_ms;
        return;
    }
    if (at_ms < source->last_ms || (at_ms == source->last_ms && next <= source->counter))
        return;
    source->last_ms = at_ms;
    source->counter = next;
}

static int64_t ids_take(struct id_source *source, int64_t now_ms, uint32_t count)
{
    if (now_ms < EPOCH_MS)
        now_ms = EPOCH_MS; /* a clock that was never set */
    if (now_ms > source->last_ms) {
        source->last_ms = now_ms;
        source->counter = source->first;
    }
    source->counter = (source->counter + count - 1) / count * count; /* blocks are aligned */
    if (source->counter + count > source->limit) {
        source->last_ms++; /* borrow from the next millisecond rather than wait for it */
        source->counter = source->first;
    }
    int64_t id =
        (int64_t)((uint64_t)(source->last_ms - EPOCH_MS) << COUNTER_BITS | source->counter);
    source->counter += count;
    return id;
}

int64_t id_next(struct id_source *source, int64_t now_ms)
{
    return ids_take(source, now_ms, 1);
}

int64_t id_next_block(struct id_source *source, int64_t now_ms)
{
    return ids_take(source, now_ms, ID_BLOCK);
}

int64_t id_next_many(struct id_source *source, int64_t now_ms, uint32_t count)
{
    assert(count > 0 && count <= ID_MANY);
    return ids_take(source, now_ms, count);
}

uint64_t id_random(struct id_source *source, uint64_t below)
{
    uint64_t x = source->random;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    source->random = x;
    return below == 0 ? 0 : (x * UINT64_C(2685821657736338717) >> 11) % below;
}

int64_t id_time_ms(int64_t id)
{
    return (id >> COUNTER_BITS) + EPOCH_MS;
}

int64_t id_floor(int64_t at_ms)
{
    if (at_ms <= EPOCH_MS)
        return 0;
    if (at_ms - EPOCH_MS > INT64_MAX >> COUNTER_BITS)
        return INT64_MAX; /* dates go further than ids */
    return (at_ms - EPOCH_MS) * COUNTER_LIMIT;
}

char *id_format(const char *prefix, int64_t id, char text[ID_TEXT_SIZE])
{
    size_t size = strlen(prefix);
    uint64_t rest = (uint64_t)id;

    assert(size + 1 + DIGITS < ID_TEXT_SIZE);
    memcpy(text, prefix, size);
    text[size] = '_';
    for (size_t i = DIGITS; i > 0; i--, rest >>= 5)
        text[size + i] = digits[rest & 31];
    text[size + 1 + DIGITS] = '\0';
    return text;
}

bool id_parse(const char *prefix, struct slice text, int64_t *id)
{
    size_t size = strlen(prefix);
    uint64_t value = 0;

    if (text.size != size + 1 + DIGITS || !slice_starts(text, prefix) || text.data[size] != '_')
        return false;
    for (size_t i = size + 1; i < text.size; i++) {
        const char *digit = memchr(digits, text.data[i], sizeof digits - 1);
        if (digit == NULL || value >> 58 != 0)
            return false;
        value = value << 5 | (uint64_t)(digit - digits);
    }
    *id = (int64_t)value;
    return true;
}
