/*
 * The input is a schema file and, behind a line of three dashes, a value as JSON or YAML:
 *
 *   a valid value is valid when it is checked again
 *   a refusal has reasons in valid UTF-8, and each stands somewhere in the value's file
 *   what schema_redact takes out of the value (texts that begin with MARK) no reason tells
 */
#include "codec/json.h"
#include "fuzz.h"
#include "schema/document/document.h"
#include "schema/schema.h"

enum { MARK_BYTES = 10 };

static bool text_has(struct slice text, const char *mark)
{
    return text.size >= MARK_BYTES && memmem(text.data, text.size, mark, MARK_BYTES) != NULL;
}

static bool mark_is(const char *at)
{
    if (memcmp(at, "MARK", 4) != 0)
        return false;
    for (int i = 4; i < MARK_BYTES; i++)
        if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'A' && at[i] <= 'Z')))
            return false;
    return true;
}

static struct buffer json_of(const struct value *value)
{
    struct buffer json = { 0 };

    json_write(&json, value);
    return json;
}

static void marks_hold(struct slice schema, const struct buffer *before,
                       const struct buffer *after, const struct buffer *said)
{
    for (size_t i = 0; before->size >= MARK_BYTES && i <= before->size - MARK_BYTES; i++) {
        const char *mark = before->data + i;
        if (mark_is(mark) && !text_has(schema, mark) && !text_has(buffer_view(after), mark))
            PROMISE(!text_has(buffer_view(said), mark));
    }
}

/* The text and the object of all problems. */
static struct buffer problems_said(const struct problems *problems, struct arena *arena)
{
    struct buffer said = { 0 };

    problems_text(&said, problems);
    PROMISE(utf8_is_valid(buffer_view(&said)));
    struct value told = problems_value(arena, problems);
    PROMISE(value_find(&told, "problems")->count == problems->count);
    json_write(&said, &told);
    return said;
}

static void redact_holds(const struct schema *schema, const struct value *value,
                         struct slice text, const struct problems *problems,
                         struct arena *arena)
{
    struct value seen = *value;
    struct buffer said = problems_said(problems, arena), before = json_of(value);

    schema_redact(schema, &seen, arena);
    struct buffer after = json_of(&seen), unchanged = json_of(value);
    PROMISE(slice_equal(buffer_view(&before), buffer_view(&unchanged)));
    if (!schema_has_secrets(schema))
        PROMISE(slice_equal(buffer_view(&before), buffer_view(&after)));
    marks_hold(text, &before, &after, &said);
    buffer_finish(&said);
    buffer_finish(&before);
    buffer_finish(&after);
    buffer_finish(&unchanged);
}

static void value_check(const struct schema *schema, const struct value *value,
                        const struct node *root, struct slice text, struct arena *arena)
{
    struct value first = value_copy(arena, value), second = value_copy(arena, value);
    struct problems problems = { 0 }, again = { 0 };

    bool fine = schema_check(schema, &first, arena, &problems);
    PROMISE((problems.count == 0) == fine);
    bool is_slow = problems.first != NULL && problems.first->keyword.size == 0;
    if (!is_slow) /* how much time a regular expression gets is not the same each time */
        PROMISE(schema_check(schema, &second, arena, &again) == fine ||
                (again.first != NULL && again.first->keyword.size == 0));
    if (root != NULL)
        problems_locate(&problems, root, SLICE("value.yaml"));
    for (const struct problem *one = problems.first; root != NULL && one; one = one->next)
        PROMISE(one->value_line > 0 && one->value_column > 0);
    redact_holds(schema, value, text, &problems, arena);
}

static void values_check(const struct schema_file *file, struct slice schema, struct slice text,
                         struct arena *arena)
{
    struct problems problems = { 0 };
    struct report report = { arena, &problems, SLICE("value.yaml") };
    struct node root, *place = NULL;
    struct value value;

    if (!json_read(arena, text, &value, NULL)) {
        if (!document_read(arena, text, &root, &report))
            return;
        value = node_value(arena, &root);
        place = &root;
    }
    value_check(schema_input(file), &value, place, schema, arena);
    value_check(schema_output(file), &value, place, schema, arena);
    value_check(schema_token(file, SLICE("a")), &value, place, schema, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char border[] = "\n---\n";
    const uint8_t *end = size == 0 ? NULL : memmem(data, size, border, sizeof border - 1);
    struct arena arena = { 0 };
    struct problems problems = { 0 };
    struct schema_file *file;

    if (end == NULL)
        return -1;
    struct slice schema = { (const char *)data, (size_t)(end - data) + 1 };
    const char *value = (const char *)end + sizeof border - 1;
    struct slice text = { value, size - (size_t)(value - (const char *)data) };
    if (schema_file_parse("fuzz.yaml", schema, &file, &arena, &problems))
        values_check(file, schema, text, &arena);
    schema_file_destroy(file);
    arena_finish(&arena);
    return 0;
}
