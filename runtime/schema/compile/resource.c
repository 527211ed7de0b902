/*
 * What schemas are called, and what a `$ref` means.
 *
 *   reference ──base URI──▶ URI without fragment ──▶ resource ──fragment──▶ node ──▶ schema
 *                                    │ none yet: the document is looked for and added
 *                                    ▼
 *                       "" the root · "/a/b" a JSON pointer · "name" an $anchor
 */
#include "base/suggest.h"
#include "schema/compile/compile.h"
#include "schema/compile/metaschema.h"
#include "schema/document/uri.h"

#include <inttypes.h>

static uint64_t address_of(const struct node *node)
{
    return (uint64_t)(uintptr_t)node;
}

struct resource *resource_of(const struct compiler *compiler, const struct node *node)
{
    return table_find(&compiler->homes, address_of(node));
}

static struct resource *resource_find(const struct compiler *compiler, struct slice uri)
{
    struct resource *one = table_find(&compiler->uris, table_hash(uri, 0));

    if (one == NULL || slice_equal(one->uri, uri))
        return one;
    for (one = compiler->resources; one != NULL; one = one->next) /* two URIs, one hash */
        if (slice_equal(one->uri, uri))
            break;
    return one;
}

static struct resource *resource_make(struct compiler *compiler, struct slice uri,
                                      struct slice file, const struct node *root)
{
    struct resource *resource = ARENA_NEW(compiler->arena, struct resource);

    *resource = (struct resource){
        .program = compiler->program, .uri = uri, .file = file, .root = root
    };
    resource->next = compiler->resources;
    compiler->resources = resource;
    table_set(&compiler->uris, table_hash(uri, 0), resource);
    return resource;
}

/* A document by its URI: one that is built in, or one that the compiler's owner knows. */
static bool document_fetch(struct compiler *compiler, struct slice uri, struct node *root,
                           struct slice *file, struct slice *reason)
{
    const char *text = metaschema_find(uri);
    struct report report = { &compiler->scratch, &(struct problems){ 0 }, uri };

    if (text != NULL)
        return document_read(compiler->arena, slice_of(text), root, &report);
    if (compiler->find == NULL || compiler->file_count >= PROGRAM_MAX_FILES)
        return false;
    compiler->file_count++;
    return compiler->find(compiler->find_context, compiler->arena, uri, root, file, reason);
}

/* ---- the index --------------------------------------------------------------------------- */

static bool index_complain(struct compiler *compiler, const struct resource *home,
                           const struct entry *entry, const char *text)
{
    compiler->report.file = home->file;
    return report_add(&compiler->report, entry->node.line, entry->node.column, "%.*s %s",
                      SLICE_ARG(entry->key), text);
}

/* An $id opens a resource of its own inside its document. */
static struct resource *id_read(struct compiler *compiler, const struct node *node,
                                struct resource *home)
{
    const struct entry *id = node_find(node, "$id");

    if (id == NULL)
        return home;
    if (id->node.kind != VALUE_STRING) {
        index_complain(compiler, home, id, "must be a URI reference as text");
        return home;
    }
    if (compiler->is_strict && uri_split(id->node.text).fragment.size > 0) {
        index_complain(compiler, home, id, "must not have a fragment; $anchor gives a name");
        return home;
    }
    struct slice uri = uri_resolve(compiler->arena, home->uri, id->node.text);
    struct resource *known = resource_find(compiler, uri);
    if (known == NULL) {
        known = resource_make(compiler, uri, home->file, node);
        known->skips_validation = home->skips_validation;
        known->asserts_formats = home->asserts_formats;
    }
    if (known->root != node && known->root->entries != node->entries)
        index_complain(compiler, home, id, "is taken by another schema");
    return known;
}

static bool vocabulary_is_known(struct slice uri)
{
    static const char *const names[] = { "core",       "applicator",      "unevaluated",
                                         "validation", "meta-data",       "format-annotation",
                                         "content",    "format-assertion" };
    static const char prefix[] = METASCHEMA_VOCABULARY;

    if (!slice_starts(uri, prefix))
        return false;
    struct slice name = { uri.data + sizeof prefix - 1, uri.size - (sizeof prefix - 1) };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_is(name, names[i]))
            return true;
    return false;
}

/* $schema names a dialect: ours, or one whose $vocabulary says what it leaves out. */
static void dialect_read(struct compiler *compiler, const struct node *node,
                         struct resource *home)
{
    const struct entry *entry = node_find(node, "$schema");
    struct slice file, reason = { 0 };
    struct node root;

    if (entry == NULL || entry->node.kind != VALUE_STRING ||
        slice_is(entry->node.text, METASCHEMA_URI))
        return;
    if (compiler->is_strict) {
        index_complain(compiler, home, entry, "must be " METASCHEMA_URI);
        return;
    }
    if (!document_fetch(compiler, entry->node.text, &root, &file, &reason))
        return;
    const struct entry *vocabulary = node_find(&root, "$vocabulary");
    if (vocabulary == NULL || vocabulary->node.kind != VALUE_MAP)
        return;
    home->skips_validation = node_find(&vocabulary->node, METASCHEMA_VALIDATION) == NULL;
    home->asserts_formats = node_find(&vocabulary->node, METASCHEMA_FORMATS) != NULL;
    for (uint32_t i = 0; i < vocabulary->node.count; i++) {
        const struct entry *one = &vocabulary->node.entries[i];
        if (one->node.kind == VALUE_BOOL && one->node.boolean && !vocabulary_is_known(one->key))
            index_complain(compiler, home, entry, "needs a vocabulary that is not known here");
    }
}

/* The names that the standard allows. */
static bool name_is(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        bool is_other = (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!is_letter && (i == 0 || !is_other))
            return false;
    }
    return true;
}

static const struct anchor_name *anchor_search(const struct compiler *compiler,
                                               const struct resource *home, struct slice name)
{
    const struct anchor_name *anchor =
        table_find(&compiler->names, table_hash(name, (uint64_t)(uintptr_t)home));

    if (anchor == NULL || slice_equal(anchor->name, name))
        return anchor;
    for (anchor = home->anchors; anchor != NULL; anchor = anchor->next)
        if (slice_equal(anchor->name, name))
            break;
    return anchor;
}

static void anchor_read(struct compiler *compiler, const struct node *node,
                        struct resource *home, const char *keyword, bool is_dynamic)
{
    const struct entry *entry = node_find(node, keyword);

    if (entry == NULL)
        return;
    if (entry->node.kind != VALUE_STRING || entry->node.text.size == 0) {
        index_complain(compiler, home, entry, "must be a name");
        return;
    }
    if (!name_is(entry->node.text)) {
        index_complain(compiler, home, entry,
                       "must be letters, digits and . _ - and begin with a letter or _");
        return;
    }
    const struct anchor_name *twin = anchor_search(compiler, home, entry->node.text);
    if (twin != NULL && twin->node->entries != node->entries) { /* an alias is no twin */
        index_complain(compiler, home, entry, "is the name of another schema, too");
        return;
    }
    struct anchor_name *anchor = ARENA_NEW(compiler->arena, struct anchor_name);
    *anchor = (struct anchor_name){ entry->node.text, node, is_dynamic, home->anchors };
    home->anchors = anchor;
    table_set(&compiler->names, table_hash(anchor->name, (uint64_t)(uintptr_t)home), anchor);
    if (is_dynamic) {
        struct dynamic_anchor *dynamic = ARENA_NEW(compiler->arena, struct dynamic_anchor);
        *dynamic =
            (struct dynamic_anchor){ anchor->name, schema_at(compiler, node), home->dynamic };
        home->dynamic = dynamic;
    }
}

static void below_index(struct compiler *compiler, const struct entry *entry,
                        enum keyword_shape shape, struct resource *home)
{
    const struct node *node = &entry->node;

    if (shape == HOLDS_SCHEMA)
        resource_index(compiler, node, home);
    for (uint32_t i = 0; shape == HOLDS_LIST && node->kind == VALUE_LIST && i < node->count;
         i++)
        resource_index(compiler, &node->items[i], home);
    for (uint32_t i = 0; shape == HOLDS_MAP && node->kind == VALUE_MAP && i < node->count; i++)
        resource_index(compiler, &node->entries[i].node, home);
}

void resource_index(struct compiler *compiler, const struct node *node, struct resource *home)
{
    if (resource_of(compiler, node) != NULL)
        return; /* reached through an alias before */
    home = id_read(compiler, node, home);
    table_set(&compiler->homes, address_of(node), home);
    if (node->kind != VALUE_MAP)
        return;
    if (home->root == node || compiler->is_strict)
        dialect_read(compiler, node, home);
    anchor_read(compiler, node, home, "$anchor", false);
    anchor_read(compiler, node, home, "$dynamicAnchor", true);
    for (uint32_t i = 0; i < node->count; i++)
        below_index(compiler, &node->entries[i],
                    keyword_shape(keyword_find(node->entries[i].key)), home);
}

/* The parts of a bide file that are schemas or hold some. */
static void file_index(struct compiler *compiler, const struct node *root,
                       struct resource *home)
{
    static const struct {
        const char *key;
        enum keyword_shape shape;
    } parts[] = { { "input", HOLDS_SCHEMA },
                  { "output", HOLDS_SCHEMA },
                  { "tokens", HOLDS_MAP },
                  { "messages", HOLDS_MAP },
                  { "$defs", HOLDS_MAP } };

    table_set(&compiler->homes, address_of(root), home);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct entry *entry = node_find(root, parts[i].key);
        if (entry != NULL)
            below_index(compiler, entry, parts[i].shape, home);
    }
    const struct entry *children = node_find(root, "children");
    for (uint32_t i = 0;
         children != NULL && children->node.kind == VALUE_MAP && i < children->node.count;
         i++) {
        const struct entry *output = node_find(&children->node.entries[i].node, "output");
        if (output != NULL)
            below_index(compiler, output, HOLDS_SCHEMA, home);
    }
}

struct resource *resource_add(struct compiler *compiler, struct slice uri, struct slice file,
                              const struct node *root, bool is_file)
{
    struct resource *resource = resource_make(compiler, uri, file, root);

    resource->is_file = is_file;
    if (is_file)
        file_index(compiler, root, resource);
    else
        resource_index(compiler, root, resource);
    return resource;
}

/* ---- references -------------------------------------------------------------------------- */

/* A file beside this one may be a task's, or one large schema. */
static bool is_bide_file(const struct node *root)
{
    return node_find(root, "input") != NULL || node_find(root, "output") != NULL ||
           node_find(root, "tokens") != NULL || node_find(root, "messages") != NULL ||
           node_find(root, "children") != NULL;
}

static struct resource *resource_fetch(struct draft *draft, const struct entry *entry,
                                       struct slice uri)
{
    struct compiler *compiler = draft->compiler;
    struct resource *known = resource_find(compiler, uri);
    struct node *root = ARENA_NEW(compiler->arena, struct node);
    struct slice file = uri, reason = { 0 };

    if (known != NULL)
        return known;
    if (document_fetch(compiler, uri, root, &file, &reason))
        return resource_add(compiler, uri, file, root,
                            compiler->is_strict && metaschema_find(uri) == NULL &&
                                is_bide_file(root));
    draft_complain(
        draft, &entry->node, "%.*s names a schema that is not known here: %.*s%s%.*s",
        SLICE_ARG(entry->key), SLICE_ARG(uri), reason.size > 0 ? ": " : "", SLICE_ARG(reason));
    return NULL;
}

/* One token of a JSON pointer: "a~1b" is "a/b". */
static struct slice token_decode(struct arena *arena, struct slice token)
{
    char *out = arena_alloc(arena, token.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < token.size; i++) {
        bool is_escape = token.data[i] == '~' && i + 1 < token.size &&
                         (token.data[i + 1] == '0' || token.data[i + 1] == '1');
        out[size++] = !is_escape ? token.data[i] : token.data[i + 1] == '0' ? '~' : '/';
        i += is_escape;
    }
    return (struct slice){ out, size };
}

/* Many references into one map of many entries must not search it each time. */
static const struct entry *entry_find(struct compiler *compiler, const struct node *node,
                                      struct slice name)
{
    enum { SEARCH_MAX_ENTRIES = 32 };
    uint64_t seed = address_of(node);

    if (node->kind != VALUE_MAP || node->count <= SEARCH_MAX_ENTRIES)
        return node_find_slice(node, name);
    const struct entry *first = &node->entries[0];
    if (!table_has(&compiler->children, table_hash(first->key, seed)))
        for (uint32_t i = 0; i < node->count; i++)
            table_set(&compiler->children, table_hash(node->entries[i].key, seed),
                      &node->entries[i]);
    const struct entry *entry = table_find(&compiler->children, table_hash(name, seed));
    return entry == NULL || slice_equal(entry->key, name) ? entry : node_find_slice(node, name);
}

static const struct node *child_find(struct compiler *compiler, const struct node *node,
                                     struct slice name)
{
    const struct entry *entry = entry_find(compiler, node, name);
    uint64_t index = 0;

    if (entry != NULL)
        return &entry->node;
    if (node->kind != VALUE_LIST || name.size == 0 || name.size > 6)
        return NULL;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9')
            return NULL;
        index = index * 10 + (uint64_t)(name.data[i] - '0');
    }
    return index < node->count ? &node->items[index] : NULL;
}

static void child_complain(struct draft *draft, const struct entry *entry,
                           const struct node *node, struct slice name)
{
    struct suggestion near;

    if (!compiler_complains(draft->compiler))
        return;
    suggestion_init(&near, name);
    for (uint32_t i = 0; node->kind == VALUE_MAP && i < node->count; i++)
        suggestion_offer(&near, node->entries[i].key);
    draft_complain(draft, &entry->node, "%.*s leads nowhere: there is no %.*s%.*s%.*s%s",
                   SLICE_ARG(entry->key),
                   SLICE_ARG(text_quote(&draft->compiler->scratch, name)),
                   SUGGESTION_ARG(&near));
}

/* Follow `pointer`, and notice on the way where another resource begins. */
static const struct node *pointer_follow(struct draft *draft, const struct entry *entry,
                                         struct resource *home, struct slice pointer)
{
    struct compiler *compiler = draft->compiler;
    const struct node *node = home->root;

    while (pointer.size > 0) {
        size_t end = 1;
        while (end < pointer.size && pointer.data[end] != '/')
            end++;
        struct slice name =
            token_decode(&compiler->scratch, (struct slice){ pointer.data + 1, end - 1 });
        const struct node *child = child_find(compiler, node, name);
        if (child == NULL) {
            child_complain(draft, entry, node, name);
            return NULL;
        }
        node = child;
        if (resource_of(compiler, node) != NULL)
            home = resource_of(compiler, node);
        pointer = (struct slice){ pointer.data + end, pointer.size - end };
    }
    if (resource_of(compiler, node) == NULL) /* below a word that is no keyword */
        resource_index(compiler, node, home);
    return node;
}

static const struct node *anchor_find(struct draft *draft, const struct entry *entry,
                                      const struct resource *home, struct slice name,
                                      bool *is_dynamic)
{
    const struct anchor_name *found = anchor_search(draft->compiler, home, name);
    struct suggestion near;

    if (found != NULL) {
        *is_dynamic = found->is_dynamic;
        return found->node;
    }
    if (!compiler_complains(draft->compiler))
        return NULL;
    suggestion_init(&near, name);
    for (const struct anchor_name *one = home->anchors; one != NULL; one = one->next)
        suggestion_offer(&near, one->name);
    draft_complain(
        draft, &entry->node, "%.*s leads nowhere: there is no $anchor %.*s%.*s%.*s%s",
        SLICE_ARG(entry->key), SLICE_ARG(text_quote(&draft->compiler->scratch, name)),
        SUGGESTION_ARG(&near));
    return NULL;
}

/* The URI rules drop ".." at the top silently, and would turn it into another file of this
 * directory. */
static bool leads_out(const struct draft *draft, struct slice reference)
{
    struct uri base = uri_split(draft->schema->resource->uri), to = uri_split(reference);

    /* %2e%2e is two dots, but only when it is too late. */
    return !base.has_scheme && !to.has_scheme && !to.has_authority &&
           slice_starts(uri_decode(&draft->compiler->scratch, to.path), "..");
}

const struct schema *schema_referred(struct draft *draft, const struct entry *entry,
                                     struct slice *anchor)
{
    struct compiler *compiler = draft->compiler;
    const struct node *node;
    bool is_dynamic = false;

    if (!draft_wants(draft, &entry->node, VALUE_STRING, "a reference like \"#/$defs/name\""))
        return NULL;
    struct slice fragment = uri_decode(compiler->arena, uri_split(entry->node.text).fragment);
    if (!utf8_is_valid(fragment)) {
        draft_complain(draft, &entry->node, "%.*s is no text where its %%-signs are decoded",
                       SLICE_ARG(entry->key));
        return NULL;
    }
    if (leads_out(draft, entry->node.text)) {
        draft_complain(draft, &entry->node,
                       "%.*s leads to this file or one beside it, not out of the directory",
                       SLICE_ARG(entry->key));
        return NULL;
    }
    struct slice uri =
        uri_resolve(compiler->arena, draft->schema->resource->uri, entry->node.text);
    struct resource *home = resource_fetch(draft, entry, uri);
    if (home == NULL)
        return NULL;
    if (fragment.size > 0 && fragment.data[0] != '/')
        node = anchor_find(draft, entry, home, fragment, &is_dynamic);
    else
        node = pointer_follow(draft, entry, home, fragment);
    if (node == NULL)
        return NULL;
    if (node == home->root && home->is_file) {
        draft_complain(draft, &entry->node, "%.*s means the whole file, which is no schema",
                       SLICE_ARG(entry->key));
        return NULL;
    }
    if (is_dynamic)
        *anchor = fragment;
    return schema_at(compiler, node);
}
