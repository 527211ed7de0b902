#include "schema/compile/metaschema.h"

#define META(name) "https://json-schema.org/draft/2020-12/meta/" name
#define HEAD(name)                                                                         \
    "$schema: " METASCHEMA_URI "\n"                                                        \
    "$id: " META(name) "\n"                                                                \
                       "$vocabulary: {\"https://json-schema.org/draft/2020-12/vocab/" name \
                       "\": true}\n"                                                       \
                       "$dynamicAnchor: meta\n"                                            \
                       "type: [object, boolean]\n"

/* Where a schema may stand, whichever schema that is: the outermost that calls itself meta
 * decides. */
#define ANY     "{$dynamicRef: \"#meta\"}"
#define ANY_MAP "{type: object, additionalProperties: " ANY ", default: {}}"

static const char root[] =
    "$schema: " METASCHEMA_URI "\n"
    "$id: " METASCHEMA_URI "\n"
    "$vocabulary:\n"
    "  https://json-schema.org/draft/2020-12/vocab/core: true\n"
    "  https://json-schema.org/draft/2020-12/vocab/applicator: true\n"
    "  https://json-schema.org/draft/2020-12/vocab/unevaluated: true\n"
    "  https://json-schema.org/draft/2020-12/vocab/validation: true\n"
    "  https://json-schema.org/draft/2020-12/vocab/meta-data: true\n"
    "  https://json-schema.org/draft/2020-12/vocab/format-annotation: true\n"
    "  https://json-schema.org/draft/2020-12/vocab/content: true\n"
    "$dynamicAnchor: meta\n"
    "allOf:\n"
    "  - $ref: meta/core\n"
    "  - $ref: meta/applicator\n"
    "  - $ref: meta/unevaluated\n"
    "  - $ref: meta/validation\n"
    "  - $ref: meta/meta-data\n"
    "  - $ref: meta/format-annotation\n"
    "  - $ref: meta/content\n"
    "type: [object, boolean]\n"
    "properties:\n"
    "  definitions: {type: object, additionalProperties: " ANY
    ", deprecated: true, default: {}}\n"
    "  dependencies:\n"
    "    type: object\n"
    "    additionalProperties:\n"
    "      anyOf: [" ANY ", {$ref: \"meta/validation#/$defs/stringArray\"}]\n"
    "    deprecated: true\n"
    "    default: {}\n"
    "  $recursiveAnchor: {$ref: \"meta/core#/$defs/anchorString\", deprecated: true}\n"
    "  $recursiveRef: {$ref: \"meta/core#/$defs/uriReferenceString\", deprecated: true}\n";

static const char core[] =
    HEAD("core") "properties:\n"
                 "  $id: {$ref: \"#/$defs/uriReferenceString\", pattern: \"^[^#]*#?$\"}\n"
                 "  $schema: {$ref: \"#/$defs/uriString\"}\n"
                 "  $ref: {$ref: \"#/$defs/uriReferenceString\"}\n"
                 "  $anchor: {$ref: \"#/$defs/anchorString\"}\n"
                 "  $dynamicRef: {$ref: \"#/$defs/uriReferenceString\"}\n"
                 "  $dynamicAnchor: {$ref: \"#/$defs/anchorString\"}\n"
                 "  $vocabulary:\n"
                 "    type: object\n"
                 "    propertyNames: {$ref: \"#/$defs/uriString\"}\n"
                 "    additionalProperties: {type: boolean}\n"
                 "  $comment: {type: string}\n"
                 "  $defs: {type: object, additionalProperties: " ANY "}\n"
                 "$defs:\n"
                 "  anchorString: {type: string, pattern: \"^[A-Za-z_][-A-Za-z0-9._]*$\"}\n"
                 "  uriString: {type: string, format: uri}\n"
                 "  uriReferenceString: {type: string, format: uri-reference}\n";

static const char applicator[] =
    HEAD("applicator") "properties:\n"
                       "  prefixItems: {$ref: \"#/$defs/schemaArray\"}\n"
                       "  items: " ANY "\n"
                       "  contains: " ANY "\n"
                       "  additionalProperties: " ANY "\n"
                       "  properties: " ANY_MAP "\n"
                       "  patternProperties:\n"
                       "    type: object\n"
                       "    additionalProperties: " ANY "\n"
                       "    propertyNames: {format: regex}\n"
                       "    default: {}\n"
                       "  dependentSchemas: " ANY_MAP "\n"
                       "  propertyNames: " ANY "\n"
                       "  if: " ANY "\n"
                       "  then: " ANY "\n"
                       "  else: " ANY "\n"
                       "  allOf: {$ref: \"#/$defs/schemaArray\"}\n"
                       "  anyOf: {$ref: \"#/$defs/schemaArray\"}\n"
                       "  oneOf: {$ref: \"#/$defs/schemaArray\"}\n"
                       "  not: " ANY "\n"
                       "$defs:\n"
                       "  schemaArray: {type: array, minItems: 1, items: " ANY "}\n";

static const char unevaluated[] = HEAD("unevaluated") "properties:\n"
                                                      "  unevaluatedItems: " ANY "\n"
                                                      "  unevaluatedProperties: " ANY "\n";

static const char validation[] =
    HEAD("validation") "properties:\n"
                       "  type:\n"
                       "    anyOf:\n"
                       "      - $ref: \"#/$defs/simpleTypes\"\n"
                       "      - {type: array, items: {$ref: \"#/$defs/simpleTypes\"}, "
                       "minItems: 1, uniqueItems: true}\n"
                       "  const: true\n"
                       "  enum: {type: array, items: true}\n"
                       "  multipleOf: {type: number, exclusiveMinimum: 0}\n"
                       "  maximum: {type: number}\n"
                       "  exclusiveMaximum: {type: number}\n"
                       "  minimum: {type: number}\n"
                       "  exclusiveMinimum: {type: number}\n"
                       "  maxLength: {$ref: \"#/$defs/nonNegativeInteger\"}\n"
                       "  minLength: {$ref: \"#/$defs/nonNegativeIntegerDefault0\"}\n"
                       "  pattern: {type: string, format: regex}\n"
                       "  maxItems: {$ref: \"#/$defs/nonNegativeInteger\"}\n"
                       "  minItems: {$ref: \"#/$defs/nonNegativeIntegerDefault0\"}\n"
                       "  uniqueItems: {type: boolean, default: false}\n"
                       "  maxContains: {$ref: \"#/$defs/nonNegativeInteger\"}\n"
                       "  minContains: {$ref: \"#/$defs/nonNegativeInteger\", default: 1}\n"
                       "  maxProperties: {$ref: \"#/$defs/nonNegativeInteger\"}\n"
                       "  minProperties: {$ref: \"#/$defs/nonNegativeIntegerDefault0\"}\n"
                       "  required: {$ref: \"#/$defs/stringArray\"}\n"
                       "  dependentRequired: {type: object, additionalProperties: {$ref: "
                       "\"#/$defs/stringArray\"}}\n"
                       "$defs:\n"
                       "  nonNegativeInteger: {type: integer, minimum: 0}\n"
                       "  nonNegativeIntegerDefault0: {$ref: \"#/$defs/nonNegativeInteger\", "
                       "default: 0}\n"
                       "  simpleTypes: {enum: [array, boolean, integer, \"null\", number, "
                       "object, string]}\n"
                       "  stringArray: {type: array, items: {type: string}, uniqueItems: true, "
                       "default: []}\n";

static const char meta_data[] =
    HEAD("meta-data") "properties:\n"
                      "  title: {type: string}\n"
                      "  description: {type: string}\n"
                      "  default: true\n"
                      "  deprecated: {type: boolean, default: false}\n"
                      "  readOnly: {type: boolean, default: false}\n"
                      "  writeOnly: {type: boolean, default: false}\n"
                      "  examples: {type: array, items: true}\n";

static const char format_annotation[] = HEAD("format-annotation") "properties:\n"
                                                                  "  format: {type: string}\n";

static const char format_assertion[] = HEAD("format-assertion") "properties:\n"
                                                                "  format: {type: string}\n";

static const char content[] = HEAD("content") "properties:\n"
                                              "  contentEncoding: {type: string}\n"
                                              "  contentMediaType: {type: string}\n"
                                              "  contentSchema: " ANY "\n";

static const struct {
    const char *uri, *text;
} documents[] = {
    { METASCHEMA_URI, root },
    { META("core"), core },
    { META("applicator"), applicator },
    { META("unevaluated"), unevaluated },
    { META("validation"), validation },
    { META("meta-data"), meta_data },
    { META("format-annotation"), format_annotation },
    { META("format-assertion"), format_assertion },
    { META("content"), content },
};

const char *metaschema_find(struct slice uri)
{
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        if (slice_is(uri, documents[i].uri))
            return documents[i].text;
    return NULL;
}
