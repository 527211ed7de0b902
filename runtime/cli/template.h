/* The plugin template's files, put into the binary when it is built (embed.cmake). */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include <stddef.h>

struct template_file {
    const char *path; /* relative; may hold placeholders as the text does */
    const unsigned char *bytes;
    size_t size;
};

extern const struct template_file template_files[]; /* ends with a NULL path */

/* The SDK's folder in the source tree that this binary was built from. */
extern const char template_sdk[];

#endif
