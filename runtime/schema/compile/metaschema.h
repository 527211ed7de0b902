/* Metaschemas: the schemas of schemas that draft 2020-12 publishes, so that a $ref to one needs
 * no network. */
#ifndef METASCHEMA_H
#define METASCHEMA_H

#include "base/slice.h"

#define METASCHEMA_URI        "https://json-schema.org/draft/2020-12/schema"
#define METASCHEMA_VOCABULARY "https://json-schema.org/draft/2020-12/vocab/"
#define METASCHEMA_VALIDATION METASCHEMA_VOCABULARY "validation"
#define METASCHEMA_FORMATS    METASCHEMA_VOCABULARY "format-assertion"

/* The text of the document; NULL when it is none of them. */
const char *metaschema_find(struct slice uri);

#endif
