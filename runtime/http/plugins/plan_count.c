#include "plan_count.h"

static struct plan_group *group_of(struct plan_count *count, enum plan_kind kind,
                                   struct slice task, struct slice field, struct slice cause)
{
    for (uint32_t i = 0; i < count->group_count; i++) {
        struct plan_group *group = &count->groups[i];
        if (group->kind == kind && slice_equal(group->task, task) &&
            slice_equal(group->field, field) && slice_equal(group->cause, cause))
            return group;
    }
    if (count->group_count == PLAN_GROUPS)
        return NULL;
    struct plan_group *group = &count->groups[count->group_count++];
    *group = (struct plan_group){ .kind = kind,
                                  .task = arena_copy(count->arena, task),
                                  .field = arena_copy(count->arena, field),
                                  .cause = arena_copy(count->arena, cause) };
    return group;
}

static void group_add(struct plan_count *count, enum plan_kind kind, struct slice task,
                      int64_t run_id, struct slice field, const struct trial_answer *answer)
{
    struct slice cause = kind == PLAN_LOST ? (struct slice){ 0 } : answer->cause;
    struct plan_group *group = group_of(count, kind, task, field, cause);

    if (group == NULL) {
        count->left_out++;
        return;
    }
    group->count++;
    if (run_id == 0)
        return;
    if (group->reason.size == 0 && kind == PLAN_BLOCKED)
        group->reason = arena_copy(count->arena, answer->reason);
    if (group->named < PLAN_NAMED)
        group->runs[group->named++] = run_id;
}

void plan_count_add(struct plan_count *count, struct slice task, int64_t named, bool is_locked,
                    const struct trial_answer *answer)
{
    count->locked += is_locked;
    count->parks += answer->is_blocked && !is_locked;
    if (answer->is_blocked) {
        count->blocked++;
        group_add(count, PLAN_BLOCKED, task, named, answer->field, answer);
        return;
    }
    count->migrated += answer->is_migrated;
    count->kept += !answer->is_migrated;
    if (answer->is_migrated)
        group_add(count, PLAN_MIGRATED, task, named, answer->field, answer);
    for (uint32_t i = 0; i < answer->lost.count; i++)
        if (answer->lost.items[i].kind == VALUE_STRING)
            group_add(count, PLAN_LOST, task, named, answer->lost.items[i].bytes, answer);
}

static void groups_write(struct out *out, const struct plan_count *count, enum plan_kind kind,
                         const char *name)
{
    out_list(out, name);
    for (uint32_t i = 0; i < count->group_count; i++) {
        const struct plan_group *group = &count->groups[i];
        if (group->kind != kind)
            continue;
        out_map(out, NULL);
        out_text(out, "task", group->task);
        if (group->field.size > 0)
            out_text(out, "field", group->field);
        if (group->cause.size > 0)
            out_text(out, "cause", group->cause);
        if (group->reason.size > 0)
            out_text(out, "reason", group->reason);
        out_int(out, "count", group->count);
        out_list(out, "runs");
        for (uint32_t k = 0; k < group->named; k++)
            out_id(out, NULL, "run", group->runs[k]);
        out_end_list(out);
        out_end_map(out);
    }
    out_end_list(out);
}

void plan_count_write(struct out *out, const struct plan_count *count)
{
    out_int(out, "runs", count->kept + count->migrated + count->blocked);
    out_int(out, "kept", count->kept);
    out_int(out, "migrated", count->migrated);
    out_int(out, "blocked", count->blocked);
    out_int(out, "locked", count->locked);
    out_int(out, "parks", count->parks);
    groups_write(out, count, PLAN_BLOCKED, "blocking");
    groups_write(out, count, PLAN_MIGRATED, "migrating");
    groups_write(out, count, PLAN_LOST, "losing");
    if (count->left_out > 0)
        out_int(out, "notGrouped", count->left_out);
}
