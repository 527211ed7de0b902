/* Pages: the lists of the API that go by cursor, "newest first, 25 at a time". */
#ifndef PAGE_H
#define PAGE_H

#include "cli/client/client.h"

struct page_filter {
    const char *option;
    const char *parameter; /* of the query */
    bool upper_case;       /* people write statuses in lower case */
    bool is_member;        /* it is given as KEY=VALUE */
};

/*
 * Get one page and print it: the server's JSON with --json, else by `print`, with the command
 * for the next page after it. Reads the options --limit and --after besides the filters, of
 * which those given several times are joined with commas. Returns the exit code.
 */
int page_show(struct call *call, const char *path, const struct page_filter *filters,
              void (*print)(struct arena *arena, const struct value *page));

#endif
