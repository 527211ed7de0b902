/* Rows as earlier versions wrote them: what they did not know reads as "none". */
#include "store/sqlite/rows/pack_row.h"

#include <criterion/criterion.h>

/* Of a delayed run of 1.0, before a run kept the hash of its schema file. */
static const char run_of_1_0[] = "\x08\x02\x40\x80\xf4\xee\x06\x42\x00\x48\x80\xf4"
                                 "\xee\x06\x50\xff\xff\xff\xaf\x03\x66\x02\x71\x03"
                                 "\x91\xa1\x78\x7b\x03\x00\x00\x00";

Test(sqlite_old_rows, a_run_without_a_schema_hash)
{
    struct run run = { .id = INT64_C(382850476418269184) };
    struct row_words words;

    cr_assert(row_unpack(ROW_RUN, (struct slice){ run_of_1_0, sizeof run_of_1_0 - 1 }, &run.row,
                         &words));

    cr_assert_eq(run.status, RUN_DELAYED);
    cr_assert_eq(run.due_ms - run.created_ms, 7200000);
    cr_assert(slice_is(run.tags, "\x91\xa1x"));
    cr_assert_eq(run.schema.size, 0);
    cr_assert_eq(run.schema_now.size, 0);
    cr_assert_eq(run.secrets, 0);
}

/* And as long as nothing is known of a schema, a row is not a byte longer than it was. */
Test(sqlite_old_rows, is_written_as_it_was)
{
    struct run run = { .id = INT64_C(382850476418269184) };
    struct row_words words;
    struct buffer out = { 0 };
    struct slice old = { run_of_1_0, sizeof run_of_1_0 - 1 };

    cr_assert(row_unpack(ROW_RUN, old, &run.row, &words));
    row_pack(ROW_RUN, &run.row, &words, &out);

    cr_assert(slice_equal(buffer_view(&out), old));
    buffer_finish(&out);
}
