/*
 * The walk asks every branch and takes every mark: what is secret for one schema is secret. In
 * case of doubt a part is secret, too: an object's text where the object should be, a misspelt
 * property beside a secret one.
 */
#include "schema/check/secret.h"

#include "base/suggest.h"

enum { REFERENCES_MAX = 32 };

struct search {
    struct secrets *secrets;
    struct check check; /* steps, depth and the matcher */
};

struct pair {
    const struct schema *schema;
    const struct value *value;
    bool doubts;
};

static void part_search(struct search *search, const struct schema *schema,
                        const struct value *value, bool doubts);

static void secret_mark(struct search *search, const struct value *part)
{
    table_set(&search->secrets->marks, (uint64_t)(uintptr_t)part, NULL);
}

/* Each schema looks at each part once, however many ways lead there. */
static bool pair_is_new(struct search *search, struct pair pair)
{
    uint64_t words[] = { (uint64_t)(uintptr_t)pair.schema, (uint64_t)(uintptr_t)pair.value,
                         pair.doubts };
    uint64_t key = table_hash((struct slice){ (const char *)words, sizeof words }, 0);
    const struct pair *known = table_find(&search->secrets->visited, key);

    if (known != NULL && known->schema == pair.schema && known->value == pair.value &&
        known->doubts == pair.doubts)
        return false;
    struct pair *added = ARENA_NEW(&search->secrets->arena, struct pair);
    *added = pair;
    table_set(&search->secrets->visited, key, added);
    return true;
}

/* ---- doubt ------------------------------------------------------------------------------- */

/* Does `schema` say itself that it takes values of this kind? */
static bool takes(const struct schema *schema, const struct value *value)
{
    uint32_t type = type_of(value);

    for (int i = 0; schema != NULL && i < REFERENCES_MAX; i++) {
        if (schema->types != 0)
            return (schema->types & type) != 0;
        if (schema->constant != NULL)
            return (type_of(schema->constant) & type) != 0;
        if (schema->enumeration != NULL)
            return (schema->enumeration->types & type) != 0;
        if (schema->branches == NULL)
            return false;
        schema = schema->branches->reference;
    }
    return false;
}

static bool list_has_secrets(const struct schema *schema)
{
    const struct list_rules *rules = schema->list;
    const struct branches *branches = schema->branches;
    bool found = branches != NULL && branches->unevaluated_items != NULL &&
                 branches->unevaluated_items->has_secrets;

    if (rules == NULL)
        return found;
    for (uint32_t i = 0; !found && i < rules->prefix.count; i++)
        found = rules->prefix.items[i]->has_secrets;
    return found || (rules->items != NULL && rules->items->has_secrets) ||
           (rules->contains != NULL && rules->contains->has_secrets);
}

static bool map_has_secrets(const struct schema *schema)
{
    const struct map_rules *rules = schema->map;
    const struct branches *branches = schema->branches;
    bool found = branches != NULL && branches->unevaluated_members != NULL &&
                 branches->unevaluated_members->has_secrets;

    if (rules == NULL)
        return found;
    for (uint32_t i = 0; !found && i < rules->property_count; i++)
        found = rules->properties[i].schema != NULL && rules->properties[i].schema->has_secrets;
    for (uint32_t i = 0; !found && i < rules->pattern_count; i++)
        found = rules->patterns[i].schema->has_secrets;
    return found || (rules->additional != NULL && rules->additional->has_secrets);
}

/* A value of another kind than the one that would hold the secret may be the secret itself, or
 * its holder written as text. */
static bool is_doubtful(const struct schema *schema, const struct value *value)
{
    if (value->kind == VALUE_NULL)
        return false;
    if (schema->types != 0)
        return (schema->types & type_of(value)) == 0;
    if (value->kind != VALUE_LIST && value->kind != VALUE_MAP)
        return list_has_secrets(schema) || map_has_secrets(schema);
    return value->kind == VALUE_LIST ? !list_has_secrets(schema) && map_has_secrets(schema)
                                     : !map_has_secrets(schema) && list_has_secrets(schema);
}

/* Nobody knows this member. Is it a secret one, misspelt? */
static bool is_misspelt_secret(struct search *search, const struct map_rules *rules,
                               struct slice name, bool doubts)
{
    struct suggestion near;

    if (doubts && rules->additional != NULL && rules->additional->is_never)
        return true; /* it is refused, so nobody needs to see it */
    suggestion_init(&near, name);
    if (!check_spend(&search->check, rules->property_count))
        return true;
    for (uint32_t i = 0; i < rules->property_count; i++)
        if (rules->properties[i].schema != NULL && rules->properties[i].schema->has_secrets)
            suggestion_offer(&near, rules->properties[i].name);
    return near.best.size > 0;
}

/* ---- the walk ---------------------------------------------------------------------------- */

static void member_search(struct search *search, const struct schema *schema,
                          const struct member *member, bool doubts)
{
    const struct map_rules *rules = schema->map;
    const struct property *property = property_find(rules, member->key);
    bool is_known = property != NULL && property->schema != NULL;

    if (is_known)
        part_search(search, property->schema, &member->value, true);
    for (uint32_t i = 0; i < rules->pattern_count; i++) {
        if (pattern_match(rules->patterns[i].pattern, &search->check.matcher, member->key) ==
            MATCH_NO)
            continue; /* one that takes too long may match */
        is_known = true;
        part_search(search, rules->patterns[i].schema, &member->value, true);
    }
    if (is_known)
        return;
    part_search(search, rules->additional, &member->value, true);
    if (map_has_secrets(schema) && is_misspelt_secret(search, rules, member->key, doubts))
        secret_mark(search, &member->value);
}

static void map_search(struct search *search, const struct schema *schema,
                       const struct value *map, bool doubts)
{
    const struct schema *rest =
        schema->branches == NULL ? NULL : schema->branches->unevaluated_members;

    for (uint32_t i = 0; i < map->count && !search->secrets->is_all; i++) {
        if (schema->map != NULL)
            member_search(search, schema, &map->members[i], doubts);
        part_search(search, rest, &map->members[i].value, true);
    }
    for (uint32_t i = 0; schema->map != NULL && i < schema->map->dependent_count; i++)
        part_search(search, schema->map->dependents[i].schema, map, false);
}

static void list_search(struct search *search, const struct schema *schema,
                        const struct value *list)
{
    const struct list_rules *rules = schema->list;
    const struct schema *rest =
        schema->branches == NULL ? NULL : schema->branches->unevaluated_items;

    for (uint32_t i = 0; i < list->count && !search->secrets->is_all; i++) {
        const struct value *item = &list->items[i];
        part_search(search, rest, item, true);
        if (rules == NULL)
            continue;
        part_search(search, i < rules->prefix.count ? rules->prefix.items[i] : rules->items,
                    item, true);
        part_search(search, rules->contains, item, false);
    }
}

/* One of several: the doubts of the others do not count when one takes the value as it is. */
static void alternatives_search(struct search *search, const struct schema_list *list,
                                const struct value *value, bool doubts)
{
    for (uint32_t i = 0; doubts && i < list->count; i++)
        doubts = !takes(list->items[i], value);
    for (uint32_t i = 0; i < list->count; i++)
        part_search(search, list->items[i], value, doubts);
}

/* Any schema that the reference may mean, wherever it is called from. */
static void dynamic_search(struct search *search, const struct schema *schema,
                           const struct value *value, bool doubts)
{
    const struct branches *branches = schema->branches;
    const struct resource *resource = schema->resource->program->resources;

    part_search(search, branches->dynamic, value, doubts);
    if (branches->dynamic_name.size == 0)
        return;
    for (; resource != NULL; resource = resource->next)
        for (const struct dynamic_anchor *one = resource->dynamic; one != NULL; one = one->next)
            if (check_spend(&search->check, 1) &&
                slice_equal(one->name, branches->dynamic_name))
                part_search(search, one->schema, value, doubts);
}

static void branches_search(struct search *search, const struct schema *schema,
                            const struct value *value, bool doubts)
{
    const struct branches *branches = schema->branches;

    part_search(search, branches->reference, value, doubts);
    if (branches->dynamic != NULL)
        dynamic_search(search, schema, value, doubts);
    for (uint32_t i = 0; i < branches->all.count; i++)
        part_search(search, branches->all.items[i], value, doubts);
    alternatives_search(search, &branches->any, value, doubts);
    alternatives_search(search, &branches->one, value, doubts);
    part_search(search, branches->negated, value, false);
    part_search(search, branches->when, value, false);
    part_search(search, branches->then, value, false);
    part_search(search, branches->otherwise, value, false);
}

static void part_search(struct search *search, const struct schema *schema,
                        const struct value *value, bool doubts)
{
    struct check *check = &search->check;

    if (schema == NULL || !schema->has_secrets || search->secrets->is_all)
        return;
    if (check->depth >= CHECK_MAX_DEPTH || !check_spend(check, 1)) {
        search->secrets->is_all = true;
        return;
    }
    if (!pair_is_new(search, (struct pair){ schema, value, doubts }))
        return;
    bool holds_one =
        value->kind == VALUE_STRING && schema->content != NULL && schema->content->has_secrets;
    if (schema->is_secret || holds_one || (doubts && is_doubtful(schema, value))) {
        secret_mark(search, value);
        return;
    }
    check->depth++;
    if (schema->branches != NULL)
        branches_search(search, schema, value, doubts);
    if (value->kind == VALUE_MAP)
        map_search(search, schema, value, doubts);
    if (value->kind == VALUE_LIST)
        list_search(search, schema, value);
    check->depth--;
}

/* ---- finding and asking ------------------------------------------------------------------ */

bool secrets_find(struct secrets *secrets, const struct schema *schema,
                  const struct value *value)
{
    struct search search = { .secrets = secrets };

    if (schema == NULL || !schema->has_secrets)
        return false;
    *secrets = (struct secrets){ 0 };
    table_init(&secrets->marks, &secrets->arena);
    table_init(&secrets->visited, &secrets->arena);
    check_init(&search.check, &secrets->arena);
    part_search(&search, schema, value, true);
    secrets->is_all |= search.check.is_over;
    check_finish(&search.check);
    return true;
}

void secrets_finish(struct secrets *secrets)
{
    arena_finish(&secrets->arena);
}

bool secret_is(const struct secrets *secrets, const struct value *part)
{
    return secrets != NULL &&
           (secrets->is_all || table_has(&secrets->marks, (uint64_t)(uintptr_t)part));
}

const struct spot *secret_above(const struct secrets *secrets, const struct spot *spot)
{
    const struct spot *found = NULL;

    for (; secrets != NULL && spot != NULL; spot = spot->up)
        if (secret_is(secrets, spot->value))
            found = spot;
    return found;
}

/* ---- putting a text in their place ------------------------------------------------------- */

bool schema_has_secrets(const struct schema *schema)
{
    return schema != NULL && schema->has_secrets;
}

static bool holds_secret(const struct secrets *secrets, const struct value *value)
{
    bool found = secret_is(secrets, value);

    for (uint32_t i = 0; value->kind == VALUE_LIST && !found && i < value->count; i++)
        found = holds_secret(secrets, &value->items[i]);
    for (uint32_t i = 0; value->kind == VALUE_MAP && !found && i < value->count; i++)
        found = holds_secret(secrets, &value->members[i].value);
    return found;
}

/* `value` at its old place, which the marks are about, becomes what this returns. */
static struct value without_secrets(const struct secrets *secrets, const struct value *value,
                                    struct arena *arena)
{
    struct value copy = *value;

    if (secret_is(secrets, value))
        return value_text("[secret]");
    if ((value->kind != VALUE_LIST && value->kind != VALUE_MAP) ||
        !holds_secret(secrets, value))
        return copy;
    if (value->kind == VALUE_LIST) {
        copy.items = ARENA_ARRAY(arena, struct value, slots_for(value->count));
        for (uint32_t i = 0; i < value->count; i++)
            copy.items[i] = without_secrets(secrets, &value->items[i], arena);
        return copy;
    }
    copy.members = ARENA_ARRAY(arena, struct member, slots_for(value->count));
    for (uint32_t i = 0; i < value->count; i++)
        copy.members[i] = (struct member){
            value->members[i].key,
            without_secrets(secrets, &value->members[i].value, arena),
        };
    return copy;
}

void schema_redact(const struct schema *schema, struct value *value, struct arena *arena)
{
    struct secrets secrets;

    if (!secrets_find(&secrets, schema, value))
        return;
    *value = without_secrets(&secrets, value, arena);
    secrets_finish(&secrets);
}
