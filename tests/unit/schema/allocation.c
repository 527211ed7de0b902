/*
 * Checking a value that is right takes no memory: neither from the arena nor from the heap. The
 * sanitizer's allocator tells; without it the heap cannot be watched and the test is skipped.
 */
#include "helper.h"

extern int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
                                                     void (*)(const volatile void *))
    __attribute__((weak));

static uint32_t allocation_count;

static void on_malloc(const volatile void *memory, size_t size)
{
    (void)memory;
    (void)size;
    allocation_count++;
}

static void on_free(const volatile void *memory)
{
    (void)memory; /* only what is taken counts */
}

static const char schema[] =
    "input:\n"
    "  $ref: \"#/$defs/order\"\n"
    "  unevaluatedProperties: false\n"
    "$defs:\n"
    "  order:\n"
    "    $dynamicAnchor: node\n"
    "    type: object\n"
    "    required: [id, lines]\n"
    "    properties:\n"
    "      id: {type: string, pattern: \"^[A-Z]-[0-9]+$\", minLength: 1, maxLength: 64}\n"
    "      at: {type: string, format: date-time}\n"
    "      state: {enum: [new, paid, {x: 1}]}\n"
    "      pin: {type: string, secret: true}\n"
    "      total: {type: number, minimum: 0, multipleOf: 0.01}\n"
    "      parent: {$dynamicRef: \"#node\"}\n"
    "      lines:\n"
    "        type: array\n"
    "        uniqueItems: true\n"
    "        contains: {required: [sku]}\n"
    "        items:\n"
    "          oneOf:\n"
    "            - {required: [sku], properties: {sku: {type: integer}}}\n"
    "            - {required: [text], properties: {text: {type: string}}, not: {required: "
    "[sku]}}\n"
    "    patternProperties: {\"^x-\": {type: [string, \"null\"]}}\n"
    "    propertyNames: {maxLength: 20}\n"
    "    dependentRequired: {at: [state]}\n"
    "    if: {required: [parent]}\n"
    "    then: {properties: {parent: {required: [id]}}}\n"
    "    allOf: [{maxProperties: 20}]\n"
    "    anyOf: [{required: [missing]}, true]\n";

static const char json[] =
    "{\"id\": \"A-1\", \"at\": \"2026-01-02T03:04:05Z\", \"state\": \"new\", \"pin\": \"1\", "
    "\"total\": 19.99, \"lines\": [{\"sku\": 1}, {\"text\": \"b\"}, {\"sku\": 2}], \"x-a\": "
    "null, "
    "\"parent\": {\"id\": \"B-2\", \"lines\": [{\"sku\": 5}]}}";

Test(allocation, a_valid_value_takes_no_memory)
{
    struct schema_file *file = file_of(schema);
    struct value value = value_of(json);
    struct problems problems = { 0 };
    struct arena own = { 0 };

    if (__sanitizer_install_malloc_and_free_hooks == NULL)
        cr_skip_test("only the sanitizer's allocator can be watched");
    cr_assert_neq(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free), 0);
    allocation_count = 0;
    bool fine = schema_check(schema_input(file), &value, &own, &problems);
    uint32_t taken = allocation_count;
    free(malloc(1));

    cr_assert(fine, "%s", problems_said(&problems));
    cr_assert_eq(taken, 0, "%u allocations", taken);
    cr_assert_eq(own.used_bytes, 0);
    cr_assert_gt(allocation_count, 0, "the allocator is not watched");
    schema_file_destroy(file);
}
