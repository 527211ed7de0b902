#include "base/id.h"
#include "cli/client/member.h"
#include "cli/client/payload.h"
#include "cli/plugins/replay.h"
#include "cli/plugins/tar_file.h"
#include "codec/json.h"
#include "codec/pack.h"

#include <sys/stat.h>

enum { BUNDLE_FORMAT = 1, FILE_MAX_BYTES = 256 << 20 };

/* ---- bytes ------------------------------------------------------------------------------- */

static int digit_of(char letter)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = letter == '\0' ? NULL : strchr(digits, letter);

    return at == NULL ? -1 : (int)(at - digits);
}

static struct slice base64_read(struct arena *arena, struct slice text)
{
    char *bytes = arena_alloc(arena, text.size + 1);
    uint32_t bits = 0, count = 0;
    size_t size = 0;

    for (size_t i = 0; i < text.size && digit_of(text.data[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)digit_of(text.data[i]);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[size++] = (char)(bits >> count & 0xff);
        }
    }
    return (struct slice){ bytes, size };
}

/* {"$bytes": base64} is bytes again, everywhere below. */
static void bytes_untag(struct arena *arena, struct value *value)
{
    const struct value *said = value->count == 1 ? value_find(value, "$bytes") : NULL;

    if (said != NULL && said->kind == VALUE_STRING) {
        *value =
            (struct value){ .kind = VALUE_BYTES, .bytes = base64_read(arena, said->bytes) };
        return;
    }
    for (uint32_t i = 0; value->kind == VALUE_LIST && i < value->count; i++)
        bytes_untag(arena, &value->items[i]);
    for (uint32_t i = 0; value->kind == VALUE_MAP && i < value->count; i++)
        bytes_untag(arena, &value->members[i].value);
}

/* ---- the segment ------------------------------------------------------------------------- */

static struct slice packed_of(struct arena *arena, const struct value *map, const char *name)
{
    const struct value *value = value_find(map, name);

    return value == NULL || value->kind == VALUE_NULL ? (struct slice){ 0 }
                                                      : pack_value(arena, value);
}

static void results_fill(struct arena *arena, const struct value *root,
                         struct frame_segment *segment)
{
    uint32_t count;
    const struct value *results = member_list(root, "results", &count);

    segment->results = ARENA_ARRAY(arena, struct frame_result, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++)
        segment->results[segment->result_count++] =
            (struct frame_result){ .id = member_int(&results[i], "id"),
                                   .status = (uint32_t)member_int(&results[i], "status"),
                                   .name = member_text(&results[i], "name"),
                                   .value = packed_of(arena, &results[i], "value"),
                                   .error = member_text(&results[i], "error"),
                                   .code = member_text(&results[i], "code") };
}

static void once_fill(struct arena *arena, const struct value *root,
                      struct frame_segment *segment)
{
    const struct value *once = value_find(root, "once");
    uint32_t count = once != NULL && once->kind == VALUE_MAP ? once->count : 0;

    segment->once = ARENA_ARRAY(arena, struct frame_once, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++)
        segment->once[segment->once_count++] =
            (struct frame_once){ once->members[i].key,
                                 pack_value(arena, &once->members[i].value) };
}

static void tags_fill(struct arena *arena, const struct value *root,
                      struct frame_segment *segment)
{
    uint32_t count;
    const struct value *tags = member_list(root, "tags", &count);

    segment->tags = ARENA_ARRAY(arena, struct slice, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++)
        segment->tags[segment->tag_count++] = tags[i].bytes;
}

static bool segment_fill(struct arena *arena, const struct value *root,
                         struct frame_segment *segment, struct err *err)
{
    int64_t block = member_int(root, "idBlock");

    *segment = (struct frame_segment){
        .seq = 1,
        .attempt = (uint32_t)member_int(root, "attempt"),
        .max_attempts = (uint32_t)member_int(root, "maxAttempts"),
        .entry = (uint32_t)member_int(root, "entry"),
        .id_block = block > 0 ? block : ID_BLOCK, /* it had none yet */
        .created_ms = member_int(root, "createdMs"),
        .parent_id = member_int(root, "parentId"),
        .root_id = member_int(root, "rootId"),
        .environment = member_text(root, "environment"),
        .task = member_text(root, "task"),
        .segment = member_text(root, "segment"),
        .input = packed_of(arena, root, "input"),
        .state = packed_of(arena, root, "state"),
        .metadata = packed_of(arena, root, "metadata"),
        .reminder = (uint32_t)member_int(root, "reminder"),
        .limit_ms = member_int(root, "limitMs"),
        .cpu_ms = member_int(root, "cpuMs"),
        .is_test = member_bool(root, "isTest"),
        .ending = member_text(root, "ending"),
        .error_code = member_text(root, "errorCode"),
        .error_text = member_text(root, "errorText"),
    };
    results_fill(arena, root, segment);
    once_fill(arena, root, segment);
    tags_fill(arena, root, segment);
    return id_parse("run", member_text(root, "run"), &segment->run_id) ||
           err_set(err, ERR_BAD_REQUEST, "its \"run\" is no run's id");
}

/* ---- the file ---------------------------------------------------------------------------- */

static bool is_called(const struct tar_file *file, const char *name)
{
    size_t size = strlen(name);

    return file->name.size >= size &&
           memcmp(file->name.data + file->name.size - size, name, size) == 0 &&
           (file->name.size == size || file->name.data[file->name.size - size - 1] == '/');
}

static bool tar_open(struct arena *arena, const char *path, struct slice *json,
                     struct slice *plugin, struct err *err)
{
    struct tar_file files[TAR_FILES_MAX];
    struct slice bytes;
    uint32_t count;

    if (!payload_file(arena, path, FILE_MAX_BYTES, &bytes, err) ||
        !tar_read(bytes, files, &count, err))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (is_called(&files[i], "bundle.json"))
            *json = files[i].bytes;
        else if (is_called(&files[i], "plugin.so"))
            *plugin = files[i].bytes;
    return true;
}

static bool directory_open(struct arena *arena, const char *path, struct slice *json,
                           struct slice *plugin, struct err *err)
{
    struct err missing = { 0 };

    /* It may have no .so. */
    (void)payload_file(arena, arena_format(arena, "%s/plugin.so", path).data, FILE_MAX_BYTES,
                       plugin, &missing);
    return payload_file(arena, arena_format(arena, "%s/bundle.json", path).data, FILE_MAX_BYTES,
                        json, err);
}

bool bundle_read(struct arena *arena, const char *path, struct bundle *bundle, struct err *err)
{
    struct slice json = { 0 };
    struct stat status;
    bool is_directory = stat(path, &status) == 0 && S_ISDIR(status.st_mode);

    *bundle = (struct bundle){ 0 };
    if (!(is_directory ? directory_open : tar_open)(arena, path, &json, &bundle->plugin, err))
        return false;
    if (json.size == 0)
        return err_set(err, ERR_BAD_REQUEST, "it has no bundle.json");
    if (!json_read(arena, json, &bundle->root, err))
        return false;
    if (member_int(&bundle->root, "format") != BUNDLE_FORMAT)
        return err_set(err, ERR_BAD_REQUEST, "bundle.json has format %lld, this bide reads %d",
                       (long long)member_int(&bundle->root, "format"), BUNDLE_FORMAT);
    bytes_untag(arena, &bundle->root);
    return segment_fill(arena, &bundle->root, &bundle->segment, err);
}
