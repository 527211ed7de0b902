/* Expressions over a payload. */
#include "codec/expression.h"

#include "codec/json.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct buffer out;
static struct expression_flaw flaw;

static void finish(void)
{
    arena_finish(&arena);
    buffer_finish(&out);
}

TestSuite(expression, .fini = finish);

static const char *const payload_text =
    "{\"vip\": true, \"n\": 7, \"x\": 2.5, \"name\": \"ada\", \"none\": null, \"odd name\": 1,"
    " \"big\": 9223372036854775807, \"huge\": 18446744073709551615, \"tags\": [\"a\", \"b\", "
    "3],"
    " \"customer\": {\"plan\": \"gold\", \"seats\": [1, 2]}, \"text\": \"gr\\u00fc\\u00df\"}";

/* As JSON; "line:column text" of the flaw where there is no value. */
static const char *given(const char *text, enum expression_want want)
{
    struct value payload, value;
    struct err err;

    cr_assert(json_read(&arena, slice_of(payload_text), &payload, &err), "%s", err.text);
    const struct expression *expression =
        expression_compile(&arena, slice_of(text), want, &flaw);
    out.size = 0;
    if (expression == NULL)
        buffer_format(&out, "never: %d:%d %s", flaw.line, flaw.column, flaw.text);
    else if (!expression_value(expression, &payload, &arena, &value, &flaw))
        buffer_format(&out, "%d:%d %s", flaw.line, flaw.column, flaw.text);
    else
        json_write(&out, &value);
    buffer_byte(&out, '\0');
    return out.data;
}

struct example {
    const char *text, *gives;
};

static void examples_check(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = given(examples[i].text, EXPRESSION_ANY);
        cr_expect_str_eq(text, examples[i].gives, "%s gives %s, not %s", examples[i].text, text,
                         examples[i].gives);
    }
}

#define CHECK(examples) examples_check(examples, sizeof(examples) / sizeof *(examples))

Test(expression, literals_members_and_items)
{
    static const struct example examples[] = {
        { "1", "1" },
        { "-1.5e3", "-1500.0" },
        { "'it\\'s' ", "\"it's\"" },
        { "\"\\u00fc\\n\"", "\"ü\\n\"" },
        { "[1, 'a', []]", "[1,\"a\",[]]" },
        { "null", "null" },
        { "payload.n", "7" },
        { "payload['odd name']", "1" },
        { "payload.customer.seats[1]", "2" },
        { "payload . customer\n. plan", "\"gold\"" },
        { "has(payload.vip)", "true" },
        { "has(payload.none)", "true" },
        { "has(payload.customer.price)", "false" },
        { "'odd name' in payload", "true" },
        { "payload.absent", "1:9 there is no member \"absent\"" },
        { "payload.customer.seats[2]", "1:23 there is no item 2, the list has 2" },
        { "payload.customer.seats[-1]", "1:23 there is no item -1, the list has 2" },
        { "payload.n.x", "1:11 . takes an object, not integer" },
        { "has(payload.n.x)", "1:1 . takes an object, not integer" },
        { "payload.tags['a']", "1:13 [ ] takes a list and a number, or an object and a string, "
                               "not array and string" },
    };
    CHECK(examples);
}

Test(expression, operators_bind_as_in_cel)
{
    static const struct example examples[] = {
        { "1 + 2 * 3", "7" },
        { "(1 + 2) * 3", "9" },
        { "10 - 3 - 2", "5" },
        { "-7 / 2", "-3" },
        { "-7 % 2", "-1" },
        { "1 + 2.5", "3.5" },
        { "7 / 2.0", "3.5" },
        { "'a' + 'b'", "\"ab\"" },
        { "1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", "true" },
        { "1 == 1.0", "true" },
        { "'a' < 'b'", "true" },
        { "payload.big < payload.huge", "true" },
        { "payload.big == payload.huge", "false" },
        { "true || false && false", "true" },
        { "!payload.vip || payload.n != 7", "false" },
        { "payload.vip ? payload.n > 5 ? 2 : 1 : 0", "2" },
        { "payload.n in [1, 7]", "true" },
        { "'3' in payload.tags", "false" },
        { "3.0 in payload.tags", "true" },
        { "payload.name == 7", "false" },
        { "payload.none == null", "true" },
        { "1 + 1 in [2] == true", "true" },
    };
    CHECK(examples);
}

Test(expression, functions)
{
    static const struct example examples[] = {
        { "size(payload.text)", "4" },
        { "size(payload.tags) + size(payload.customer)", "5" },
        { "payload.name.size()", "3" },
        { "payload.name.startsWith('ad')", "true" },
        { "payload.name.endsWith('da')", "true" },
        { "payload.name.contains('x')", "false" },
        { "''.contains('')", "true" },
        { "'a'.startsWith('ab')", "false" },
        { "string(payload.n) + '/' + payload.name", "\"7/ada\"" },
        { "string(payload.x)", "\"2.5\"" },
        { "size(payload.n)", "1:1 size takes a string, a list or an object, not integer" },
    };
    CHECK(examples);
}

Test(expression, what_has_no_value_says_why_and_where)
{
    static const struct example examples[] = {
        { "payload.n + payload.name",
          "1:11 + takes two numbers or two strings, not integer and "
          "string" },
        { "payload.n / 0", "1:11 a division by 0" },
        { "payload.x / 0", "1:11 a division by 0" },
        { "payload.n % 0", "1:11 a division by 0" },
        { "payload.x % 2", "1:11 % takes integers" },
        { "payload.big + 1", "1:13 the number is too large" },
        { "(-payload.big - 1) / -1", "1:20 the number is too large" },
        { "(-payload.big - 1) % -1", "0" },
        { "1e308 * 10.0 * payload.n", "1:7 the number is too large" },
        { "payload.tags == payload.tags", "1:14 == takes no lists and objects, not array and "
                                          "array" },
        { "payload.name ? 1 : 2", "1:14 ? takes true or false, not string" },
        { "payload.n && true", "1:11 && takes true or false, not integer" },
        { "\npayload.text == 'ü' && payload.oops", "false" },
        { "'grüß' == payload.text &&\n payload.oops", "2:10 there is no member \"oops\"" },
    };
    CHECK(examples);
}

/* As in CEL: a side that decides does so whatever the other one is. */
Test(expression, one_side_of_a_logical_operator_can_decide)
{
    static const struct example examples[] = {
        { "payload.oops || payload.vip", "true" },
        { "payload.vip || payload.oops", "true" },
        { "payload.oops && false", "false" },
        { "has(payload.oops) && payload.oops > 3", "false" },
        { "payload.oops || false", "1:9 there is no member \"oops\"" },
    };
    CHECK(examples);
}

Test(expression, what_can_never_be_right_is_refused_at_once)
{
    static const struct example examples[] = {
        { "", "never: 1:1 it ends where a value should be" },
        { "1 +", "never: 1:4 it ends where a value should be" },
        { "1 2", "never: 1:3 an operator or the end should be here, not 2" },
        { "payload.", "never: 1:9 it ends where the name of a member should be" },
        { "(1", "never: 1:3 it ends where ) should be" },
        { "'grüß' + 'a", "never: 1:10 the string that begins here has no end" },
        { "'\\q'", "never: 1:2 \\ must be followed by one of \\ \" ' n r t, or by u and four "
                   "digits of a character" },
        { "'\\ud800'", "never: 1:2 \\ must be followed by one of \\ \" ' n r t, or by u and "
                       "four digits of a character" },
        { "12u", "never: 1:3 a number ends in 'u'" },
        { "9223372036854775808", "never: 1:1 this number is above 9223372036854775807" },
        { "vip", "never: 1:1 \"vip\" is not known here: payload, true, false and null are, and "
                 "texts stand in quotes" },
        { "len(payload)", "never: 1:1 there is no function len: has, size and string are" },
        { "payload.name.matches('a')", "never: 1:14 there is no .matches(…): startsWith, "
                                       "endsWith, contains and size are" },
        { "has(payload)", "never: 1:1 has() takes a member, like has(payload.name)" },
        { "1 + 'a'", "never: 1:3 + takes two numbers or two strings" },
        { "!1", "never: 1:1 ! takes true or false" },
        { "1 == 'a'", "never: 1:3 what is left and right of == is never equal" },
        { "1 ? 2 : 3", "never: 1:3 ? takes true or false" },
        { "payload.vip ? 1", "never: 1:16 it ends where : should be" },
        { "payload.vip = true", "never: 1:13 an operator or the end should be here, not =" },
        { "payload.n\n + €", "never: 2:4 a value should be here, not €" },
    };
    CHECK(examples);
}

Test(expression, gives_what_is_wanted_or_nothing)
{
    cr_expect_str_eq(given("payload.n", EXPRESSION_NUMBER), "7");
    cr_expect_str_eq(given("'a'", EXPRESSION_NUMBER),
                     "never: 1:1 it must give a number, and never does");
    cr_expect_str_eq(given("payload.name", EXPRESSION_NUMBER),
                     "1:9 it gives string, and must give a number");
    cr_expect_str_eq(given("payload.name", EXPRESSION_TEXT), "\"ada\"");
    cr_expect_str_eq(given("payload.n", EXPRESSION_TEXT), "\"7\"");
    cr_expect_str_eq(given("payload.x", EXPRESSION_TEXT),
                     "1:9 it gives number, and must give a string or an integer");
    cr_expect_str_eq(given("payload.n > 3", EXPRESSION_BOOL), "true");
    cr_expect_str_eq(given("payload.vip ? 1 : 'a'", EXPRESSION_NUMBER), "1");
}

static const char *repeated(const char *text, int times, const char *end)
{
    struct buffer made = { 0 };

    for (int i = 0; i < times; i++)
        buffer_text(&made, text);
    buffer_text(&made, end);
    const char *copy = arena_text(&arena, buffer_view(&made));
    buffer_finish(&made);
    return copy;
}

Test(expression, is_bounded_in_length_depth_and_parts)
{
    cr_expect_str_eq(given(repeated(" ", 2000, "1"), EXPRESSION_ANY),
                     "never: 1:1 an expression has at most 2000 bytes, and this one has 2001");
    cr_expect(strstr(given(repeated("(", 1000, ""), EXPRESSION_ANY), "more than 32 levels"));
    cr_expect(
        strstr(given(repeated("!", 1000, "true"), EXPRESSION_ANY), "more than 32 levels"));
    cr_expect(strstr(given(repeated("[", 1000, ""), EXPRESSION_ANY), "more than 32 levels"));
    cr_expect(strstr(given(repeated("1+", 400, "1"), EXPRESSION_ANY), "more than 400 parts"));
    cr_expect_str_eq(given(repeated("1+", 150, "1"), EXPRESSION_ANY), "151");
}

Test(expression, is_bounded_in_steps)
{
    struct value payload = value_map(), list = value_list(), value;
    const char *text = repeated("1 in payload.a || ", 30, "false");

    for (int i = 0; i < 50000; i++)
        value_add(&arena, &list, value_int(0));
    value_put(&arena, &payload, "a", list);
    const struct expression *expression =
        expression_compile(&arena, slice_of(text), EXPRESSION_BOOL, &flaw);
    cr_assert(expression != NULL, "%s", flaw.text);
    cr_expect_not(expression_value(expression, &payload, &arena, &value, &flaw));
    cr_expect_str_eq(flaw.text, "it takes more than 1000000 steps");
    cr_expect(slice_is(expression_text(expression), text));
}
