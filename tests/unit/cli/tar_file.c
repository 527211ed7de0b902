/* Tar files: what is written is read again, by others too, and what is broken is told. */
#include "cli/plugins/tar_file.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buffer made;

static void set_up(void)
{
    made = (struct buffer){ 0 };
    tar_add(&made, "run_1/bundle.json", SLICE("{}\n"), 1795901048993);
    tar_add(&made, "run_1/plugin.so", SLICE(""), 0);
    tar_end(&made);
}

static void tear_down(void)
{
    buffer_finish(&made);
}

TestSuite(tar_file, .init = set_up, .fini = tear_down);

Test(tar_file, what_is_written_is_read_again)
{
    struct tar_file files[TAR_FILES_MAX];
    uint32_t count;
    struct err err = { 0 };

    cr_assert(tar_read(buffer_view(&made), files, &count, &err), "%s", err.text);

    cr_assert_eq(count, 2);
    cr_assert(slice_is(files[0].name, "run_1/bundle.json"));
    cr_assert(slice_is(files[0].bytes, "{}\n"));
    cr_assert_eq(files[1].bytes.size, 0);
    cr_assert_eq(made.size % 512, 0);
}

Test(tar_file, one_that_is_cut_or_changed_or_none_is_refused)
{
    struct tar_file files[TAR_FILES_MAX];
    uint32_t count;
    struct err err = { 0 };

    cr_assert_not(tar_read((struct slice){ made.data, 513 }, files, &count, &err));
    cr_assert_str_eq(err.text, "it is cut short");
    cr_assert_not(tar_read((struct slice){ made.data, 511 }, files, &count, &err));
    cr_assert_not(tar_read((struct slice){ NULL, 0 }, files, &count, &err));
    made.data[3]++;
    cr_assert_not(tar_read(buffer_view(&made), files, &count, &err));
    cr_assert_str_eq(err.text, "it is no tar file, or a broken one");
}

/* A size in the header that is larger than all memory does not move the reader beyond its end.
 */
Test(tar_file, sizes_that_lie_are_not_followed)
{
    struct tar_file files[TAR_FILES_MAX];
    uint32_t count;
    struct err err = { 0 };
    struct buffer many = { 0 };

    for (int i = 0; i <= TAR_FILES_MAX; i++)
        tar_add(&many, "a", SLICE("b"), 0);
    cr_assert_not(tar_read(buffer_view(&many), files, &count, &err));
    buffer_finish(&many);
}
