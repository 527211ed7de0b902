/* What segments say on their way, and what is kept of it. */
#include "codec/pack.h"
#include "model.h"

void rule_notes(struct shadow *shadow, const struct frame_note *notes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct frame_note *note = &notes[i];
        if (note->kind == NOTE_PROGRESS) {
            shadow->progress = note->level > 100 ? 100 : note->level;
            continue;
        }
        shadow->extra_moves += note->kind == NOTE_REMARK;
        shadow->lines += note->left_out + 1;
        if (shadow->said_count < SAID_MAX)
            shadow->said[shadow->said_count] = (struct said){ .line = shadow->lines,
                                                              .level = note->level,
                                                              .attempt = shadow->was->attempt };
        shadow->said_count++;
    }
}

void rule_once(const struct look *look, const struct command *command)
{
    const struct once *once = &command->once;
    struct shadow *shadow = shadow_of(look, once->run_id);
    bool is_sure, is_there = false;
    bool is_at = look_is_at(look, once->run_id, once->seq, &is_sure);

    if (!rule_fence(look, command, once->run_id, once->seq) && !is_at)
        return;
    for (uint32_t i = 0; i < shadow->once_count; i++)
        is_there |= slice_equal(shadow->once[i].name, once->name);
    if (is_sure && is_there != (command->err.code == ERR_RULE))
        world_flaw(look->world, "run %lld: \"%.*s\" is %srecorded, and the answer is: %s",
                   (long long)once->run_id, SLICE_ARG(once->name), is_there ? "" : "not ",
                   command->err.text);
    if (command->err.code == ERR_OK && shadow->once_count < ONCE_MAX)
        shadow->once[shadow->once_count++] =
            (struct frame_once){ model_keep(look, once->name), model_keep(look, once->value) };
}

/* It may have ended in this batch: before it was asked for, or after. */
void rule_run_read(const struct look *look, const struct command *command)
{
    const struct run_read *read = &command->run_read;
    const struct run *target = run_now(look, read->target);
    const struct shadow *shadow = shadow_of(look, read->target);

    if (!rule_fence(look, command, read->run_id, read->seq))
        return;
    const struct run *asker = run_now(look, read->run_id);
    if (target == NULL || asker == NULL || target->environment != asker->environment) {
        if (target != NULL && read->run != NULL && token_now(look, read->target) == NULL)
            world_flaw(look->world, "run %lld was shown to another environment",
                       (long long)read->target);
        return;
    }
    bool is_done = run_is_over(target);
    bool was_done =
        shadow != NULL && shadow->was != NULL && is_done && run_is_over(shadow->was);
    if (read->run == NULL || (was_done && read->status == WAIT_NONE) ||
        (!is_done && read->status != WAIT_NONE))
        world_flaw(look->world, "run %lld is %s, and is shown as %u", (long long)read->target,
                   is_done ? "done" : "not done", read->status);
    else if (read->status == WAIT_OK && !slice_equal(read->run->output, target->output))
        world_flaw(look->world, "run %lld is shown with another output",
                   (long long)read->target);
}

/* ---- sums -------------------------------------------------------------------------------- */

static void metadata_look(const struct look *look, const struct shadow *shadow,
                          const struct run *run)
{
    struct arena arena = { 0 };
    struct value map = { .kind = VALUE_NULL };

    if (run->metadata.size > 0)
        (void)pack_read(&arena, run->metadata, &map, NULL); /* else nothing is found */
    const struct value *sum = value_find(&map, "sum"), *items = value_find(&map, "items");
    if ((sum == NULL ? 0 : sum->integer) != shadow->counted ||
        (items == NULL ? 0 : items->count) != shadow->appended)
        world_flaw(look->world, "run %lld: its metadata has not what was added to it",
                   (long long)run->id);
    arena_finish(&arena);
}

void rule_said(const struct look *look, struct shadow *shadow, const struct run *run)
{
    if (run->log_lines != shadow->lines)
        world_flaw(look->world, "run %lld has said %u lines, %u are counted",
                   (long long)run->id, shadow->lines, run->log_lines);
    if (run->progress != shadow->progress)
        world_flaw(look->world, "run %lld is at %u percent, %u are shown", (long long)run->id,
                   shadow->progress, run->progress);
    if (run->busy_us != shadow->busy_us)
        world_flaw(look->world, "run %lld was busy for %lld us, %lld are counted",
                   (long long)run->id, (long long)shadow->busy_us, (long long)run->busy_us);
    if (shadow->was == NULL || !slice_equal(shadow->was->metadata, run->metadata) ||
        shadow->end != NULL)
        metadata_look(look, shadow, run);
}

/* ---- lines that are kept ----------------------------------------------------------------- */

static const struct said *said_find(const struct shadow *shadow, uint32_t line)
{
    for (uint32_t i = 0; i < shadow->said_count; i++)
        if (shadow->said[i].line == line)
            return &shadow->said[i];
    return NULL;
}

/* Of many the first fifth and the last are kept. */
static uint32_t lines_kept(const struct shadow *shadow, uint32_t most)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < shadow->said_count; i++)
        kept += shadow->said[i].line <= most / 5 || shadow->lines <= most ||
                shadow->said[i].line > shadow->lines - (most - most / 5);
    return kept;
}

void rule_lines(struct world *world, struct model *model)
{
    const struct catalog *catalog = engine_catalog(world->engine);
    uint32_t most = catalog == NULL ? 0 : catalog->limits.log_lines, at = 0;
    uint32_t count = store_memory_count(world->memory, ROW_LOG_LINE);

    for (uint32_t i = 0; most > 0 && i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        const struct shadow *shadow = table_find(&model->runs, (uint64_t)run->id);
        uint32_t kept = 0;
        for (; at < count; at++, kept++) {
            const struct log_line *line =
                (const struct log_line *)store_memory_at(world->memory, ROW_LOG_LINE, at);
            const struct said *said = shadow == NULL ? NULL : said_find(shadow, line->line);
            if (line->run_id != run->id)
                break;
            if (shadow != NULL && shadow->said_count <= SAID_MAX &&
                (said == NULL || said->level != line->level || said->attempt != line->attempt))
                world_flaw(world, "run %lld: line %u was not said so", (long long)run->id,
                           line->line);
        }
        if (shadow != NULL && shadow->said_count <= SAID_MAX &&
            kept != lines_kept(shadow, most))
            world_flaw(world, "run %lld has said %u lines, and %u are kept", (long long)run->id,
                       shadow->lines, kept);
    }
}
