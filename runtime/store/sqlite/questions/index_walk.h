/*
 * Lists: ids in order from one or several indexes, until enough rows match.
 *
 * A filter decides which indexes are walked (a task's runs, the waiting ones, the failed ones
 * …); all else is checked on the row. An id must be in each group of them: where one is far
 * ahead the others leap to it, so that the rarest sets the pace. A walk looks at LIST_LOOKS
 * rows at most, then the page ends where it stands, perhaps empty.
 */
#ifndef INDEX_WALK_H
#define INDEX_WALK_H

#include "store/reader.h"
#include "store/sqlite/sqlite_connection.h"

enum {
    LIST_LOOKS =
        1000, /* 3 to 8 us each: a page is answered within 10 ms whatever it asks for */
    LIST_MAX = 1000,
    STREAM_CHUNK = 128,
    STREAMS_MAX = 64,
    GROUPS_MAX = 16
};

/* Ids of one index range, a chunk at a time. */
struct stream {
    enum sql which; /* newest first; which + 1 is the other way */
    int64_t scope;  /* ?1 */
    int64_t ids[STREAM_CHUNK];
    uint32_t next, count, chunk;
    bool ended;
};

/* Several ranges merged, those of a group; and all groups have what is wanted. */
struct walk {
    struct connection *connection;
    struct stream *streams;
    uint32_t count;
    uint32_t ends[GROUPS_MAX]; /* each group's streams end there */
    uint32_t groups;
    int64_t lowest, highest; /* ids outside end the walk */
    bool upwards;            /* oldest first */
    bool sorts;              /* each chunk of all its ids: an index is not in their order */
    uint32_t looks;
    uint32_t looks_most; /* of a walk over all of them; 0: of a page, as many as usual */
};

/*
 * Times a filter by creation: ids carry a time too, the one at which their millisecond or their
 * block of ids was taken. It may be this much off the row's own; beyond it rows are not looked
 * at.
 */
enum { ID_SLACK_MS = 60000 };

void walk_init(struct walk *walk, struct connection *connection, struct stream *streams,
               int64_t from_ms, int64_t to_ms);
/* What is added from now on is another group; one without any range finds nothing. */
void walk_group(struct walk *walk);
/* The last group is taken back, as if it had not been asked for. */
void walk_ungroup(struct walk *walk);
/* To the last group. False when STREAMS_MAX would be exceeded. A range that is there already is
 * not added again. */
bool walk_add(struct walk *walk, enum sql which, int64_t scope);
/* A group of one range; none, when it is one too many. */
bool walk_only(struct walk *walk, enum sql which, int64_t scope);

/* What a walk looks for. `match` takes the row if it matches and says whether it did. */
struct target {
    void *context;
    bool (*match)(void *context, struct connection *connection, struct arena *arena, int64_t id,
                  void **row, struct err *err); /* *row is NULL when it does not match */
};

struct page {
    void **rows;
    uint32_t count;
    bool has_next, has_previous;
    int64_t next_after, previous_before;
};

/* Newest first; `before` wins over `after`, 0 is none. */
bool list_page(struct walk *walk, const struct target *target, struct arena *arena,
               uint32_t limit, int64_t after, int64_t before, struct page *page,
               struct err *err);

/* A group of the rows with one of the tags; false, and there is none, without tags, or when
 * they are more than fit. */
bool walk_tags(struct walk *walk, enum sql which, uint32_t environment,
               const struct slices *tags);

bool sqlite_runs(struct connection *connection, struct arena *arena,
                 const struct run_filter *filter, struct run_page *page, struct err *err);
bool sqlite_children(struct connection *connection, struct arena *arena, int64_t parent_id,
                     uint32_t limit, struct run_page *page, struct err *err);
bool sqlite_tokens(struct connection *connection, struct arena *arena,
                   const struct token_filter *filter, struct token_page *page, struct err *err);
bool sqlite_bulk_actions(struct connection *connection, struct arena *arena,
                         const struct bulk_filter *filter, struct bulk_page *page,
                         struct err *err);
bool sqlite_schedules(struct connection *connection, struct arena *arena, uint32_t environment,
                      struct slice name, uint32_t offset, uint32_t limit,
                      struct schedule_page *page, struct err *err);
bool sqlite_builds(struct connection *connection, struct arena *arena, struct build_row ***rows,
                   uint32_t *count, struct err *err);

#endif
