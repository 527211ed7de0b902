#include "index_walk.h"

#include "base/id.h"
#include "engine/rows/labels.h"
#include "store/sqlite/rows/record.h"

void walk_init(struct walk *walk, struct connection *connection, struct stream *streams,
               int64_t from_ms, int64_t to_ms)
{
    *walk = (struct walk){ .connection = connection,
                           .streams = streams,
                           .lowest = from_ms == 0 ? 0 : id_floor(from_ms - ID_SLACK_MS),
                           .highest = to_ms == 0 || to_ms > INT64_MAX >> 24
                                          ? INT64_MAX - 1
                                          : id_floor(to_ms + ID_SLACK_MS) };
}

bool walk_add(struct walk *walk, enum sql which, int64_t scope)
{
    for (uint32_t i = 0; i < walk->count; i++)
        if (walk->streams[i].which == which && walk->streams[i].scope == scope)
            return true;
    if (walk->count == STREAMS_MAX)
        return false;
    walk->streams[walk->count++] = (struct stream){ .which = which, .scope = scope };
    return true;
}

/* Fill the stream's chunk with the ids beyond `from`. */
static bool stream_fill(const struct walk *walk, struct stream *stream, int64_t from,
                        struct err *err)
{
    struct query query;
    bool row = true;

    stream->next = stream->count = 0;
    if (!query_start(&query, walk->connection, stream->which + (walk->upwards ? 1u : 0u), err))
        return false;
    bind_int(&query, stream->scope);
    bind_int(&query, from);
    bind_int(&query, STREAM_CHUNK);
    while (row) {
        if (!query_row(&query, &row, err))
            return false;
        if (row)
            stream->ids[stream->count++] = take_int(&query);
    }
    stream->ended = stream->count < STREAM_CHUNK;
    return true;
}

/* The next id of all streams, 0 when there is none. */
static bool walk_next(struct walk *walk, int64_t *id, struct err *err)
{
    *id = 0;
    for (uint32_t i = 0; i < walk->count; i++) {
        struct stream *stream = &walk->streams[i];
        if (stream->next == stream->count && !stream->ended &&
            !stream_fill(walk, stream, stream->ids[STREAM_CHUNK - 1], err))
            return false;
        if (stream->next == stream->count)
            continue;
        int64_t other = stream->ids[stream->next];
        if (*id == 0 || (walk->upwards ? other < *id : other > *id))
            *id = other;
    }
    if (*id < walk->lowest || *id > walk->highest)
        *id = 0;
    /* A row may be in several, by one of its tags each. */
    for (uint32_t i = 0; *id != 0 && i < walk->count; i++) {
        struct stream *stream = &walk->streams[i];
        if (stream->next < stream->count && stream->ids[stream->next] == *id)
            stream->next++;
    }
    return true;
}

static bool walk_start(struct walk *walk, bool upwards, int64_t from, struct err *err)
{
    walk->upwards = upwards;
    walk->looks = 0;
    if (upwards && from < walk->lowest)
        from = walk->lowest - 1;
    if (!upwards && from > walk->highest)
        from = walk->highest + 1;
    for (uint32_t i = 0; i < walk->count; i++)
        if (!stream_fill(walk, &walk->streams[i], from, err))
            return false;
    return true;
}

/* Where a walk stopped. */
struct stop {
    bool more;    /* another row matches, or may */
    int64_t last; /* the last id that was looked at and is on this side of the stop */
};

/* Up to `limit` rows that match, in the walk's order. */
static bool walk_rows(struct walk *walk, const struct target *target, struct arena *arena,
                      uint32_t limit, void **rows, uint32_t *count, struct stop *stop,
                      struct err *err)
{
    int64_t id;
    void *row;

    *count = 0;
    stop->more = false;
    for (;;) {
        if (!walk_next(walk, &id, err))
            return false;
        if (id == 0)
            return true;
        if (walk->looks++ >= (walk->looks_most == 0 ? LIST_LOOKS : walk->looks_most)) {
            stop->more = true;
            return true;
        }
        if (!target->match(target->context, walk->connection, arena, id, &row, err))
            return false;
        if (row != NULL && *count == limit) {
            stop->more = true;
            return true;
        }
        if (row != NULL)
            rows[(*count)++] = row;
        stop->last = id;
    }
}

/* Is there a row beyond `from`? `cursor` is where a page that way starts. */
static bool walk_peek(struct walk *walk, const struct target *target, struct arena *arena,
                      bool upwards, int64_t from, bool *more, struct err *err)
{
    struct stop stop = { false, from };
    uint32_t count;

    if (!walk_start(walk, upwards, from, err) ||
        !walk_rows(walk, target, arena, 0, NULL, &count, &stop, err))
        return false;
    *more = stop.more;
    return true;
}

static void reverse(void **rows, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        void *other = rows[i];
        rows[i] = rows[count - 1 - i];
        rows[count - 1 - i] = other;
    }
}

/* The page nearest above `before`, shown newest first like any other. */
static bool page_before(struct walk *walk, const struct target *target, struct arena *arena,
                        uint32_t limit, int64_t before, struct page *page, struct err *err)
{
    struct stop stop = { false, before };

    if (!walk_start(walk, true, before, err) ||
        !walk_rows(walk, target, arena, limit, page->rows, &page->count, &stop, err))
        return false;
    reverse(page->rows, page->count);
    page->has_previous = stop.more;
    page->previous_before = stop.more ? stop.last : 0;
    page->next_after = before + 1; /* `before` itself is the first of the next page */
    if (!walk_peek(walk, target, arena, false, page->next_after, &page->has_next, err))
        return false;
    if (!page->has_next)
        page->next_after = 0;
    return true;
}

static bool page_after(struct walk *walk, const struct target *target, struct arena *arena,
                       uint32_t limit, int64_t after, struct page *page, struct err *err)
{
    int64_t from = after == 0 ? INT64_MAX : after;
    struct stop stop = { false, from };

    if (!walk_start(walk, false, from, err) ||
        !walk_rows(walk, target, arena, limit, page->rows, &page->count, &stop, err))
        return false;
    page->has_next = stop.more;
    page->next_after = stop.more ? stop.last : 0;
    if (after == 0 || walk->looks_most != 0)
        return true;
    if (!walk_peek(walk, target, arena, true, after - 1, &page->has_previous, err))
        return false;
    page->previous_before = page->has_previous ? after - 1 : 0;
    return true;
}

bool list_page(struct walk *walk, const struct target *target, struct arena *arena,
               uint32_t limit, int64_t after, int64_t before, struct page *page,
               struct err *err)
{
    if (limit > LIST_MAX)
        limit = LIST_MAX;
    *page = (struct page){ .rows = ARENA_ARRAY(arena, void *, limit + 1) };
    if (before != 0)
        return page_before(walk, target, arena, limit, before, page, err);
    return page_after(walk, target, arena, limit, after, page, err);
}

bool walk_tags(struct walk *walk, enum sql which, uint32_t environment,
               const struct slices *tags)
{
    if (environment == 0 || tags->count == 0)
        return false;
    for (uint32_t i = 0; i < tags->count; i++)
        if (!walk_add(walk, which, label_of_tag(environment, tags->items[i]))) {
            walk->count = 0;
            return false;
        }
    return true;
}
