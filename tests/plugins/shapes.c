/*
 * shapes: reads all that headers/shapes.yaml describes into its structs and writes it back.
 *
 *   echo ─▶ done                       what was read is what is written
 *   copy ─▶ done                       lists are taken apart and put together in C
 *   start ──token "either"──▶ told     which case of a union came
 *
 * This file is compiled as C and, by shapes-cpp.cpp, as C++.
 */
#include "shapes-case.schema.h"
#include "shapes.schema.h"

#include <bide/bide.h>

#ifndef SHAPES_ID
#define SHAPES_ID "shapes"
#endif

enum { ITEMS_MAX = 8 };

#define ECHO_SEGMENTS(S) S(echo)
#define COPY_SEGMENTS(S) S(copy)
#define CASE_STATE(F)    F(TOKEN, door)
#define CASE_SEGMENTS(S) \
    S(start)             \
    S(told)
BIDE_TASK(echo_task, BIDE_NO_STATE, ECHO_SEGMENTS, .id = SHAPES_ID, .input_schema = "shapes")
BIDE_TASK(copy_task, BIDE_NO_STATE, COPY_SEGMENTS, .id = SHAPES_ID "-copy",
          .input_schema = "shapes")
BIDE_TASK(case_task, CASE_STATE, CASE_SEGMENTS, .id = SHAPES_ID "-case",
          .input_schema = "shapes-case")

static bide_next echo(bide_task *t)
{
    struct shapes_everything all = shapes_input_read(t);

    shapes_output_write(t, &all);
    return bide_done(t);
}

/* ---- lists, item by item ------------------------------------------------------------------
 */

static void tags_write(bide_task *t, bide_map *to, const struct shapes_everything *all)
{
    struct shapes_everything copy = *all;
    const char *tags[ITEMS_MAX];
    struct shapes_person people[ITEMS_MAX];
    enum shapes_color colors[ITEMS_MAX];

    for (uint32_t i = 0; i < all->tags.count && i < ITEMS_MAX; i++)
        tags[i] = shapes_everything_tags_at(t, &all->tags, i);
    copy.tags.item = tags;
    for (uint32_t i = 0; i < all->people.count && i < ITEMS_MAX; i++)
        people[i] = shapes_everything_people_at(t, &all->people, i);
    copy.people.item = people;
    for (uint32_t i = 0; i < all->colors.count && i < ITEMS_MAX; i++)
        colors[i] = shapes_everything_colors_at(t, &all->colors, i);
    copy.colors.item = colors;
    bide_put(t, to, "lists", shapes_everything_value(t, &copy));
}

static double matrix_sum(bide_task *t, const struct shapes_everything_matrix *matrix)
{
    double sum = 0;

    for (uint32_t i = 0; i < matrix->count; i++) {
        struct shapes_everything_matrix_item row = shapes_everything_matrix_at(t, matrix, i);
        for (uint32_t k = 0; k < row.count; k++)
            sum += shapes_everything_matrix_item_at(t, &row, k);
    }
    return sum;
}

static uint32_t tree_size(bide_task *t, const struct shapes_tree *tree)
{
    uint32_t size = 1;

    for (uint32_t i = 0; i < tree->branches.count; i++) {
        struct shapes_tree branch = shapes_tree_branches_at(t, &tree->branches, i);
        size += tree_size(t, &branch);
    }
    return size;
}

static int64_t chain_sum(bide_task *t, const struct shapes_chain *first)
{
    struct shapes_chain chain = *first;
    int64_t sum = chain.value;

    while (chain.next != NULL) {
        chain = shapes_chain_of(t, chain.next);
        sum += chain.value;
    }
    return sum;
}

static bide_next copy(bide_task *t)
{
    struct shapes_everything all = shapes_input_read(t), large = all;
    bide_map *out = bide_map_new(t);

    tags_write(t, out, &all);
    bide_put_f64(t, out, "matrix_sum", matrix_sum(t, &all.matrix));
    bide_put_i64(t, out, "tree_size", tree_size(t, &all.tree));
    bide_put_i64(t, out, "chain_sum", chain_sum(t, &all.chain));
    large.huge = UINT64_MAX;
    large = shapes_everything_of(t, shapes_everything_value(t, &large));
    bide_put_bool(t, out, "huge_stays", large.huge == UINT64_MAX);
    bide_put_bool(t, out, "has_age", all.person.has_age);
    bide_put_bool(t, out, "word_is_null", all.nullable_word == NULL);
    for (uint32_t i = 0; i < bide_count(t, all.people_by_name); i++) {
        struct shapes_person one = shapes_person_of(t, bide_at(t, all.people_by_name, i));
        bide_put_str(t, out, bide_key_at(t, all.people_by_name, i), one.name);
    }
    bide_put(
        t, out, "child",
        bide_of_str(
            t, shapes_child_other_task_read(t, bide_get(t, bide_input(t), "person")).name));
    bide_meta_set(t, "copy", out);
    shapes_output_write(t, &all);
    return bide_done(t);
}

/* ---- cases --------------------------------------------------------------------------------
 */

static bide_next start(bide_task *t)
{
    struct case_task *s = bide_state(t);
    struct bide_token_opts opts;

    __builtin_memset(&opts, 0, sizeof opts);
    opts.timeout_ms = BIDE_MINUTES(1);
    opts.schema = "either";
    s->door = bide_token_create(t, opts);
    bide_meta_str(t, "url", bide_token_url(t, &s->door));
    return bide_wait_token(t, &s->door, told);
}

static bide_next told(bide_task *t)
{
    struct shapes_case_token_either either = shapes_case_token_either_read(t);

    switch (either.kind) {
    case SHAPES_CASE_TOKEN_EITHER_TEXT:
        bide_out_str(t, "text", either.as.text);
        break;
    case SHAPES_CASE_TOKEN_EITHER_PERSON:
        bide_out_str(t, "person", either.as.person.name);
        break;
    case SHAPES_CASE_TOKEN_EITHER_NUMBERS:
        for (uint32_t i = 0; i < either.as.numbers.count; i++)
            bide_log_info(t, "%g", shapes_case_numbers_at(t, &either.as.numbers, i));
        bide_out_u64(t, "numbers", either.as.numbers.count);
        break;
    case SHAPES_CASE_TOKEN_EITHER_UNSET:
        bide_out_bool(t, "unset", true);
        break;
    }
    bide_out_value(t, "again", shapes_case_token_either_value(t, &either));
    return bide_done(t);
}

BIDE_PLUGIN(SHAPES_ID, "1.0.0", echo_task_task, copy_task_task, case_task_task)
