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

enum { CHUNK_FIRST = 32, CHUNK_LEAP = 8 };

void walk_group(struct walk *walk)
{
    walk->ends[walk->groups++] = walk->count;
}

void walk_ungroup(struct walk *walk)
{
    walk->groups--;
    walk->count = walk->groups == 0 ? 0 : walk->ends[walk->groups - 1];
}

static struct stream *group_first(const struct walk *walk, uint32_t group)
{
    return walk->streams + (group == 0 ? 0 : walk->ends[group - 1]);
}

static struct stream *group_end(const struct walk *walk, uint32_t group)
{
    return walk->streams + walk->ends[group];
}

bool walk_add(struct walk *walk, enum sql which, int64_t scope)
{
    const struct stream *other = group_first(walk, walk->groups - 1);

    for (; other < group_end(walk, walk->groups - 1); other++)
        if (other->which == which && other->scope == scope)
            return true;
    if (walk->count == STREAMS_MAX)
        return false;
    walk->streams[walk->count++] = (struct stream){ .which = which, .scope = scope };
    walk->ends[walk->groups - 1] = walk->count;
    return true;
}

bool walk_only(struct walk *walk, enum sql which, int64_t scope)
{
    walk_group(walk);
    if (walk_add(walk, which, scope))
        return true;
    walk_ungroup(walk);
    return false;
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
    bind_int(&query, stream->chunk);
    while (row) {
        if (!query_row(&query, &row, err))
            return false;
        if (row)
            stream->ids[stream->count++] = take_int(&query);
    }
    stream->ended = stream->count < stream->chunk;
    return true;
}

/* Is `id` farther on than `than`? */
static bool is_beyond(const struct walk *walk, int64_t id, int64_t than)
{
    return walk->upwards ? id > than : id < than;
}

/* The next id of a group, 0 when there is none. */
static bool group_head(const struct walk *walk, uint32_t group, int64_t *id, struct err *err)
{
    *id = 0;
    for (struct stream *stream = group_first(walk, group); stream < group_end(walk, group);
         stream++) {
        if (stream->next == stream->count && !stream->ended) {
            int64_t last = stream->ids[stream->count - 1];
            stream->chunk = stream->chunk * 2 > STREAM_CHUNK ? STREAM_CHUNK : stream->chunk * 2;
            if (!stream_fill(walk, stream, last, err))
                return false;
        }
        if (stream->next < stream->count &&
            (*id == 0 || is_beyond(walk, *id, stream->ids[stream->next])))
            *id = stream->ids[stream->next];
    }
    return true;
}

/* Past all that comes before `id`. */
static bool stream_leap(const struct walk *walk, struct stream *stream, int64_t id,
                        struct err *err)
{
    while (stream->next < stream->count && is_beyond(walk, id, stream->ids[stream->next]))
        stream->next++;
    if (stream->next < stream->count || stream->ended)
        return true;
    stream->chunk = CHUNK_LEAP;
    return stream_fill(walk, stream, walk->upwards ? id - 1 : id + 1, err);
}

/* The farthest of the groups' next ids, and whether it is the next of all; 0: one has no more.
 */
static bool walk_heads(const struct walk *walk, int64_t *id, bool *is_common, struct err *err)
{
    int64_t head;

    *id = 0;
    *is_common = true;
    for (uint32_t group = 0; group < walk->groups; group++) {
        if (!group_head(walk, group, &head, err))
            return false;
        if (head == 0 || head < walk->lowest || head > walk->highest) {
            *id = 0;
            return true;
        }
        *is_common &= group == 0 || head == *id;
        if (group == 0 || is_beyond(walk, head, *id))
            *id = head;
    }
    return true;
}

static bool is_spent(struct walk *walk)
{
    return walk->looks++ >= (walk->looks_most == 0 ? LIST_LOOKS : walk->looks_most);
}

/* The next id of the walk, 0 when there is none; *spent: it ends before that one. */
static bool walk_next(struct walk *walk, int64_t *id, bool *spent, struct err *err)
{
    bool is_common;

    for (;;) {
        if (!walk_heads(walk, id, &is_common, err))
            return false;
        *spent = *id != 0 && is_spent(walk);
        if (*id == 0 || is_common || *spent)
            break;
        for (uint32_t i = 0; i < walk->count; i++)
            if (!stream_leap(walk, &walk->streams[i], *id, err))
                return false;
    }
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
    for (uint32_t i = 0; i < walk->count; i++) {
        struct stream *stream = &walk->streams[i];
        stream->chunk = walk->sorts ? STREAM_CHUNK : CHUNK_FIRST;
        if (!stream_fill(walk, stream, from, err))
            return false;
    }
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
    bool spent;
    int64_t id;
    void *row;

    *count = 0;
    stop->more = false;
    for (;;) {
        if (!walk_next(walk, &id, &spent, err))
            return false;
        if (id == 0)
            return true;
        if (spent) {
            stop->more = true;
            stop->last = walk->upwards ? id - 1 : id + 1; /* nothing before it matches */
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
    walk_group(walk);
    for (uint32_t i = 0; i < tags->count; i++)
        if (!walk_add(walk, which, label_of_tag(environment, tags->items[i]))) {
            walk_ungroup(walk);
            return false;
        }
    return true;
}
