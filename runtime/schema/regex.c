#include "schema/regex.h"

/* Unicode's general categories by their long names, which PCRE2 does not know. */
static const struct {
    const char *name, *abbreviation;
} categories[] = {
    { "Letter", "L" },
    { "Cased_Letter", "L&" },
    { "LC", "L&" },
    { "Lowercase_Letter", "Ll" },
    { "Uppercase_Letter", "Lu" },
    { "Titlecase_Letter", "Lt" },
    { "Modifier_Letter", "Lm" },
    { "Other_Letter", "Lo" },
    { "Mark", "M" },
    { "Combining_Mark", "M" },
    { "Nonspacing_Mark", "Mn" },
    { "Spacing_Mark", "Mc" },
    { "Enclosing_Mark", "Me" },
    { "Number", "N" },
    { "Decimal_Number", "Nd" },
    { "digit", "Nd" },
    { "Letter_Number", "Nl" },
    { "Other_Number", "No" },
    { "Punctuation", "P" },
    { "punct", "P" },
    { "Connector_Punctuation", "Pc" },
    { "Dash_Punctuation", "Pd" },
    { "Open_Punctuation", "Ps" },
    { "Close_Punctuation", "Pe" },
    { "Initial_Punctuation", "Pi" },
    { "Final_Punctuation", "Pf" },
    { "Other_Punctuation", "Po" },
    { "Symbol", "S" },
    { "Math_Symbol", "Sm" },
    { "Currency_Symbol", "Sc" },
    { "Modifier_Symbol", "Sk" },
    { "Other_Symbol", "So" },
    { "Separator", "Z" },
    { "Space_Separator", "Zs" },
    { "Line_Separator", "Zl" },
    { "Paragraph_Separator", "Zp" },
    { "Other", "C" },
    { "Control", "Cc" },
    { "cntrl", "Cc" },
    { "Format", "Cf" },
    { "Surrogate", "Cs" },
    { "Private_Use", "Co" },
    { "Unassigned", "Cn" },
};

static struct slice category_find(struct slice name)
{
    if (slice_starts(name, "General_Category="))
        name = (struct slice){ name.data + 17, name.size - 17 };
    else if (slice_starts(name, "gc="))
        name = (struct slice){ name.data + 3, name.size - 3 };
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++)
        if (slice_is(name, categories[i].name))
            return slice_of(categories[i].abbreviation);
    return name;
}

/* The name at `at` in \p{name}; its size is 0 when this is no such thing. */
static struct slice property_at(struct slice text, size_t at)
{
    if (text.size - at < 4 || (text.data[at + 1] != 'p' && text.data[at + 1] != 'P') ||
        text.data[at + 2] != '{')
        return (struct slice){ 0 };
    const char *name = text.data + at + 3;
    const char *end = memchr(name, '}', text.size - at - 3);
    return (struct slice){ name, end == NULL ? 0 : (size_t)(end - name) };
}

void regex_translate(struct buffer *out, struct slice text)
{
    for (size_t at = 0; at < text.size; at++) {
        bool is_escape = text.data[at] == '\\' && at + 1 < text.size;
        struct slice name = is_escape ? property_at(text, at) : (struct slice){ 0 };
        buffer_byte(out, text.data[at]);
        if (!is_escape)
            continue;
        buffer_byte(out, text.data[++at]);
        if (name.size == 0)
            continue;
        buffer_byte(out, '{');
        buffer_slice(out, category_find(name));
        buffer_byte(out, '}');
        at += name.size + 2;
    }
}
