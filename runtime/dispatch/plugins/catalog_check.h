/* What is checked of all schema files together, away from the loop thread. */
#ifndef DISPATCH_CATALOG_CHECK_H
#define DISPATCH_CATALOG_CHECK_H

#include "catalog_make.h"

/* A task that expects of a child what that does not promise is not available. The catalog is
 * sorted. */
void catalog_check_children(struct making *making);
/* A text of the input that a field of the state of that name cannot hold is warned of. */
void catalog_check_fields(struct making *making, struct catalog_task *task,
                          const struct task_description *about);
/* Files that no task uses: what is wrong with them, in making->strays. */
void catalog_check_strays(struct making *making);

#endif
