/* Tokens of a filter. */
#include "index_walk.h"
#include "store/sqlite/rows/record.h"

struct search {
    const struct token_filter *filter;
    struct arena scratch;
    struct stream streams[STREAMS_MAX];
};

static bool token_matches(struct search *search, const struct waitpoint *token)
{
    const struct token_filter *filter = search->filter;

    return token->kind == WAITPOINT_TOKEN &&
           (filter->environment == 0 || filter->environment == token->environment) &&
           (filter->statuses == 0 || (filter->statuses >> token->status & 1) != 0) &&
           (filter->from_ms == 0 || token->created_ms >= filter->from_ms) &&
           (filter->to_ms == 0 || token->created_ms <= filter->to_ms) &&
           (filter->key_text.size == 0 || slice_equal(filter->key_text, token->key_text)) &&
           (filter->tags.count == 0 ||
            list_has_any(&search->scratch, token->tags, &filter->tags));
}

static bool match(void *context, struct connection *connection, struct arena *arena, int64_t id,
                  void **row, struct err *err)
{
    struct waitpoint token, *copy = NULL;
    struct query query;
    bool found;

    *row = NULL;
    if (!query_start(&query, connection, kind_sql(ROW_WAITPOINT, KIND_FIND), err))
        return false;
    bind_int(&query, id);
    if (!query_row(&query, &found, err))
        return false;
    if (!found)
        return true;
    bool done = row_take(&query, ROW_WAITPOINT, &token.row, err);
    if (done && token_matches(context, &token)) {
        query.next = 0;
        query.arena = arena;
        copy = ARENA_NEW(arena, struct waitpoint);
        done = row_take(&query, ROW_WAITPOINT, &copy->row, err);
    }
    query_finish(&query);
    *row = copy;
    return done;
}

bool sqlite_tokens(struct connection *connection, struct arena *arena,
                   const struct token_filter *filter, struct token_page *page, struct err *err)
{
    struct search *search = ARENA_NEW(arena, struct search);
    struct target target = { search, match };
    struct page found = { 0 };
    struct walk walk;

    search->filter = filter;
    walk_init(&walk, connection, search->streams, filter->from_ms, filter->to_ms);
    bool is_found = walk_tags(&walk, SQL_TOKENS_TAG, filter->environment, &filter->tags);
    if (filter->statuses == 1u << WAITPOINT_PENDING && filter->environment != 0)
        is_found |= walk_only(&walk, SQL_TOKENS_PENDING, filter->environment);
    if (!is_found)
        (void)walk_only(&walk, SQL_TOKENS_ALL, 0);
    bool done = list_page(&walk, &target, arena, filter->limit, filter->after, filter->before,
                          &found, err);
    arena_finish(&search->scratch);
    *page =
        (struct token_page){ .rows = ARENA_ARRAY(arena, struct waitpoint *, found.count + 1),
                             .count = found.count,
                             .has_next = found.has_next,
                             .has_previous = found.has_previous,
                             .next_after = found.next_after,
                             .previous_before = found.previous_before };
    for (uint32_t i = 0; i < found.count; i++)
        page->rows[i] = found.rows[i];
    return done;
}
