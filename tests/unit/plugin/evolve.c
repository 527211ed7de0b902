/* State of another version: what is converted, and with what a field begins. */
#include "state_fixture.h"

TestSuite(evolve, .init = state_begin, .fini = state_end);

struct change {
    const char *stored, *becomes; /* NULL: it does not fit */
};

/* Numbers and BOOL become each other where going back would give the same. */
Test(evolve, numbers_are_converted_where_nothing_is_lost)
{
    static const struct change changes[] = {
        { "{\"i64\":true}", "1" },
        { "{\"i32\":2147483647}", "2147483647" },
        { "{\"i32\":2147483648}", NULL },
        { "{\"i32\":-2147483648}", "-2147483648" },
        { "{\"i32\":-2147483649}", NULL },
        { "{\"u32\":4294967295}", "4294967295" },
        { "{\"u32\":-1}", NULL },
        { "{\"i64\":4294967295}", "4294967295" },
        { "{\"i64\":9223372036854775807}", "9223372036854775807" },
        { "{\"i64\":9223372036854775808}", NULL },
        { "{\"u64\":18446744073709551615}", "18446744073709551615" },
        { "{\"u64\":-1}", NULL },
        { "{\"i32\":5.0}", "5" },
        { "{\"i64\":-9223372036854775808.0}", "-9223372036854775808" },
        { "{\"i64\":9223372036854775808.0}", NULL },
        { "{\"u64\":9223372036854775808.0}", "9223372036854775808" },
        { "{\"u64\":18446744073709551616.0}", NULL },
        { "{\"i32\":0.5}", NULL },
        { "{\"f64\":7}", "7" },
        { "{\"f64\":-9007199254740992}", "-9007199254740992" },
        { "{\"f64\":9007199254740993}", NULL },
        { "{\"f64\":9223372036854775807}", NULL },
        { "{\"f64\":18446744073709551615}", NULL },
        { "{\"f64\":false}", "0" },
        { "{\"yes\":1}", "true" },
        { "{\"yes\":0.0}", "false" },
        { "{\"yes\":2}", NULL },
        { "{\"yes\":-1}", NULL },
        { "{\"i64\":\"5\"}", NULL },
    };
    struct numbers s;

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const struct change *change = &changes[i];
        struct value stored, again;
        pack_json(change->stored);
        bool fits = state_decode(task("numbers"), &arena,
                                 arena_copy(&arena, buffer_view(&packed)), &s, &kept, &report);
        cr_assert_eq(fits, change->becomes != NULL, "%s: %s", change->stored, report.err.text);
        cr_assert(json_read(&arena, slice_of(change->stored), &stored, NULL));
        if (!fits) {
            cr_assert(slice_equal(report.field, stored.members[0].key));
            continue;
        }
        encode("numbers", &s);
        cr_assert(pack_read(&arena, buffer_view(&packed), &again, NULL));
        struct buffer text = { 0 };
        json_write(&text, value_find_slice(&again, stored.members[0].key));
        cr_assert(slice_is(buffer_view(&text), change->becomes) ||
                      (strchr(change->becomes, '.') == NULL &&
                       slice_starts(buffer_view(&text), change->becomes)),
                  "%s becomes %.*s", change->stored, SLICE_ARG(buffer_view(&text)));
        buffer_finish(&text);
    }
}

Test(evolve, fields_begin_as_they_say)
{
    struct beginning s;

    packed.size = 0;
    decode("beginning", &s);
    encode("beginning", &s);

    cr_assert_str_eq(as_json(),
                     "{\"tries\":3,\"low\":-5,\"currency\":\"EUR\",\"yes\":true,\"rate\":0.5,"
                     "\"any\":\"x\",\"none\":0,\"shop\":{\"city\":\"Bern\",\"zip\":0},"
                     "\"shops\":[]}");
}

Test(evolve, fields_begin_so_where_the_stored_state_has_them_not)
{
    struct beginning s;

    pack_json(
        "{\"tries\":0,\"currency\":\"\",\"shop\":{\"zip\":1},\"shops\":[{},{\"city\":\"\"}]}");
    decode("beginning", &s);
    encode("beginning", &s);

    cr_assert_str_eq(as_json(),
                     "{\"tries\":0,\"low\":-5,\"currency\":\"\",\"yes\":true,\"rate\":0.5,"
                     "\"any\":\"x\",\"none\":0,\"shop\":{\"city\":\"Bern\",\"zip\":1},"
                     "\"shops\":[{\"city\":\"Bern\",\"zip\":0},{\"city\":\"\",\"zip\":0}]}");
}

/* For migrate(): what fits is there, and all that does not is named. */
Test(evolve, what_does_not_fit_is_at_its_beginning_and_the_rest_is_read)
{
    struct beginning s;

    pack_json(
        "{\"tries\":\"many\",\"low\":7,\"shops\":[{\"zip\":1},{\"zip\":\"x\"},{\"zip\":3}],"
        "\"rate\":[]}");
    cr_assert_not(
        state_decode(task("beginning"), &arena, buffer_view(&packed), &s, &kept, &report));

    cr_assert_eq(s.tries, 3);
    cr_assert_eq(s.low, 7);
    cr_assert(s.shops.count == 2 && s.shops.item[0].zip == 1 && s.shops.item[1].zip == 0);
    cr_assert_float_eq(s.rate, 0.5, 1e-9);
    cr_assert_eq(report.misfits.count, 3);
    cr_assert(slice_is(report.field, "tries"));
    cr_assert(slice_is(report.cause, "is I32 here, but what is stored is of kind string"));
}

Test(evolve, the_cause_is_alike_for_runs_that_are_alike)
{
    struct numbers s;

    pack_json("{\"i32\":2147483648}");
    (void)state_decode(task("numbers"), &arena, buffer_view(&packed), &s, &kept, &report);
    cr_assert(slice_is(report.cause, "is I32 here, and the number does not fit it"));
    static struct old o;
    pack_json("{\"places\":[{\"zip\":1},{\"zip\":1.5}]}");
    (void)state_decode(task("old"), &arena, buffer_view(&packed), &o, &kept, &report);
    cr_assert(slice_is(report.field, "places[].zip"));
}
