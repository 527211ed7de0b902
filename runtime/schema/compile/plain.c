#include "schema/compile/plain.h"

#include "base/memory.h"
#include "schema/compile/compile.h"

static bool find_nothing(void *context, struct arena *arena, struct slice uri,
                         struct node *root, struct slice *file, struct slice *reason)
{
    (void)context;
    (void)arena;
    (void)uri;
    (void)root;
    (void)file;
    *reason = SLICE("a document of its own refers to no other");
    return false;
}

static void document_compile(struct schema_file *program, const struct node *root,
                             struct report report)
{
    struct compiler compiler;

    compiler_init(&compiler, program, report);
    compiler.find = find_nothing;
    resource_add(&compiler, SLICE(""), report.file, root, false);
    program->input = schema_at(&compiler, root);
    compile_all(&compiler);
    program_finish(&compiler);
    compiler_finish(&compiler);
}

bool schema_plain_parse(const char *path, struct slice text, struct schema_file **file,
                        struct arena *arena, struct problems *problems)
{
    struct schema_file *program = memory_zeroed(1, sizeof *program);
    struct problems found = { 0 };
    struct report report = { arena, &found, arena_copy(&program->arena, slice_of(path)) };
    struct node *root = ARENA_NEW(&program->arena, struct node);

    if (document_read(&program->arena, text, root, &report))
        document_compile(program, root, report);
    bool fine = found.count == 0;
    if (!fine)
        schema_file_destroy(program);
    *file = fine ? program : NULL;
    problems_sort(&found);
    problems_join(problems, &found);
    return fine;
}
