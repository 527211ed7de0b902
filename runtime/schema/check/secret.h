/*
 * Secrets: which parts of a value some schema marks as `secret: true`. Internal to schema/.
 *
 * All schemas that may speak of a part are asked, whether they match or not, so that a problem
 * in one branch cannot show what another one calls secret.
 */
#ifndef SECRET_H
#define SECRET_H

#include "base/table.h"
#include "schema/check/validate.h"

struct secrets {
    struct arena arena;
    struct table marks;   /* addresses of secret parts */
    struct table visited; /* hashes of a schema and a part → struct pair */
    bool is_all;          /* too much to look through: everything is secret */
};

/* False when there are none, and nothing to finish. `value` must stay where it is. */
bool secrets_find(struct secrets *secrets, const struct schema *schema,
                  const struct value *value);
void secrets_finish(struct secrets *secrets);

bool secret_is(const struct secrets *secrets, const struct value *part);
/* The outermost secret part that `spot` is in, itself included; NULL: none. */
const struct spot *secret_above(const struct secrets *secrets, const struct spot *spot);

#endif
