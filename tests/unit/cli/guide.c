/*
 * schemas/README.md is true: each file in it is written to a directory, each command is run
 * there, and what the guide shows is what is said.
 *
 *   ```yaml + "# name.yaml"      a file
 *   ```console + "$ bide …"      commands, each followed by all that it says
 */
#include "cli/check/schema_report.h"
#include "cli/schema_diff/schema_diff.h"
#include "unit/schema/helper.h"

#include <unistd.h>

enum { WORDS_MAX = 16 };

static char directory[] = "/tmp/bide-guide-XXXXXX";
static uint32_t file_count, command_count;

static struct slice guide_read(void)
{
    FILE *in = fopen(SOURCE_DIR "/schemas/README.md", "r");
    char *text = arena_alloc(&arena, 1 << 20);

    cr_assert_not_null(in);
    size_t size = fread(text, 1, (1 << 20) - 1, in);
    fclose(in);
    return (struct slice){ text, size };
}

/* The next line, without its end; data is NULL when there is none. */
static struct slice line_take(struct slice *text)
{
    const char *end = text->size == 0 ? NULL : memchr(text->data, '\n', text->size);

    if (end == NULL)
        return (struct slice){ 0 };
    struct slice line = { text->data, (size_t)(end - text->data) };
    *text = (struct slice){ end + 1, text->size - line.size - 1 };
    return line;
}

/* What stands up to the fence that closes the block. */
static struct slice block_take(struct slice *text)
{
    const char *start = text->data;

    for (;;) {
        struct slice line = line_take(text);
        cr_assert_not_null(line.data, "a block is not closed");
        if (slice_is(line, "```"))
            return (struct slice){ start, (size_t)(line.data - start) };
    }
}

static void file_write(struct slice block)
{
    struct slice rest = block, line = line_take(&rest);

    cr_assert(slice_starts(line, "# "), "a yaml block begins with \"# name.yaml\": %.*s",
              SLICE_ARG(line));
    FILE *out = fopen(arena_format(&arena, "%.*s", SLICE_ARG(line)).data + 2, "w");
    cr_assert_not_null(out);
    cr_assert_eq(fwrite(block.data, 1, block.size, out), block.size);
    fclose(out);
    file_count++;
}

/* ---- commands ---------------------------------------------------------------------------- */

static void words_run(const char *const *words, int count, struct buffer *out)
{
    const char *value = NULL, *part = "input";
    const char *paths[WORDS_MAX];
    int path_count = 0;

    for (int i = 3; i < count; i++) {
        if (strcmp(words[i], "--value") == 0)
            value = words[++i];
        else if (strcmp(words[i], "--part") == 0)
            part = words[++i];
        else
            paths[path_count++] = words[i];
    }
    if (strcmp(words[2], "diff") == 0)
        (void)schema_diff(paths[0], paths[1], false, out); /* what it says is compared */
    else if (value != NULL)
        (void)schema_report_value(paths[0], part, value, false, out);
    else
        (void)schema_report(paths, path_count, false, out);
}

static struct buffer command_run(struct slice command)
{
    const char *words[WORDS_MAX + 2] = { 0 };
    struct buffer out = { 0 };
    int count = 0;

    for (char *word = strtok(arena_text(&arena, command), " "); word != NULL;
         word = strtok(NULL, " ")) {
        cr_assert_lt(count, WORDS_MAX);
        words[count++] = word;
    }
    cr_assert(count > 3 && strcmp(words[0], "bide") == 0 && strcmp(words[1], "schemas") == 0,
              "this is no command for the guide: %.*s", SLICE_ARG(command));
    words_run(words, count, &out);
    command_count++;
    return out;
}

static void commands_check(struct slice block)
{
    while (block.size > 0) {
        struct slice line = line_take(&block), shown = { block.data, 0 };
        cr_assert(slice_starts(line, "$ "), "wanted a command: %.*s", SLICE_ARG(line));
        while (block.size > 0 && block.data[0] != '$')
            shown.size += line_take(&block).size + 1;
        struct buffer said = command_run((struct slice){ line.data + 2, line.size - 2 });
        cr_assert(slice_equal(shown, buffer_view(&said)),
                  "%.*s\nthe guide shows:\n%.*s\nit says:\n%.*s", SLICE_ARG(line),
                  SLICE_ARG(shown), SLICE_ARG(buffer_view(&said)));
        cr_assert_gt(said.size, 0);
        buffer_finish(&said);
    }
}

/* ---- the guide --------------------------------------------------------------------------- */

static void names_remove(struct slice guide)
{
    while (guide.size > 0) {
        struct slice line = line_take(&guide);
        if (line.data == NULL)
            break;
        if (slice_is(line, "```yaml"))
            (void)remove(arena_text(&arena, line_take(&guide)) + 2); /* it was written above */
    }
}

Test(guide, every_example_says_what_it_shows)
{
    struct slice guide = guide_read(), rest = guide;

    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
    while (rest.size > 0) {
        struct slice line = line_take(&rest);
        if (line.data == NULL)
            break;
        if (slice_is(line, "```yaml"))
            file_write(block_take(&rest));
        else if (slice_is(line, "```console"))
            commands_check(block_take(&rest));
        else
            cr_assert_not(slice_starts(line, "```"), "no such block is known: %.*s",
                          SLICE_ARG(line));
    }
    names_remove(guide);
    cr_assert_eq(rmdir(directory), 0);

    cr_assert_geq(file_count, 10);
    cr_assert_geq(command_count, 6);
}

/* The tables name every keyword and every format. */
Test(guide, every_keyword_and_format_is_named)
{
    static const char *const formats[] = {
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "idn-email",
        "hostname",
        "idn-hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "iri",
        "iri-reference",
        "uri-template",
        "uuid",
        "regex",
        "json-pointer",
        "relative-json-pointer",
    };
    const char *text = guide_read().data;

    for (int i = 1; i < KEYWORD_COUNT; i++) {
        struct slice word = keyword_text((enum keyword)i);
        struct slice quoted = arena_format(&arena, "`%.*s`", SLICE_ARG(word));
        cr_assert_not_null(strstr(text, quoted.data), "%.*s is not in the guide",
                           SLICE_ARG(word));
    }
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct slice quoted = arena_format(&arena, "`%s`", formats[i]);
        cr_assert_not_null(strstr(text, quoted.data), "%s", formats[i]);
    }
}
