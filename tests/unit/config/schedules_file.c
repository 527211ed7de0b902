/* What may be said of a schedule: the server's words and those of the file for editors. */
#include "config/schedules_file.h"

#include "schema/document/document.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena arena;

static const struct node *within(const struct node *node, const char *const *path)
{
    for (; *path != NULL; path++) {
        const struct entry *entry = node_find(node, *path);
        cr_assert_not_null(entry, "%s", *path);
        node = &entry->node;
    }
    return node;
}

static const struct schedule_word *word_of(struct slice key)
{
    for (int i = 0; i < SCHEDULE_WORDS; i++)
        if (slice_is(key, schedule_words[i].key))
            return &schedule_words[i];
    return NULL;
}

/* The same words, and of each that has them the same choices. */
Test(schedules, the_file_for_editors_has_the_words_of_the_server)
{
    static const char *const path[] = { "properties", "schedules", "additionalProperties",
                                        "properties", NULL };
    struct problems problems = { 0 };
    struct report report = { &arena, &problems, SLICE("schedules.yaml") };
    struct node root;

    cr_assert(
        document_load(&arena, SOURCE_DIR "/schemas/config/schedules.yaml", &root, &report));
    const struct node *words = within(&root, path);

    cr_assert_eq(words->count, SCHEDULE_WORDS + 1, "environments, too");
    for (uint32_t i = 0; i < words->count; i++) {
        const struct schedule_word *word = word_of(words->entries[i].key);
        const struct entry *choices = node_find(&words->entries[i].node, "enum");
        if (word == NULL) {
            cr_assert(slice_is(words->entries[i].key, "environments"), "%.*s",
                      SLICE_ARG(words->entries[i].key));
            continue;
        }
        cr_assert_eq(choices != NULL, word->type == SCHEDULE_WORD, "%s", word->key);
        for (uint32_t k = 0; choices != NULL && k < choices->node.count; k++)
            cr_assert(slice_is(choices->node.items[k].text, word->words[k]), "%s", word->key);
    }
    arena_finish(&arena);
}
