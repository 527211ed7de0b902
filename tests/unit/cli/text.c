/* Text and grids: nothing that comes from outside moves the cursor, and columns stay columns.
 */
#include "cli/output/text.h"

#include "cli/client/member.h"
#include "cli/output/grid.h"

#include <criterion/criterion.h>
#include <locale.h>

static void set_locale(void)
{
    cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

static void expect_safe(struct slice given, const char *expected)
{
    struct arena arena = { 0 };
    cr_expect_str_eq(text_safe(&arena, given).data, expected);
    arena_finish(&arena);
}

Test(text, plain_text_stays_as_it_is)
{
    expect_safe(SLICE("refund für 東京 🎉"), "refund für 東京 🎉");
}

Test(text, control_characters_become_visible)
{
    expect_safe(SLICE("a\x1b[2Jb"), "a\\x1b[2Jb");
    expect_safe(SLICE("a\nb\tc\rd"), "a\\nb\\tc\\rd");
    expect_safe(SLICE("nul\0nul"), "nul\\x00nul");
    expect_safe(SLICE("\x7f"), "\\x7f");
    expect_safe(SLICE("\xc2\x9b"), "\\u{9b}"); /* CSI in one character */
}

Test(text, direction_overrides_and_invisible_ones_become_visible)
{
    expect_safe(SLICE("\xe2\x80\xae"), "\\u{202e}");
    expect_safe(SLICE("\xe2\x81\xa6"), "\\u{2066}");
    expect_safe(SLICE("\xe2\x80\x8b"), "\\u{200b}");
    expect_safe(SLICE("\xf3\xa0\x81\x81"), "\\u{e0041}");
}

Test(text, what_is_not_utf8_is_shown_byte_by_byte)
{
    expect_safe(SLICE("a\xff"), "a\\xff");
    expect_safe(SLICE("\xc0\xaf"), "\\xc0\\xaf");          /* overlong */
    expect_safe(SLICE("\xed\xa0\x80"), "\\xed\\xa0\\x80"); /* surrogate */
    expect_safe(SLICE("\xe2\x82"), "\\xe2\\x82");          /* cut off */
    expect_safe(SLICE("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

Test(text, width_counts_columns, .init = set_locale)
{
    cr_expect_eq(text_width(SLICE("abc")), 3);
    cr_expect_eq(text_width(SLICE("für")), 3);
    cr_expect_eq(text_width(SLICE("東京")), 4);
    cr_expect_eq(text_width(SLICE("e\xcc\x81")), 1); /* e and a combining accent */
}

Test(text, cutting_keeps_whole_characters, .init = set_locale)
{
    struct arena arena = { 0 };

    cr_expect_str_eq(text_cut(&arena, SLICE("abcdef"), 4).data, "abc…");
    cr_expect_str_eq(text_cut(&arena, SLICE("abcd"), 4).data, "abcd");
    cr_expect_str_eq(text_cut(&arena, SLICE("東京都"), 4).data,
                     "東…"); /* two columns do not fit */
    cr_expect_eq(text_cut(&arena, SLICE("abc"), 0).size, 0);
    arena_finish(&arena);
}

/* ---- grids ------------------------------------------------------------------------------- */

static const struct grid_title titles[] = {
    { "ID", GRID_PLAIN },
    { "COUNT", GRID_NUMBER },
    { "TEXT", GRID_ELASTIC },
    { NULL, GRID_PLAIN },
};

static void expect_grid(uint32_t width, const char *text, const char *expected)
{
    struct arena arena = { 0 };
    struct buffer out = { 0 };
    struct grid grid;

    grid_init(&grid, &arena, titles);
    grid_row(&grid);
    grid_cell(&grid, 0, SLICE("run_1"));
    grid_format(&grid, 1, "%d", 7);
    grid_cell(&grid, 2, slice_of(text));
    grid_row(&grid);
    grid_cell(&grid, 0, SLICE("run_12"));
    grid_write(&grid, &out, width);
    buffer_byte(&out, '\0');
    cr_expect_str_eq(out.data, expected);
    buffer_finish(&out);
    arena_finish(&arena);
}

Test(grid, columns_are_aligned_and_lines_end_without_spaces, .init = set_locale)
{
    expect_grid(0, "für 東京", "ID      COUNT  TEXT\nrun_1       7  für 東京\nrun_12\n");
}

Test(grid, the_elastic_column_gives_way, .init = set_locale)
{
    expect_grid(28, "a rather long text that does not fit",
                "ID      COUNT  TEXT\nrun_1       7  a rather lon…\nrun_12\n");
}

Test(grid, what_must_not_be_cut_is_not_cut, .init = set_locale)
{
    expect_grid(5, "a rather long text",
                "ID      COUNT  TEXT\nrun_1       7  a rathe…\nrun_12\n");
}

Test(grid, cells_are_made_safe, .init = set_locale)
{
    expect_grid(0, "a\x1b[31m\nb",
                "ID      COUNT  TEXT\nrun_1       7  a\\x1b[31m\\nb\nrun_12\n");
}

/* ---- spans ------------------------------------------------------------------------------- */

Test(span, is_said_in_two_units_at_most)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        { -5, "0ms" },
        { 850, "850ms" },
        { 1000, "1.0s" },
        { 9999, "9.9s" },
        { 12000, "12s" },
        { 60000, "1m" },
        { 200000, "3m20s" },
        { 7500000, "2h5m" },
        { 86400000, "1d" },
        { 372600000, "4d7h" },
        { INT64_C(251606476800000), "7978y142d" },
    };
    struct arena arena = { 0 };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(span_text(&arena, cases[i].ms).data, cases[i].text);
    cr_expect_str_eq(ago_text(&arena, 1000, 13000).data, "12s ago");
    cr_expect_str_eq(ago_text(&arena, 73000, 13000).data, "in 1m");
    cr_expect_str_eq(ago_text(&arena, 0, 13000).data, "-");
    arena_finish(&arena);
}
