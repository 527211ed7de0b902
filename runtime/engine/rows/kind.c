/* The descriptors, and what is done by them alone. */
#include "engine/rows/kind.h"

#include "engine/rows/build_row.h"
#include "engine/rows/bulk_action.h"
#include "engine/rows/minute.h"
#include "engine/rows/rows.h"
#include "engine/rows/schedule.h"

#include <string.h>

/* ---- fields ------------------------------------------------------------------------------ */

/* Where a number stands in a kind's `at`; those without one come behind. */
#define AT_OF(number, place) [(number) == 0 ? NUMBERS_MOST + (place) : (number)] = (place) + 1

#define PLACE(row, number, type, member) row##_at_##member,
#define FIELD(row, number, type, member)                                                     \
    { number, FIELD_##type, offsetof(struct row, member), sizeof(((struct row *)0)->member), \
      #member },
#define NUMBER(row, number, type, member) AT_OF(number, row##_at_##member),

#define BIT(row, member, condition)       | (field_set)(condition) << row##_at_##member
#define PACKED(row, number, type, member) BIT(row, member, (number) != 0)
#define WORD(row, number, type, member) \
    BIT(row, member, FIELD_##type == FIELD_WORD || FIELD_##type == FIELD_TASK)
#define BESIDE(row, number, type, member) BIT(row, member, FIELD_##type == FIELD_BESIDE)
#define SAME(row, number, type, member)   BIT(row, member, FIELD_##type == FIELD_SAME)

#define SUMS(row, number, type, member) \
    BIT(row, member, FIELD_##type == FIELD_SUM || FIELD_##type == FIELD_MOST)

#define DESCRIBE(FIELDS, row)                                              \
    enum { FIELDS(PLACE, row) row##_field_count };                         \
    static const struct row_field row##_fields[] = { FIELDS(FIELD, row) }; \
    static const uint8_t row##_at[NUMBERS_MOST + FIELDS_MOST] = { FIELDS(NUMBER, row) };

DESCRIBE(RUN_FIELDS, run)
DESCRIBE(WAITPOINT_FIELDS, waitpoint)
DESCRIBE(ENVIRONMENT_FIELDS, environment)
DESCRIBE(QUEUE_FIELDS, queue)
DESCRIBE(LANE_FIELDS, lane)
DESCRIBE(NODE_FIELDS, node)
DESCRIBE(GRANT_FIELDS, grant)
DESCRIBE(RATE_FIELDS, rate)
DESCRIBE(KEY_FIELDS, key)
DESCRIBE(EDGE_FIELDS, edge)
DESCRIBE(LOG_LINE_FIELDS, log_line)
DESCRIBE(MINUTE_FIELDS, queue_minute)
DESCRIBE(RUN_BATCH_FIELDS, run_batch)
DESCRIBE(BATCH_ITEM_FIELDS, batch_item)
DESCRIBE(SCHEDULE_FIELDS, schedule)
DESCRIBE(BULK_ACTION_FIELDS, bulk_action)
DESCRIBE(BUILD_FIELDS, build_row)

/* ---- indexes ----------------------------------------------------------------------------- */

static bool is_due_by(int64_t due_ms, bool is_span, bool wants_span, struct index_at *at)
{
    at->values[0] = due_ms;
    return due_ms != 0 && is_span == wants_span;
}

#define RUN(row)       ((const struct run *)(row))
#define WAITPOINT(row) ((const struct waitpoint *)(row))
#define INDEX(name, condition, ...)                              \
    static bool name(const struct row *row, struct index_at *at) \
    {                                                            \
        *at = (struct index_at){ { __VA_ARGS__ } };              \
        return condition;                                        \
    }

INDEX(at_parked, RUN(row)->status == RUN_PARKED, 0)
INDEX(at_running, RUN(row)->status == RUN_RUNNING, RUN(row)->queue, RUN(row)->lane)
INDEX(at_out, RUN(row)->is_out, RUN(row)->queue, RUN(row)->lane)
INDEX(at_task, row != NULL, 0)
INDEX(at_bulk, RUN(row)->bulk != 0, RUN(row)->bulk)
INDEX(at_parent, RUN(row)->parent_id != 0, RUN(row)->parent_id)
INDEX(at_schedule, RUN(row)->schedule != 0, RUN(row)->schedule)
INDEX(at_ready, RUN(row)->status == RUN_QUEUED, RUN(row)->queue, RUN(row)->lane,
      RUN(row)->rank_ms)
INDEX(at_schedule_due, ((const struct schedule *)row)->due_ms != 0,
      ((const struct schedule *)row)->due_ms)
INDEX(at_pending,
      WAITPOINT(row)->kind == WAITPOINT_TOKEN && WAITPOINT(row)->status == WAITPOINT_PENDING,
      WAITPOINT(row)->environment)
/* A token that ends with the run that made it. */
INDEX(at_made,
      WAITPOINT(row)->status == WAITPOINT_PENDING && WAITPOINT(row)->run_id != 0 &&
          WAITPOINT(row)->is_shared == 0,
      WAITPOINT(row)->run_id)

static bool at_place(const struct row *row, struct index_at *at)
{
    const struct run *run = RUN(row);
    bool is_ended = run->status == RUN_DONE && run->outcome > OUTCOME_COMPLETED;

    at->values[0] = is_ended ? (run->is_dead ? PLACE_DEAD : PLACE_ENDED) + (int64_t)run->outcome
                    : run_is_paused(run) ? PLACE_PAUSED
                                         : (int64_t)run->status;
    return is_ended || run->status == RUN_DELAYED || run->status == RUN_WAITING;
}

#define DUE_INDEX(name, type, wants_span)                                \
    static bool name(const struct row *row, struct index_at *at)         \
    {                                                                    \
        const struct type *due = (const struct type *)row;               \
        return is_due_by(due->due_ms, due->due_is_span, wants_span, at); \
    }

DUE_INDEX(at_run_due, run, false)

static bool at_run_span(const struct row *row, struct index_at *at)
{
    at->values[0] = row_due(ROW_RUN, row, true);
    return at->values[0] != 0;
}

DUE_INDEX(at_waitpoint_due, waitpoint, false)
DUE_INDEX(at_waitpoint_span, waitpoint, true)
DUE_INDEX(at_queue_due, queue, false)
DUE_INDEX(at_queue_span, queue, true)
DUE_INDEX(at_environment_due, environment, false)
DUE_INDEX(at_environment_span, environment, true)
DUE_INDEX(at_batch_due, run_batch, false)
DUE_INDEX(at_batch_span, run_batch, true)
DUE_INDEX(at_bulk_due, bulk_action, false)
DUE_INDEX(at_bulk_span, bulk_action, true)

static const struct row_index run_indexes[] = {
    { "run_ready", "ready run", { "queue", "lane", "rank_ms" }, .at = at_ready },
    { "run_running", "running run", { "queue", "lane" }, .at = at_running },
    { "run_out", "run that is out", { "queue", "lane" }, .at = at_out },
    { "run_place", "place of run", { "place" }, .at = at_place },
    { "run_parked", "parked run", { "task" }, &run_fields[run_at_task], .at = at_parked },
    { "run_task", "task of run", { "task" }, &run_fields[run_at_task], .at = at_task },
    { "run_parent", "parent of run", { "parent_id" }, .at = at_parent },
    { "run_due", "due run", { "due_ms" }, .at = at_run_due },
    { "run_span", "due run", { "due_ms" }, .at = at_run_span },
    { "run_bulk", "run of bulk action", { "bulk_id" }, .at = at_bulk },
    { "run_schedule", "run of schedule", { "schedule" }, .at = at_schedule },
    { "run_tag",
      "tag of run",
      { "tag" },
      .tags = &run_fields[run_at_tags],
      .members = &run_fields[run_at_metadata] },
};

static const struct row_index waitpoint_indexes[] = {
    { "waitpoint_pending", "pending token", { "environment" }, .at = at_pending },
    { "waitpoint_made", "token of run", { "run_id" }, .at = at_made },
    { "waitpoint_due", "due waitpoint", { "due_ms" }, .at = at_waitpoint_due },
    { "waitpoint_span", "due waitpoint", { "due_ms" }, .at = at_waitpoint_span },
    { "waitpoint_tag",
      "tag of token",
      { "tag" },
      .tags = &waitpoint_fields[waitpoint_at_tags] },
};

static const struct row_index queue_indexes[] = {
    { "queue_due", "due queue", { "due_ms" }, .at = at_queue_due },
    { "queue_span", "due queue", { "due_ms" }, .at = at_queue_span },
};

static const struct row_index environment_indexes[] = {
    { "environment_due", "due environment", { "due_ms" }, .at = at_environment_due },
    { "environment_span", "due environment", { "due_ms" }, .at = at_environment_span },
};

static const struct row_index run_batch_indexes[] = {
    { "batch_due", "due batch", { "due_ms" }, .at = at_batch_due },
    { "batch_span", "due batch", { "due_ms" }, .at = at_batch_span },
};

static const struct row_index schedule_indexes[] = {
    { "schedule_due", "due schedule", { "due_ms" }, .at = at_schedule_due },
};

static const struct row_index bulk_action_indexes[] = {
    { "bulk_action_due", "due bulk action", { "due_ms" }, .at = at_bulk_due },
    { "bulk_action_span", "due bulk action", { "due_ms" }, .at = at_bulk_span },
};

/* ---- kinds ------------------------------------------------------------------------------- */

static int64_t run_also_due(const struct row *row)
{
    return run_total_due(RUN(row));
}

static bool run_is_sound(const struct row *row)
{
    return RUN(row)->status < RUN_STATUS_COUNT && RUN(row)->outcome < OUTCOME_COUNT;
}

static bool waitpoint_is_sound(const struct row *row)
{
    return WAITPOINT(row)->status <= WAITPOINT_FAILED;
}

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
/* Durable is what stands from `first` to `end`. */
#define KIND_OF(FIELDS, row, first, end)                                          \
    .size = sizeof(struct row), .from = offsetof(struct row, first), .to = (end), \
    .fields = row##_fields, .at = row##_at, .field_count = row##_field_count,     \
    .packed = 0 FIELDS(PACKED, row), .words = 0 FIELDS(WORD, row),                \
    .beside = 0 FIELDS(BESIDE, row), .same = 0 FIELDS(SAME, row), .sums = 0 FIELDS(SUMS, row)

const struct kind row_kinds[ROW_KINDS] = {
    [ROW_RUN] = { "run", "run_id", KIND_OF(RUN_FIELDS, run, id, offsetof(struct run, input)),
                  .key_fields = 1, .is_locked = true, .is_packed = true,
                  .parts = &run_fields[run_at_input], .part_count = 5, .indexes = run_indexes,
                  .index_count = COUNT_OF(run_indexes), .due = &run_fields[run_at_due_ms],
                  .due_is_span = &run_fields[run_at_due_is_span], .also_due = run_also_due,
                  .environment = &run_fields[run_at_environment], .is_sound = run_is_sound },
    [ROW_WAITPOINT] = { "waitpoint", "waitpoint_id",
                        KIND_OF(WAITPOINT_FIELDS, waitpoint, id, sizeof(struct waitpoint)),
                        .key_fields = 1, .is_locked = true, .is_packed = true,
                        .indexes = waitpoint_indexes,
                        .index_count = COUNT_OF(waitpoint_indexes),
                        .due = &waitpoint_fields[waitpoint_at_due_ms],
                        .due_is_span = &waitpoint_fields[waitpoint_at_due_is_span],
                        .environment = &waitpoint_fields[waitpoint_at_environment],
                        .is_sound = waitpoint_is_sound },
    [ROW_ENVIRONMENT] = { "environment", "number",
                          KIND_OF(ENVIRONMENT_FIELDS, environment, number,
                                  sizeof(struct environment)),
                          .key_fields = 1, .is_locked = true, .indexes = environment_indexes,
                          .index_count = COUNT_OF(environment_indexes),
                          .due = &environment_fields[environment_at_due_ms],
                          .due_is_span = &environment_fields[environment_at_due_is_span] },
    [ROW_QUEUE] = { "queue", "queue", KIND_OF(QUEUE_FIELDS, queue, id, sizeof(struct queue)),
                    .key_fields = 1, .is_locked = true, .indexes = queue_indexes,
                    .index_count = COUNT_OF(queue_indexes),
                    .due = &queue_fields[queue_at_due_ms],
                    .due_is_span = &queue_fields[queue_at_due_is_span],
                    .scope = &queue_fields[queue_at_environment],
                    .title = &queue_fields[queue_at_name] },
    [ROW_LANE] = { "lane", "lane", KIND_OF(LANE_FIELDS, lane, id, sizeof(struct lane)),
                   .key_fields = 1, .is_locked = true, .scope = &lane_fields[lane_at_queue],
                   .title = &lane_fields[lane_at_key] },
    [ROW_NODE] = { "node", "number", KIND_OF(NODE_FIELDS, node, number, sizeof(struct node)),
                   .key_fields = 1 },
    [ROW_GRANT] = { "limit_grant", "scope",
                    KIND_OF(GRANT_FIELDS, grant, scope, sizeof(struct grant)),
                    .key_fields = 1 },
    [ROW_RATE] = { "rate", "scope", KIND_OF(RATE_FIELDS, rate, scope, sizeof(struct rate)),
                   .key_fields = 1 },
    [ROW_KEY] = { "idempotency", "hash", KIND_OF(KEY_FIELDS, key, hash, sizeof(struct key)),
                  .key_fields = 1, .is_locked = true },
    [ROW_EDGE] = { "edge", "waitpoint_id",
                   KIND_OF(EDGE_FIELDS, edge, waitpoint_id, offsetof(struct edge, next)),
                   .key_fields = 2, .again = AGAIN_IGNORED },
    [ROW_LOG_LINE] = { "log_line", "run_id",
                       KIND_OF(LOG_LINE_FIELDS, log_line, run_id,
                               offsetof(struct log_line, keeps)),
                       .key_fields = 2, .again = AGAIN_REPLACES },
    [ROW_QUEUE_MINUTE] = { "queue_minute", "minute",
                           KIND_OF(MINUTE_FIELDS, queue_minute, minute,
                                   sizeof(struct queue_minute)),
                           .key_fields = 3, .again = AGAIN_ADDS },
    [ROW_BATCH] = { "batch", "batch_id",
                    KIND_OF(RUN_BATCH_FIELDS, run_batch, id, sizeof(struct run_batch)),
                    .key_fields = 1, .is_locked = true, .is_packed = true,
                    .indexes = run_batch_indexes, .index_count = COUNT_OF(run_batch_indexes),
                    .due = &run_batch_fields[run_batch_at_due_ms],
                    .due_is_span = &run_batch_fields[run_batch_at_due_is_span] },
    [ROW_BATCH_ITEM] = { "batch_item", "item_id",
                         KIND_OF(BATCH_ITEM_FIELDS, batch_item, id, sizeof(struct batch_item)),
                         .key_fields = 1, .is_locked = true, .is_packed = true },
    [ROW_SCHEDULE] = { "schedule", "schedule_id",
                       KIND_OF(SCHEDULE_FIELDS, schedule, id, sizeof(struct schedule)),
                       .key_fields = 1, .is_locked = true, .indexes = schedule_indexes,
                       .index_count = COUNT_OF(schedule_indexes),
                       .due = &schedule_fields[schedule_at_due_ms],
                       .scope = &schedule_fields[schedule_at_environment],
                       .title = &schedule_fields[schedule_at_name] },
    [ROW_BULK_ACTION] = { "bulk_action", "bulk_id",
                          KIND_OF(BULK_ACTION_FIELDS, bulk_action, id,
                                  sizeof(struct bulk_action)),
                          .key_fields = 1, .is_locked = true, .is_packed = true,
                          .indexes = bulk_action_indexes,
                          .index_count = COUNT_OF(bulk_action_indexes),
                          .due = &bulk_action_fields[bulk_action_at_due_ms],
                          .due_is_span = &bulk_action_fields[bulk_action_at_due_is_span] },
    [ROW_BUILD] = { "build", "build",
                    KIND_OF(BUILD_FIELDS, build_row, id, sizeof(struct build_row)),
                    .key_fields = 1, .is_locked = true },
};

/* ---- values ------------------------------------------------------------------------------ */

void row_set_number(struct row *row, const struct row_field *field, int64_t number)
{
    void *at = row_at(row, field);

    if (field->type == FIELD_FLAG)
        *(bool *)at = number != 0;
    else if (field->size == sizeof(uint32_t))
        *(uint32_t *)at = (uint32_t)number;
    else
        *(int64_t *)at = number;
}

void row_set_slice(struct row *row, const struct row_field *field, struct slice slice)
{
    if (field->type != FIELD_RAW)
        *(struct slice *)row_at(row, field) = slice;
    else if (slice.size == field->size) /* else damaged: it stays zero */
        memcpy(row_at(row, field), slice.data, slice.size);
}

/* ---- rows -------------------------------------------------------------------------------- */

int row_order(enum row_kind kind, const struct row *a, const struct row *b)
{
    for (int i = 0; i < row_kinds[kind].key_fields; i++) {
        const struct row_field *field = &row_kinds[kind].fields[i];
        int64_t left = row_number(a, field), right = row_number(b, field);
        int order =
            field->type == FIELD_RAW ? memcmp(row_at(a, field), row_at(b, field), field->size)
            : field_is_slice(field)  ? slice_compare(row_slice(a, field), row_slice(b, field))
                                     : (left > right) - (left < right);
        if (order != 0)
            return order;
    }
    return 0;
}

struct row *row_copy(enum row_kind kind, struct arena *arena, const struct row *row,
                     uint32_t parts)
{
    const struct kind *is = &row_kinds[kind];
    struct row *copy = arena_alloc(arena, is->size);

    memcpy(copy, row, is->size);
    for (int i = 0; i < is->field_count; i++) {
        const struct row_field *field = &is->fields[i];
        if (!field_is_slice(field))
            continue;
        struct slice slice = row_slice(row, field);
        bool is_kept = field->type != FIELD_PART || (parts >> (field - is->parts) & 1) != 0;
        row_set_slice(copy, field,
                      slice.size > 0 && is_kept ? arena_copy(arena, slice)
                                                : (struct slice){ 0 });
    }
    return copy;
}

bool row_same(enum row_kind kind, const struct row *a, const struct row *b,
              const struct row_field **field)
{
    const struct kind *is = &row_kinds[kind];

    for (int i = 0; i < is->field_count; i++) {
        *field = &is->fields[i];
        if ((*field)->type != FIELD_PART &&
            (row_number(a, *field) != row_number(b, *field) ||
             !slice_equal(row_slice(a, *field), row_slice(b, *field))))
            return false;
    }
    return true;
}

bool row_is_changed(enum row_kind kind, const struct row *row)
{
    const struct kind *is = &row_kinds[kind];

    return row->loaded == NULL || row->is_deleted || row->dirty_parts != 0 ||
           memcmp((const char *)row + is->from, (const char *)row->loaded + is->from,
                  (size_t)(is->to - is->from)) != 0;
}

bool row_is_guarded(enum row_kind kind, const struct row *row)
{
    const struct kind *is = &row_kinds[kind];

    if (row->loaded == NULL || row->is_deleted || row->dirty_parts != 0)
        return true;
    for (int i = 0; i < is->field_count; i++) {
        const struct row_field *field = &is->fields[i];
        if ((is->sums >> i & 1) == 0 &&
            memcmp(row_at(row, field), row_at(row->loaded, field), field->size) != 0)
            return true;
    }
    return false;
}

int64_t row_due(enum row_kind kind, const struct row *row, bool is_span)
{
    const struct kind *is = &row_kinds[kind];

    bool goes_by_span = is->due_is_span != NULL && row_number(row, is->due_is_span) != 0;
    int64_t due_ms = is->due != NULL && goes_by_span == is_span ? row_number(row, is->due) : 0;
    int64_t also_ms = is_span && is->also_due != NULL ? is->also_due(row) : 0;

    return also_ms != 0 && (due_ms == 0 || also_ms < due_ms) ? also_ms : due_ms;
}

bool row_index_at(const struct row_index *index, const struct row *row, struct index_at *at)
{
    *at = (struct index_at){ { 0 } };
    return row != NULL && index->at != NULL && index->at(row, at);
}
