/*
 * A bulk action goes on: some runs in a batch, and a pause in which others have their turn.
 *
 *   the next runs that match (the store) ─▶ each is canceled, or triggered again ─▶ cursor
 *
 * What becomes of a run, and that it was looked at, is one transaction.
 */
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/bulk/bulk.h"

enum {
    BITE_CANCEL = 100, /* runs in one batch; */
    BITE_REPLAY = 50,
    LOOKS = 2000,  /* rows to look at for them */
    PAUSE_MS = 10, /* between two bites */
    STARTING_MS = 500,
    NO_ROOM_MS = 10000,
    WHY_BYTES = 300 /* of a failure */
};

/* ---- what became of it ------------------------------------------------------------------- */

static void failure_add(struct batch *batch, struct bulk_action *bulk, int64_t id,
                        struct slice why)
{
    struct value list = value_list(), item = value_list();

    if (bulk->failed++ >= BULK_FAILURES_MOST)
        return;
    if (bulk->failures.size > 0)
        (void)pack_read(batch->arena, bulk->failures, &list, NULL); /* else a new one begins */
    if (why.size > WHY_BYTES)
        for (why.size = WHY_BYTES; (why.data[why.size] & 0xc0) == 0x80;)
            why.size--; /* not within a character */
    value_add(batch->arena, &item, value_int(id));
    value_add(batch->arena, &item, value_string(why));
    value_add(batch->arena, &list, item);
    bulk->failures = pack_value(batch->arena, &list);
}

static struct slice reason(struct batch *batch, const struct bulk_action *bulk)
{
    char id[ID_TEXT_SIZE];

    return arena_format(batch->arena, "bulk action %s%s%.*s", id_format("bulk", bulk->id, id),
                        bulk->why.size > 0 ? ": " : "", SLICE_ARG(bulk->why));
}

static struct slice error_text(struct batch *batch, const struct command *command)
{
    const struct problem *first = command->problems == NULL ? NULL : command->problems->first;

    return first == NULL ? arena_format(batch->arena, "%s", command->err.text)
                         : arena_format(batch->arena, "%s: %.*s", command->err.text,
                                        SLICE_ARG(first->message));
}

/* ---- one run ----------------------------------------------------------------------------- */

static void cancel_one(struct batch *batch, struct bulk_action *bulk, struct run *run)
{
    if (run_has_ended(run)) {
        bulk->unchanged++;
        return;
    }
    run->why = reason(batch, bulk);
    run->bulk = bulk->id;
    batch_ids_add(batch, &batch->canceled, run->id);
    bulk->done++;
}

/* As a client's replay: http/api/replay_route.c. */
static struct command *replay_command(struct batch *batch, const struct bulk_action *bulk,
                                      const struct run *run, const struct queue *queue)
{
    struct command *command = ARENA_NEW(batch->arena, struct command);

    *command = (struct command){
        .kind = COMMAND_TRIGGER,
        .arena = batch->arena,
        .trigger = { .environment = bulk->environment,
                     .task = run->task,
                     .payload = run->input,
                     .items = run->collected,
                     .queue = queue == NULL ? (struct slice){ 0 } : queue->name,
                     .concurrency_key = run->concurrency_key,
                     .tags = run->tags,
                     .metadata = run->metadata,
                     .is_test = run->is_test,
                     .unchecked = true,
                     .bulk = bulk->id,
                     .replayed = run->id,
                     .note = reason(batch, bulk) },
    };
    return command;
}

static bool replay_load(struct batch *batch, const struct bulk_action *bulk, int64_t id,
                        struct command **command)
{
    struct queue *queue;
    struct run *run;

    *command = NULL;
    if (!rows_run(&batch->rows, id, PART_INPUT, &run))
        return false;
    if (run == NULL)
        return true;
    if (!rows_queue(&batch->rows, run->queue, &queue))
        return false;
    *command = replay_command(batch, bulk, run, queue);
    return true;
}

/* False: more rows are needed. *is_later: there is no room now. */
static bool replay_one(struct batch *batch, struct bulk_action *bulk, const struct run *run,
                       bool *is_later)
{
    struct command *command;

    if (!replay_load(batch, bulk, run->id, &command) || !trigger_decide(batch, command))
        return false;
    *is_later = command->err.code == ERR_STORE;
    if (*is_later)
        return true;
    if (command->err.code == ERR_OK)
        bulk->done++;
    else
        failure_add(batch, bulk, run->id, error_text(batch, command));
    return true;
}

static bool run_do(struct batch *batch, struct bulk_action *bulk, int64_t id, bool *is_later)
{
    struct run *run;

    if (!rows_run(&batch->rows, id, 0, &run))
        return false;
    if (run == NULL || run->environment != bulk->environment)
        failure_add(batch, bulk, id, SLICE("Run not found"));
    else if (bulk->what == BULK_CANCEL)
        cancel_one(batch, bulk, run);
    else if (run->bulk != bulk->id) /* else it is one of those that it has made */
        return replay_one(batch, bulk, run, is_later);
    return true;
}

/* ---- a bite ------------------------------------------------------------------------------ */

/* The runs of this batch, as it found the row: what it has done of them already is not asked
 * for again. */
struct bite {
    int64_t *ids;
    uint32_t count;
    int64_t next; /* of a filter: go on below it; 0: that is all */
    bool is_end;
};

static uint32_t bite_size(const struct batch *batch, const struct bulk_action *bulk)
{
    uint32_t most = bulk->what == BULK_CANCEL ? BITE_CANCEL : BITE_REPLAY;
    uint32_t steps = batch->catalog->limits.steps;

    return steps > 0 && steps < most ? steps : most;
}

static bool bite_select(struct batch *batch, const struct bulk_action *bulk,
                        const struct bulk_action *was, struct bite *bite)
{
    struct run_filter *filter = ARENA_NEW(batch->arena, struct run_filter);
    struct selected *selected;

    if (!bulk_filter_read(batch->arena, bulk->filter, filter))
        return true; /* damaged: it ends */
    filter->environment = bulk->environment;
    filter->limit = bite_size(batch, bulk);
    filter->after = was->cursor;
    filter->looks = LOOKS;
    if (!rows_selected(&batch->rows, bulk->id, filter, &selected))
        return false;
    *bite =
        (struct bite){ selected->ids, selected->count, selected->next, selected->next == 0 };
    return true;
}

static void bite_take(struct batch *batch, const struct bulk_action *was, struct bite *bite)
{
    uint32_t all = bulk_run_count(was->runs), most = bite_size(batch, was);

    bite->ids = ARENA_ARRAY(batch->arena, int64_t, most);
    for (uint32_t i = was->at; i < all && bite->count < most; i++)
        bite->ids[bite->count++] = bulk_run_at(was->runs, i);
    bite->is_end = was->at + bite->count == all;
}

static bool bite_load(struct batch *batch, const struct bulk_action *bulk,
                      const struct bite *bite)
{
    struct command *command;
    struct run *run;

    for (uint32_t i = 0; i < bite->count; i++)
        if (bulk->what == BULK_CANCEL)
            (void)rows_run(&batch->rows, bite->ids[i], 0, &run); /* a want is enough */
        else if (replay_load(batch, bulk, bite->ids[i], &command) && command != NULL)
            (void)trigger_prefetch(batch, command); /* the same */
    return !rows_wanted(&batch->rows);
}

static void go_on(struct batch *batch, struct bulk_action *bulk, int64_t pause_ms)
{
    struct deadline next = batch_deadline(batch, 0, pause_ms);

    bulk->due_ms = next.due_ms;
    bulk->due_is_span = next.is_span;
}

static void end(struct batch *batch, struct bulk_action *bulk)
{
    bulk->status = BULK_COMPLETED;
    bulk->finished_ms = batch->now_ms;
    bulk->due_ms = 0;
    bulk->total = bulk->done + bulk->unchanged + bulk->failed;
}

/* Has this batch done it? It goes down the ids, or up the list. */
static bool is_done(const struct bulk_action *bulk, const struct bulk_action *was,
                    const struct bite *bite, uint32_t i)
{
    return bulk->filter.size > 0 ? bite->ids[i] >= bulk->cursor : was->at + i < bulk->at;
}

static bool bite_do(struct batch *batch, struct bulk_action *bulk,
                    const struct bulk_action *was, const struct bite *bite, bool *is_later)
{
    for (uint32_t i = 0; i < bite->count && !*is_later; i++) {
        if (is_done(bulk, was, bite, i))
            continue;
        if (!batch_settle(batch) || !run_do(batch, bulk, bite->ids[i], is_later))
            return false;
        if (*is_later)
            continue;
        if (bulk->filter.size > 0)
            bulk->cursor = bite->ids[i];
        else
            bulk->at++;
    }
    return true;
}

bool bulk_due(struct batch *batch, int64_t id)
{
    struct bulk_action *bulk;
    struct bite bite = { .is_end = true };
    bool is_later = false;

    if (!rows_bulk(&batch->rows, id, &bulk))
        return false;
    if (bulk == NULL || bulk->row.is_deleted ||
        !batch_is_over(batch, bulk->due_ms, bulk->due_is_span)) {
        batch->is_due_wrong |=
            !batch_was_due(batch, ROW_BULK_ACTION, bulk == NULL ? NULL : &bulk->row);
        return true;
    }
    if (batch->catalog == NULL) {
        go_on(batch, bulk, STARTING_MS);
        return true;
    }
    const struct bulk_action *was = (const struct bulk_action *)bulk->row.loaded;
    if (bulk->filter.size == 0)
        bite_take(batch, was, &bite);
    else if (!bite_select(batch, bulk, was, &bite))
        return false;
    if (!bite_load(batch, bulk, &bite) || !bite_do(batch, bulk, was, &bite, &is_later))
        return false;
    if (is_later)
        go_on(batch, bulk, NO_ROOM_MS);
    else if (bite.is_end)
        end(batch, bulk);
    else
        go_on(batch, bulk, PAUSE_MS);
    if (!is_later && bite.next != 0)
        bulk->cursor = bite.next;
    return true;
}
