/* One function a format, true when the text is one; by subject in format_*.c. Internal to
 * schema/. */
#ifndef FORMAT_FUNCTIONS_H
#define FORMAT_FUNCTIONS_H

#include "base/slice.h"

#include <stdbool.h>

bool format_date_time(struct slice text);
bool format_date(struct slice text);
bool format_time(struct slice text);
bool format_duration(struct slice text);
bool format_email(struct slice text);
bool format_idn_email(struct slice text);
bool format_hostname(struct slice text);
bool format_idn_hostname(struct slice text);
bool format_ipv4(struct slice text);
bool format_ipv6(struct slice text);
bool format_uri(struct slice text);
bool format_uri_reference(struct slice text);
bool format_iri(struct slice text);
bool format_iri_reference(struct slice text);
bool format_uri_template(struct slice text);
bool format_uuid(struct slice text);
bool format_json_pointer(struct slice text);
bool format_relative_json_pointer(struct slice text);
bool format_regex(struct slice text);

/* `is_wide`: beyond ASCII as well. */
bool host_fits(struct slice text, bool is_wide);

static inline bool digit_is(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool hex_is(char c)
{
    return digit_is(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

#endif
