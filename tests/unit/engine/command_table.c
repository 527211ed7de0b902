/* The table of commands: none without a line. */
#include "engine/commands/command_table.h"

#include <criterion/criterion.h>

Test(command_table, each_has_a_line)
{
    for (enum command_kind kind = 0; kind < COMMAND_KIND_COUNT; kind++) {
        const struct command_rule *rule = &command_rules[kind];
        cr_assert(rule->name != NULL && rule->sentence != NULL, "command %d", (int)kind);
        cr_assert_neq(rule->decide == NULL, rule->take == NULL, "command %s", rule->name);
    }
}
