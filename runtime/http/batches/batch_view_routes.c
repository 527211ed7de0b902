/* Batches as they are, and what came of their items, by index. */
#include "codec/pack.h"
#include "engine/rows/run_batch.h"
#include "http/api/redact.h"
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/server/reply.h"

enum { PAGE_MOST = 10000, PAGE_BYTES = 32 << 20, ERRORS_MOST = 1000 };

/* What is asked for: indexes from `offset`, `limit` of them. */
struct page {
    int64_t id, offset, limit;
    void (*write)(struct request *request, struct pool_reader *reader, struct out *out,
                  const struct run_batch *made, const struct page *page, struct err *err);
};

/* An item, wherever its answer stands. */
struct item {
    uint32_t index;
    const struct run *run;        /* its own, or the one that it is linked to; NULL: none */
    const struct batch_item *row; /* NULL: it is a run of its own, or not there */
};

static bool item_find(struct request *request, struct pool_reader *pool,
                      const struct run_batch *made, uint32_t index, uint32_t parts,
                      struct item *item, struct err *err)
{
    struct reader *reader = pool->reader;
    int64_t id = made->first_id + index;
    struct row *row = NULL;
    struct run *run = NULL;

    *item = (struct item){ .index = index };
    if (!reader->ops->run(reader, &request->arena, made->environment, id, parts, &run, err))
        return false;
    item->run = run;
    if (run != NULL)
        return true;
    if (!reader->ops->row(reader, &request->arena, ROW_BATCH_ITEM, id, &row, err))
        return false;
    item->row = (const struct batch_item *)row;
    if (item->row == NULL || item->row->kind != ITEM_LINKED)
        return true;
    bool ok = reader->ops->run(reader, &request->arena, made->environment, item->row->target,
                               parts, &run, err);
    item->run = run;
    return ok;
}

static struct slice task_of(const struct item *item)
{
    return item->row != NULL   ? item->row->task
           : item->run != NULL ? item->run->task
                               : (struct slice){ 0 };
}

/* Why it became no run; empty: it did, or may still. */
static struct slice flaw_of(const struct run_batch *made, const struct item *item)
{
    if (item->run != NULL || item->row == NULL)
        return (struct slice){ 0 };
    if (item->row->kind == ITEM_REFUSED)
        return item->row->error;
    if (item->row->kind == ITEM_KEPT)
        return made->status == BATCH_ABORTED ? made->why : (struct slice){ 0 };
    return SLICE("the run that its idempotency key named was removed");
}

static bool is_over(const struct item *item)
{
    return item->run != NULL && run_is_over(item->run);
}

/* ---- the whole --------------------------------------------------------------------------- */

static const char *status_word(const struct run_batch *made)
{
    switch ((enum batch_status)made->status) {
    case BATCH_OPEN:
        return "PENDING";
    case BATCH_MAKING:
        return "PROCESSING";
    case BATCH_ABORTED:
        return "ABORTED";
    case BATCH_SEALED:
    default:
        return made->refused > 0 ? "PARTIAL_FAILED" : "COMPLETED";
    }
}

static int64_t updated_of(const struct run_batch *made)
{
    return made->finished_ms != 0 ? made->finished_ms
           : made->sealed_ms != 0 ? made->sealed_ms
                                  : made->created_ms;
}

static void core_write(struct out *out, const struct run_batch *made)
{
    out_map(out, NULL);
    out_id(out, "id", "batch", made->id);
    out_word(out, "status", status_word(made));
    out_time(out, "createdAt", made->created_ms);
    out_time(out, "updatedAt", updated_of(made));
    out_int(out, "runCount", made->expected);
    if (made->key_text.size > 0)
        out_text(out, "idempotencyKey", made->key_text);
    out_bool(out, "sealed", made->status != BATCH_OPEN);
    out_bool(out, "allOrNothing", made->is_atomic);
    out_int(out, "receivedCount", made->received);
    out_int(out, "refusedCount", made->refused);
    out_int(out, "endedCount", made->ended);
    out_int(out, "failedCount", made->failed);
    out_time(out, "sealedAt", made->sealed_ms);
    out_time(out, "finishedAt", made->finished_ms);
    if (made->status == BATCH_OPEN)
        out_time(out, "abortsAt", due_date(made->due_ms, made->due_is_span));
    if (made->why.size > 0)
        out_text(out, "reason", made->why);
    if (made->parent_id != 0)
        out_id(out, "parentRunId", "run", made->parent_id);
}

static void show_write(struct request *request, struct pool_reader *reader, struct out *out,
                       const struct run_batch *made, const struct page *page, struct err *err)
{
    struct buffer errors = { 0 };
    struct out flaws = { &errors, false };
    uint32_t count = 0;
    struct item item;

    (void)page;
    core_write(out, made);
    out_list(out, "runs");
    for (uint32_t i = 0; i < made->most && err->code == ERR_OK; i++) {
        if (!item_find(request, reader, made, i, 0, &item, err))
            break;
        if (item.run != NULL)
            out_id(out, NULL, "run", item.run->id);
        struct slice flaw = flaw_of(made, &item);
        if (flaw.size == 0 || count++ >= ERRORS_MOST)
            continue;
        out_map(&flaws, NULL);
        out_int(&flaws, "index", i);
        out_text(&flaws, "taskIdentifier", task_of(&item));
        out_text(&flaws, "error", flaw);
        out_end_map(&flaws);
    }
    out_end_list(out);
    out_map(out, "processing");
    if (made->status == BATCH_SEALED)
        out_time(out, "completedAt", made->sealed_ms);
    out_list(out, "errors");
    buffer_slice(out->buffer, buffer_view(&errors));
    out_end_list(out);
    out_end_map(out);
    out_end_map(out);
    buffer_finish(&errors);
}

/* ---- its items --------------------------------------------------------------------------- */

static const char *item_word(const struct run_batch *made, const struct item *item)
{
    if (item->run != NULL)
        return run_status_word(item->run);
    if (item->row == NULL)
        return "MISSING";
    return flaw_of(made, item).size == 0 ? "KEPT" : "REFUSED";
}

static void items_write(struct request *request, struct pool_reader *reader, struct out *out,
                        const struct run_batch *made, const struct page *page, struct err *err)
{
    uint32_t all = made->expected > made->most ? made->expected : made->most;
    int64_t i = page->offset;
    struct item item;

    out_map(out, NULL);
    out_id(out, "id", "batch", made->id);
    out_list(out, "items");
    for (; i < all && i < page->offset + page->limit; i++) {
        if (!item_find(request, reader, made, (uint32_t)i, 0, &item, err))
            return;
        out_map(out, NULL);
        out_int(out, "index", i);
        out_word(out, "status", item_word(made, &item));
        if (item.run != NULL)
            out_id(out, "runId", "run", item.run->id);
        out_bool(out, "isCached", item.row != NULL && item.row->kind == ITEM_LINKED);
        if (task_of(&item).size > 0)
            out_text(out, "taskIdentifier", task_of(&item));
        struct slice flaw = flaw_of(made, &item);
        if (flaw.size > 0)
            out_text(out, "error", flaw);
        out_end_map(out);
    }
    out_end_list(out);
    if (i < all)
        out_int(out, "next", i);
    out_end_map(out);
}

/* ---- its results ------------------------------------------------------------------------- */

static void flaw_write(struct out *out, struct slice text)
{
    out_map(out, "error");
    out_word(out, "type", "STRING_ERROR");
    out_text(out, "raw", text);
    out_end_map(out);
}

/* As its run says it: {name, message, stack}. */
static void error_write(struct out *out, struct arena *arena, const struct run *run)
{
    struct value error = value_map();

    if (run->outcome == OUTCOME_CANCELED) {
        out_map(out, "error");
        out_word(out, "type", "INTERNAL_ERROR");
        out_word(out, "code", "TASK_RUN_CANCELLED");
        out_end_map(out);
        return;
    }
    if (run->error.size > 0)
        (void)pack_read(arena, run->error, &error, NULL); /* else it says nothing */
    static const char *const parts[][2] = { { "name", "name" },
                                            { "message", "message" },
                                            { "stackTrace", "stack" } };
    out_map(out, "error");
    out_word(out, "type", "BUILT_IN_ERROR");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct value *part = value_find(&error, parts[i][1]);
        out_text(out, parts[i][0],
                 part != NULL && part->kind == VALUE_STRING ? part->bytes
                                                            : (struct slice){ 0 });
    }
    out_end_map(out);
}

static void result_write(struct request *request, struct out *out, const struct run_batch *made,
                         const struct item *item)
{
    const struct run *run = item->run;
    bool is_done = run != NULL && run->outcome == OUTCOME_COMPLETED;
    struct slice flaw = flaw_of(made, item);

    out_map(out, NULL);
    out_bool(out, "ok", is_done);
    out_id(out, "id", "run", run != NULL ? run->id : made->first_id + item->index);
    out_int(out, "index", item->index);
    out_text(out, "taskIdentifier", task_of(item));
    if (is_done) {
        struct redaction redaction = redact_output(request->read.catalog, run);
        struct buffer text = { 0 };
        redact_write(&text, &redaction, &request->arena, run->output);
        out_text(out, "output", buffer_view(&text));
        out_word(out, "outputType", "application/json");
        buffer_finish(&text);
    } else if (flaw.size > 0) {
        flaw_write(out, flaw);
    } else {
        error_write(out, &request->arena, run);
    }
    out_end_map(out);
}

static void results_write(struct request *request, struct pool_reader *reader, struct out *out,
                          const struct run_batch *made, const struct page *page,
                          struct err *err)
{
    int64_t i = page->offset;
    struct item item;

    out_map(out, NULL);
    out_id(out, "id", "batch", made->id);
    out_list(out, "items");
    for (; i < made->most && i < page->offset + page->limit && out->buffer->size < PAGE_BYTES;
         i++) {
        if (!item_find(request, reader, made, (uint32_t)i, PART_OUTPUT, &item, err))
            return;
        if (is_over(&item) || flaw_of(made, &item).size > 0)
            result_write(request, out, made, &item);
    }
    out_end_list(out);
    if (i < made->most)
        out_int(out, "next", i);
    out_end_map(out);
}

/* ---- routes ------------------------------------------------------------------------------ */

/* Pool thread. */
static bool page_work(struct request *request, struct pool_reader *pool, struct err *err)
{
    const struct page *page = request->view;
    struct reader *reader = pool->reader;
    struct row *row = NULL;

    bool ok = reader->ops->row(reader, &request->arena, ROW_BATCH, page->id, &row, err);
    const struct run_batch *made = (const struct run_batch *)row;
    if (ok && (made == NULL || made->environment != request->world->environment->number))
        ok = err_set(err, ERR_NOT_FOUND, "Batch not found");
    if (ok) {
        struct out out = reply_out(request);
        page->write(request, pool, &out, made, page, err);
        ok = err->code == ERR_OK;
    }
    return ok;
}

static void page_read(struct request *request, const char *const *names,
                      void (*write)(struct request *request, struct pool_reader *reader,
                                    struct out *out, const struct run_batch *made,
                                    const struct page *page, struct err *err))
{
    struct page *page = ARENA_NEW(&request->arena, struct page);
    struct err err = { 0 };

    page->limit = PAGE_MOST;
    page->write = write;
    if (!request_id(request, "batch", "Batch not found", &page->id) ||
        !request_params(request, names))
        return;
    if (!params_number(request->params, "offset", 0, UINT32_MAX, &page->offset, &err) ||
        !params_number(request->params, "limit", 1, PAGE_MOST, &page->limit, &err)) {
        reply_query_error(request, &err);
        return;
    }
    request->view = page;
    request_read(request, page_work, reply_ok);
}

static const char *const no_names[] = { NULL };
static const char *const page_names[] = { "offset", "limit", NULL };

void batch_show(struct request *request)
{
    page_read(request, no_names, show_write);
}

void batch_items_list(struct request *request)
{
    page_read(request, page_names, items_write);
}

void batch_results(struct request *request)
{
    page_read(request, page_names, results_write);
}
