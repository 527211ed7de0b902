/* The keys for people: the schema's descriptions and defaults, written as a file of one's own.
 */
#include "config/own_schema.h"
#include "config/setting.h"

/* What a key without a default may look like. */
static struct slice sample_of(const struct node *schema)
{
    const struct entry *examples = node_find(schema, "examples");

    return examples == NULL || examples->node.count == 0 ? SLICE("")
                                                         : examples->node.items[0].text;
}

static void text_describe(const struct node *schema, const char *indent, struct buffer *out)
{
    const struct entry *description = node_find(schema, "description");

    if (description != NULL)
        buffer_format(out, "%s# %.*s\n", indent, SLICE_ARG(description->node.text));
}

static void setting_describe(const struct node *root, const struct setting *setting,
                             struct buffer *out)
{
    const struct node *schema = setting_schema(root, setting);
    const struct entry *standard = node_find(schema, "default");
    const char *indent = setting->section == NULL ? "" : "  ";
    struct slice text = standard == NULL ? sample_of(schema) : standard->node.text;

    text_describe(schema, indent, out);
    buffer_format(out, "%s%s%s: %.*s\n", indent, standard == NULL ? "# " : "", setting->name,
                  SLICE_ARG(text));
}

static void environments_describe(const struct node *root, struct buffer *out)
{
    const struct entry *properties = node_find(root, "properties");

    buffer_byte(out, '\n');
    text_describe(&node_find(&properties->node, "environments")->node, "", out);
    buffer_text(
        out,
        "environments:\n"
        "  dev:\n"
        "    # name of a variable that holds the key; or\n"
        "    # key_env: BIDE_DEV_KEY\n"
        "    # a file of mode 0600 that does; or neither: <data>/keys/dev is made\n"
        "    # key_file: /etc/bide/dev.key\n"
        "    # its part of workers.slots, against the others' parts: half of it is kept\n"
        "    # free for it, the rest is lent to whoever has work\n"
        "    share: 1\n"
        "    # runs at a time of one of its queues, and of all together; as many times this\n"
        "    # several queues may reach; without it, as many as there are slots\n"
        "    # limit: 20\n"
        "    # burst: 1.5\n"
        "    # how long what has ended is kept here, if not as retention says for all\n"
        "    # retention: { ended_runs: 7d, tokens: 7d, logs: 1d }\n");
}

/* config/reference.yaml is it; editors find the schema by its first line. */
void config_describe(struct buffer *out)
{
    const char *section = NULL;
    struct own_schema own_schema;

    own_schema_open(&own_schema, OWN_SCHEMA_BIDE);
    buffer_text(out,
                "# yaml-language-server: $schema=../schemas/config/bide.yaml\n"
                "# Every key of bide.yaml with its default. Sizes are plain bytes or 64KiB, "
                "4MiB; durations\n# are plain milliseconds or 30s, 5m, 1h30m, 2d, 1w. Relative "
                "paths begin at the file's directory,\n# or above it when it is called "
                "config.\n\n");
    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].section != section) {
            section = settings[i].section;
            buffer_format(out, "\n%s:\n", section);
        }
        setting_describe(&own_schema.root, &settings[i], out);
    }
    environments_describe(&own_schema.root, out);
    own_schema_close(&own_schema);
}
