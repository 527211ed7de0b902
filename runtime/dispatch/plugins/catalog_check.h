/* What is checked of all schema files together, away from the loop thread. */
#ifndef DISPATCH_OFFER_CHECK_H
#define DISPATCH_OFFER_CHECK_H

#include "catalog_make.h"

/* A task that expects of a child what that does not promise is not available. The catalog is
 * sorted. */
void children_check(struct making *making);
/* Files that no task uses: what is wrong with them, in making->strays. */
void strays_check(struct making *making);

#endif
