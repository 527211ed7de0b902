/* What somebody asks of kept builds, and what they are shown of them. */
#include "base/clock.h"
#include "base/log.h"
#include "dispatch/host.h"
#include "dispatch/processes/build.h"
#include "engine/builds/builds.h"
#include "kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct build_row *rows_add(struct command *command, struct build_row *rows,
                                  const struct kept *kept)
{
    struct build_row *row = &rows[command->builds_put.count++];

    *row = *(const struct build_row *)row_copy(ROW_BUILD, command->arena, &kept->row.row, 0);
    return row;
}

/* ---- promote ----------------------------------------------------------------------------- */

static bool promote_check(struct dispatch *dispatch, const struct plugins_wish *wish,
                          struct kept **kept, struct err *err)
{
    *kept = kept_find(dispatch, wish->build);
    if (*kept == NULL)
        return err_set(err, ERR_NOT_FOUND,
                       "no build %.*s is kept here; `bide plugins list` shows those that are",
                       SLICE_ARG(wish->build));
    if (!kept_has_file(*kept))
        return err_set(err, ERR_RULE,
                       "its file %.*s was removed: nothing starts in it until there is one "
                       "again",
                       SLICE_ARG((*kept)->row.file));
    if (build_is_aside((*kept)->build))
        return err_set(err, ERR_RULE, "build %.16s cannot be loaded: %s", (*kept)->build->sha,
                       (*kept)->build->reason);
    return true;
}

static bool promote(struct dispatch *dispatch, const struct plugins_wish *wish,
                    struct command *command, struct build_row *rows, struct err *err)
{
    struct kept *kept;

    if (!promote_check(dispatch, wish, &kept, err))
        return false;
    struct kept *current = kept_current(dispatch, kept->row.file);
    struct kept *before = kept != current ? current : kept_before(dispatch, kept);
    if (wish->percent > 0 && wish->percent < 100 && before == NULL)
        return err_set(err, ERR_RULE,
                       "there is no other build of %.*s that the rest could start in",
                       SLICE_ARG(kept->row.file));
    struct build_row *row = rows_add(command, rows, kept);
    if (kept != current)
        row->rank_ms = kept_rank_next(dispatch);
    row->heir = 0;
    row->note = (struct slice){ 0 };
    row->ramp_percent = wish->percent < 100 ? wish->percent : 0;
    row->ramp_from_ms = row->ramp_percent > 0 ? clock_now_ms() : 0;
    row->ramp_ms = row->ramp_percent > 0 ? wish->over_ms : 0;
    LIST_EACH(&dispatch->kept.all, node, after)
    {
        const struct kept *other = container_of(node, struct kept, node);
        if (wish->with_runs && other != kept && slice_equal(other->row.file, kept->row.file))
            rows_add(command, rows, other)->heir = kept->row.id;
    }
    return true;
}

/* ---- rollback ---------------------------------------------------------------------------- */

/* By its file, or by the plugin's name where one file alone has it. */
static struct kept *current_named(struct dispatch *dispatch, struct slice name, struct err *err)
{
    struct kept *found = NULL;

    LIST_EACH(&dispatch->kept.all, node, after)
    {
        struct kept *kept = container_of(node, struct kept, node);
        if (!kept_is_current(kept))
            continue;
        if (slice_equal(kept->row.file, name))
            return kept;
        if (slice_equal(kept->row.plugin, name)) {
            if (found != NULL) {
                err_set(err, ERR_RULE, "two files have a plugin \"%.*s\": name the file",
                        SLICE_ARG(name));
                return NULL;
            }
            found = kept;
        }
    }
    if (found == NULL)
        err_set(err, ERR_NOT_FOUND, "no plugin or file \"%.*s\" has a current build here",
                SLICE_ARG(name));
    return found;
}

static bool roll_back(struct dispatch *dispatch, struct kept *current, const char *why,
                      bool with_runs, struct command *command, struct build_row *rows,
                      struct err *err)
{
    struct kept *before = kept_before(dispatch, current);

    while (before != NULL && build_is_aside(before->build))
        before = kept_before(dispatch, before);
    if (before == NULL)
        return err_set(err, ERR_RULE, "there is no build of %.*s to go back to",
                       SLICE_ARG(current->row.file));
    struct build_row *row = rows_add(command, rows, current);
    row->rank_ms = 0;
    row->ramp_percent = 0;
    row->heir = with_runs ? before->row.id : 0;
    row->note = arena_format(command->arena, "taken back %s", why);
    row = rows_add(command, rows, before);
    row->rank_ms = kept_rank_next(dispatch);
    row->heir = 0;
    row->ramp_percent = 0;
    return true;
}

bool kept_ask(struct dispatch *dispatch, const struct plugins_wish *wish,
              struct command *command, struct err *err)
{
    uint32_t count = 2;

    LIST_EACH(&dispatch->kept.all, node, after)
    count++;
    struct build_row *rows = ARENA_ARRAY(command->arena, struct build_row, count);
    command->builds_put.items = rows;
    command->builds_put.count = 0;
    if (wish->what == PLUGINS_PROMOTE)
        return promote(dispatch, wish, command, rows, err);
    struct kept *current = current_named(dispatch, wish->plugin, err);
    struct slice why = arena_format(command->arena, "by %.*s%s%.*s", SLICE_ARG(wish->by),
                                    wish->reason.size > 0 ? ": " : "", SLICE_ARG(wish->reason));
    return current != NULL &&
           roll_back(dispatch, current, why.data, wish->with_runs, command, rows, err);
}

/* ---- ramps ------------------------------------------------------------------------------- */

static bool is_on_a_ramp(const struct kept *kept)
{
    struct catalog_task task = { .ramp_percent = kept->row.ramp_percent,
                                 .ramp_from_ms = kept->row.ramp_from_ms,
                                 .ramp_ms = kept->row.ramp_ms };

    return task.ramp_percent > 0 && ramp_share(&task, clock_now_ms()) < RAMP_WHOLE &&
           kept_is_current(kept);
}

void kept_crashed(struct dispatch *dispatch, struct build *build)
{
    const struct config *config = dispatch->config;
    struct kept *kept = kept_find(dispatch, slice_of(build->sha));
    struct err err = { 0 };

    build->crashes++;
    if (kept == NULL || config->rollback_crashes == 0 || !is_on_a_ramp(kept) ||
        build->crashes < config->rollback_crashes ||
        build->crashes * 100 < build->starts * config->rollback_percent)
        return;
    struct outgoing *outgoing = outgoing_take(dispatch, COMMAND_BUILDS_PUT);
    struct build_row *rows = ARENA_ARRAY(&outgoing->arena, struct build_row, 2);
    struct slice why =
        arena_format(&outgoing->arena, "as %llu of %llu segments crashed",
                     (unsigned long long)build->crashes, (unsigned long long)build->starts);
    outgoing->command.builds_put.items = rows;
    if (!roll_back(dispatch, kept, why.data, false, &outgoing->command, rows, &err)) {
        outgoing_drop(outgoing);
        return;
    }
    log_error("plugin.rolled_back", "file=%.*s version=%.*s build=%.16s %.*s",
              SLICE_ARG(kept->row.file), SLICE_ARG(kept->row.version), build->sha,
              SLICE_ARG(why));
    kept_apply(dispatch, rows, outgoing->command.builds_put.count);
    outgoing_submit(outgoing);
}
