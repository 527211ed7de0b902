/*
 * Regular expressions against a JavaScript: random patterns, each taken or refused as Node's
 * RegExp does with the `u` flag, and matched alike. TAP on stdout; without Node it is skipped.
 *
 *   conformance_regex [SEED [COUNT]]
 */
#include "codec/json.h"
#include "schema/format/pattern.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned taken, refused, beyond, compared, wrong;

static void differs(struct slice pattern, const char *what, struct slice detail)
{
    wrong++;
    printf("# /%.*s/u: %s%.*s\n", SLICE_ARG(pattern), what, SLICE_ARG(detail));
}

static void matches_compare(const struct pattern *pattern, const struct value *texts,
                            const struct value *matches)
{
    struct matcher matcher;

    for (uint32_t i = 0; i < texts->count; i++, compared++) {
        matcher_init(&matcher);
        enum match match = pattern_match(pattern, &matcher, texts->items[i].bytes);
        matcher_finish(&matcher);
        if (match != (matches->items[i].boolean ? MATCH_YES : MATCH_NO))
            differs(pattern_text(pattern),
                    matches->items[i].boolean ? "does not match " : "matches ",
                    texts->items[i].bytes);
    }
}

static void line_compare(struct arena *arena, struct slice line)
{
    struct value row;
    struct err err;
    struct regex_fault fault;

    if (!json_read(arena, line, &row, &err)) {
        differs(line, "is no JSON: ", slice_of(err.text));
        return;
    }
    struct slice text = value_find(&row, "p")->bytes;
    bool is_one = value_find(&row, "ok")->boolean;
    struct pattern *pattern = pattern_create(text, &fault);
    if (is_one && pattern == NULL && !fault.is_syntax) /* we say what we cannot do */
        beyond++;
    else if (is_one != (pattern != NULL))
        differs(text, is_one ? "is refused: " : "is taken", slice_of(is_one ? fault.text : ""));
    else if (is_one)
        taken++, matches_compare(pattern, value_find(&row, "t"), value_find(&row, "m"));
    else
        refused++;
    pattern_destroy(pattern);
}

int main(int argc, char **argv)
{
    const char *seed = argc > 1 ? argv[1] : "20240601", *count = argc > 2 ? argv[2] : "6000";
    struct arena arena = { 0 };
    char command[1024], *line = NULL;
    size_t room = 0;
    ssize_t size;

    if (system("node --version >/dev/null 2>&1") != 0) {
        printf("1..0 # SKIP no Node here\n");
        return 0;
    }
    (void)snprintf(command, sizeof command, "node '%s' '%s' '%s'", REGEX_JS, seed, count);
    FILE *lines = popen(command, "re");
    if (lines == NULL)
        return 1;
    for (; (size = getline(&line, &room, lines)) > 0; arena_reset(&arena))
        line_compare(&arena, (struct slice){ line, (size_t)size });
    int status = pclose(lines);
    free(line);
    arena_finish(&arena);

    printf("# %u taken alike, %u refused alike, %u beyond us, %u matches compared\n", taken,
           refused, beyond, compared);
    bool fine = status == 0 && wrong == 0 && taken > 0 && refused > 0 && beyond < taken / 10;
    printf("%sok 1 - as JavaScript does (seed %s)\n1..1\n", fine ? "" : "not ", seed);
    return fine ? 0 : 1;
}
