/* Bulk actions of an environment. */
#include "index_walk.h"
#include "store/sqlite/rows/record.h"

static bool match(void *context, struct connection *connection, struct arena *arena, int64_t id,
                  void **row, struct err *err)
{
    const struct bulk_filter *filter = context;
    struct bulk_action *bulk = ARENA_NEW(arena, struct bulk_action);
    bool found;

    *row = NULL;
    if (!row_find(connection, arena, ROW_BULK_ACTION, id, &bulk->row, &found, err))
        return false;
    if (found && filter->environment == bulk->environment)
        *row = bulk;
    return true;
}

bool sqlite_bulk_actions(struct connection *connection, struct arena *arena,
                         const struct bulk_filter *filter, struct bulk_page *page,
                         struct err *err)
{
    struct bulk_filter copy = *filter;
    struct target target = { &copy, match };
    struct page found = { 0 };
    struct stream stream;
    struct walk walk;

    walk_init(&walk, connection, &stream, 0, 0);
    (void)walk_only(&walk, SQL_BULK_ALL, 0);
    bool done = list_page(&walk, &target, arena, filter->limit, filter->after, filter->before,
                          &found, err);
    *page =
        (struct bulk_page){ .rows = ARENA_ARRAY(arena, struct bulk_action *, found.count + 1),
                            .count = found.count,
                            .has_next = found.has_next,
                            .has_previous = found.has_previous,
                            .next_after = found.next_after,
                            .previous_before = found.previous_before };
    for (uint32_t i = 0; i < found.count; i++)
        page->rows[i] = found.rows[i];
    return done;
}
