/*
 * What \1 and \k<name> refer to. JavaScript forgets what a group has caught whenever a repeat
 * around it goes round again, and takes back a round that matched nothing; PCRE2 does neither.
 * Where that could tell, the pattern is refused.
 */
#include "schema/format/regex_reader.h"

static struct regex_group *group_find(struct regex_reader *reader,
                                      const struct regex_reference *reference)
{
    for (uint32_t i = 0; i < reader->group_count; i++) {
        struct regex_group *group = &reader->groups[i];
        if (reference->capture > 0
                ? group->capture == reference->capture
                : group->name.size > 0 && slice_equal(group->name, reference->name))
            return group;
    }
    return NULL;
}

static bool group_holds(const struct regex_group *group, size_t at)
{
    return group->outer == NULL || (at >= group->start && at < group->end);
}

/*
 * Does PCRE2 compare with what JavaScript would? Upwards from the group: `is_sure` while it is
 * passed whenever what is around it is. Below the first group that holds the reference as well,
 * a repeat must not be able to go round, or not at all, without setting it; above, it must have
 * been set in the same round.
 */
static bool reference_fits(const struct regex_reference *reference)
{
    const struct regex_group *group = reference->group, *around;
    bool is_sure = true, is_repeated = false;
    uint32_t alternative = 0;

    for (around = group; !group_holds(around, reference->at); around = around->outer) {
        if (around->is_negative)
            return true; /* both have forgotten it */
        if (around != group)
            is_sure = is_sure && around->alternatives == 1;
        bool can_go_empty = around->can_be_empty && around->least != around->most;
        is_repeated = is_repeated || around->most > 1;
        if ((around->most > 1 && !is_sure) || can_go_empty ||
            (around->is_behind && is_repeated))
            return false;
        is_sure = is_sure && around->least > 0;
        alternative = around->alternative;
    }
    bool is_before = around != group && group->end <= reference->at;
    const struct regex_reference *at = reference;
    uint32_t side = at->alternative;
    for (const struct regex_group *up = at->inside; up != around; up = up->outer)
        side = up->alternative;
    if (is_sure && is_before && (around->alternatives == 1 || side == alternative))
        return true;
    for (; around != NULL; around = around->outer)
        if (around->most > 1)
            return false;
    return true;
}

bool regex_resolve(struct regex_reader *reader)
{
    uint32_t written = 0;
    for (uint32_t i = 0; i < reader->reference_count; i++) {
        struct regex_reference *reference = &reader->references[i];
        reference->group = group_find(reader, reference);
        if (reference->group == NULL)
            return regex_refuse(reader, reference->at,
                                "this refers to a group that is not here");
        reference->group->written = 1;
        for (struct regex_group *up = reference->group; up != NULL; up = up->outer)
            up->is_asked = true;
        if (!reference_fits(reference))
            return regex_cannot(
                reader, reference->at,
                "this refers to a group in a repeat that may not set it each time");
    }
    for (uint32_t i = 0; i < reader->group_count; i++) {
        struct regex_group *group = &reader->groups[i];
        bool steps = reader->is_stepping && group->is_behind && !group->is_asked;
        if (group->written > 0 || steps)
            group->written = ++written;
        written += steps;
    }
    return true;
}
