/*
 * Compiling: documents in, a program out. Internal to schema/.
 *
 *   document ─index─▶ resources, anchors      which schema is called what (resource.c)
 *   schema_at(node) ─▶ a struct schema and a place on the work list
 *   compile_all ─▶ the keywords of each fill in its rules (compile.c, rules.c), or ask for more
 *   finish ─▶ loops, defaults, contradictions (finish.c)
 *
 * The work list instead of recursion is what lets schemas refer to each other in circles.
 */
#ifndef COMPILE_H
#define COMPILE_H

#include "base/table.h"
#include "schema/compile/program.h"

enum {
    PROGRAM_MAX_PATTERNS = 5000,
    PROGRAM_MAX_PATTERN_BYTES = 2 << 20, /* compiled: some 100 to 500 an ordinary one */
    PROGRAM_MAX_FILES = 100,
};

/*
 * Find the document called `uri`, in the compiler's arena. False: there is none, and the reason
 * is in `reason` when there is more to say than that.
 */
typedef bool document_find(void *context, struct arena *arena, struct slice uri,
                           struct node *root, struct slice *file, struct slice *reason);

struct work {
    struct schema *schema;
    const struct node *node;
    struct work *next;
};

/* A default or an example: it must fit the schema that it stands in. */
struct sample {
    const struct schema *schema;
    const struct node *node;
    enum keyword keyword;
    struct sample *next;
};

struct anchor_name {
    struct slice name;
    const struct node *node;
    bool is_dynamic;
    struct anchor_name *next;
};

struct compiler {
    struct schema_file *program;
    struct arena *arena;  /* the program's */
    struct arena scratch; /* gone when compiling ends */
    struct report report;
    bool has_many_patterns; /* it has been said */
    bool is_strict; /* unknown keywords and what can never match are mistakes, as bide has it */
    document_find *find;
    void *find_context;
    struct resource *resources;
    uint32_t file_count;
    struct table schemas;  /* address of a node → its struct schema */
    struct table homes;    /* address of a node → its struct resource */
    struct table names;    /* hash of a resource's address and an anchor → its anchor_name */
    struct table uris;     /* hash of a URI → its resource, the newest */
    struct table children; /* hash of an address and a key → its struct entry, of large maps */
    struct work *todo;
    struct sample *samples;
};

/* One schema while its keywords are read. The rule groups are the schema's, still writable. */
struct draft {
    struct compiler *compiler;
    struct schema *schema;
    const struct node *node;
    enum keyword keyword;
    struct number_rules *number;
    struct string_rules *string;
    struct list_rules *list;
    struct map_rules *map;
    struct branches *branches;
    struct table properties; /* hash of a name → its number from 1 */
};

void compiler_init(struct compiler *compiler, struct schema_file *program,
                   struct report report);
void compiler_finish(struct compiler *compiler);

/* A document becomes a resource. `is_file`: a bide file, whose root is no schema. */
struct resource *resource_add(struct compiler *compiler, struct slice uri, struct slice file,
                              const struct node *root, bool is_file);
/* Give `node`, a schema, and what is below it their resources and names. */
void resource_index(struct compiler *compiler, const struct node *node, struct resource *home);
struct resource *resource_of(const struct compiler *compiler, const struct node *node);

/* The schema of a node, now or when compile_all gets there. */
const struct schema *schema_at(struct compiler *compiler, const struct node *node);
/* The schema `reference` means; NULL after a complaint. *anchor: its plain fragment, if it is
 * one. */
const struct schema *schema_referred(struct draft *draft, const struct entry *entry,
                                     struct slice *anchor);

void compile_all(struct compiler *compiler);
/* What only the whole program shows. */
void program_finish(struct compiler *compiler);
/* Does `schema`, which is compiled, hold in itself together? Complains. */
void rules_finish(struct draft *draft);

/*
 * Compile one schema that is no bide file, with JSON Schema's own rules about unknown keywords;
 * it becomes the file's input. `value` must outlive the file. False: problems.
 */
bool schema_file_of_value(const struct value *value, document_find *find, void *find_context,
                          struct schema_file **file, struct arena *arena,
                          struct problems *problems);

/* Keywords, by subject. Each reads draft->keyword. */
void compile_type(struct draft *draft, const struct entry *entry);
void compile_values(struct draft *draft, const struct entry *entry);
void compile_number(struct draft *draft, const struct entry *entry);
void compile_string(struct draft *draft, const struct entry *entry);
void compile_list(struct draft *draft, const struct entry *entry);
void compile_map(struct draft *draft, const struct entry *entry);
void compile_branch(struct draft *draft, const struct entry *entry);

struct number_rules *draft_number(struct draft *draft);
struct string_rules *draft_string(struct draft *draft);
struct list_rules *draft_list(struct draft *draft);
struct map_rules *draft_map(struct draft *draft);
struct branches *draft_branches(struct draft *draft);

/* Complain about the value of a keyword, or a place of a schema's file. Returns false. */
bool draft_complain(struct draft *draft, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool schema_complain(struct compiler *compiler, const struct schema *schema, uint32_t line,
                     uint32_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Is there room for another complaint? What goes into its text costs, and a file may have
 * thousands. */
bool compiler_complains(const struct compiler *compiler);

/* Is the node of that kind? Else complain, saying what `wanted` would be. */
bool draft_wants(struct draft *draft, const struct node *node, enum value_kind kind,
                 const char *wanted);
/* A whole number >= 0. */
bool draft_wants_count(struct draft *draft, const struct node *node, uint64_t *count);
const struct pattern *draft_pattern(struct draft *draft, struct slice text, uint32_t line,
                                    uint32_t column);
struct schema_list draft_schemas(struct draft *draft, const struct node *node);

#endif
