#include "cli/client/wait_text.h"

#include "cli/client/member.h"
#include "cli/output/text.h"

struct slice waited_for(const struct value *wait)
{
    struct slice id = member_text(wait, "id");

    return id.size > 0 ? id : member_text(wait, "message");
}

/* ", 1 of the 2 that it needs has come (of 3)" */
static struct slice group_text(struct arena *arena, const struct value *wait)
{
    int64_t needed = member_int(wait, "needed"), come = member_int(wait, "come");

    return value_find(wait, "needed") == NULL
               ? SLICE("")
               : arena_format(arena, ", needs %d of %d, %d %s come", (int)needed,
                              (int)member_int(wait, "parts"), (int)come,
                              come == 1 ? "has" : "have");
}

/* ", held by its children run_…, run_…" */
static struct slice held_text(struct arena *arena, const struct value *wait)
{
    const struct value *children = value_find(wait, "heldByChildren");

    if (children == NULL)
        return SLICE("");
    return children->kind != VALUE_LIST || children->count == 0
               ? SLICE(", until its segment has returned")
               : arena_format(arena, ", until its children have ended: %.*s",
                              SLICE_ARG(names_text(arena, children)));
}

static void line_add(struct buffer *out, struct arena *arena, const struct value *wait,
                     const char *until_name, int depth, int64_t now_ms)
{
    struct slice id = waited_for(wait), name = member_text(wait, "name");
    struct slice status = member_text(wait, "status");
    int64_t until_ms = member_time(wait, until_name);
    struct slice until = until_ms == 0
                             ? SLICE("")
                             : arena_format(arena, ", until %.*s (%.*s)",
                                            SLICE_ARG(member_text(wait, until_name)),
                                            SLICE_ARG(ago_text(arena, until_ms, now_ms)));

    buffer_format(out, "%-10s %*s", "waits for", 2 * depth, "");
    text_add_safe(out,
                  arena_format(arena, "%.*s%s%.*s%s%.*s%s%.*s%.*s%.*s%.*s",
                               SLICE_ARG(member_text(wait, "type")), name.size > 0 ? " " : "",
                               SLICE_ARG(name), id.size > 0 ? " " : "", SLICE_ARG(id),
                               status.size > 0 ? " " : "", SLICE_ARG(status),
                               SLICE_ARG(group_text(arena, wait)),
                               SLICE_ARG(held_text(arena, wait)), SLICE_ARG(until)),
                  false);
    buffer_byte(out, '\n');
    if (member_text(wait, "next").size == 0)
        return;
    buffer_format(out, "%-10s %*s", "  next", 2 * depth, "");
    text_add_safe(out, member_text(wait, "next"), false);
    buffer_byte(out, '\n');
}

/* Those in the group at `of`, each with what is in it; -1: the outermost. A group stands before
 * what is in it. */
static void group_add(struct buffer *out, struct arena *arena, const struct value *waits,
                      uint32_t count, int64_t of, const char *until, int depth, int64_t now_ms)
{
    for (uint32_t i = (uint32_t)(of + 1); i < count; i++) {
        if ((value_find(&waits[i], "in") == NULL ? -1 : member_int(&waits[i], "in")) != of)
            continue;
        line_add(out, arena, &waits[i], until, depth, now_ms);
        group_add(out, arena, waits, count, i, until, depth + 1, now_ms);
    }
}

void waits_add(struct buffer *out, struct arena *arena, const struct value *run,
               const char *name, const char *until, int64_t now_ms)
{
    uint32_t count;
    const struct value *waits = member_list(run, name, &count);

    group_add(out, arena, waits, count, -1, until, 0, now_ms);
}
