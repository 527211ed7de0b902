/*
 * \p{...}: the names that JavaScript knows, which are fewer than PCRE2's and must be spelled
 * exactly. What is newer than Unicode 14 is missing here, since PCRE2 10.42 does not know it.
 */
#include "schema/format/regex_reader.h"

#include <stdio.h>

/* General categories: the short name, the long one and a third. */
static const char *const categories[][3] = {
    { "C", "Other", NULL },
    { "Cc", "Control", "cntrl" },
    { "Cf", "Format", NULL },
    { "Cn", "Unassigned", NULL },
    { "Co", "Private_Use", NULL },
    { "Cs", "Surrogate", NULL },
    { "L", "Letter", NULL },
    { "LC", "Cased_Letter", NULL },
    { "Ll", "Lowercase_Letter", NULL },
    { "Lm", "Modifier_Letter", NULL },
    { "Lo", "Other_Letter", NULL },
    { "Lt", "Titlecase_Letter", NULL },
    { "Lu", "Uppercase_Letter", NULL },
    { "M", "Mark", "Combining_Mark" },
    { "Mc", "Spacing_Mark", NULL },
    { "Me", "Enclosing_Mark", NULL },
    { "Mn", "Nonspacing_Mark", NULL },
    { "N", "Number", NULL },
    { "Nd", "Decimal_Number", "digit" },
    { "Nl", "Letter_Number", NULL },
    { "No", "Other_Number", NULL },
    { "P", "Punctuation", "punct" },
    { "Pc", "Connector_Punctuation", NULL },
    { "Pd", "Dash_Punctuation", NULL },
    { "Pe", "Close_Punctuation", NULL },
    { "Pf", "Final_Punctuation", NULL },
    { "Pi", "Initial_Punctuation", NULL },
    { "Po", "Other_Punctuation", NULL },
    { "Ps", "Open_Punctuation", NULL },
    { "S", "Symbol", NULL },
    { "Sc", "Currency_Symbol", NULL },
    { "Sk", "Modifier_Symbol", NULL },
    { "Sm", "Math_Symbol", NULL },
    { "So", "Other_Symbol", NULL },
    { "Z", "Separator", NULL },
    { "Zl", "Line_Separator", NULL },
    { "Zp", "Paragraph_Separator", NULL },
    { "Zs", "Space_Separator", NULL },
};

static const char scripts[] =
    " "
    "Adlam Adlm Aghb Ahom Anatolian_Hieroglyphs Arab Arabic Armenian Armi Armn Avestan "
    "Avst Bali Balinese Bamu Bamum Bass Bassa_Vah Batak Batk Beng Bengali Bhaiksuki Bhks "
    "Bopo Bopomofo Brah Brahmi Brai Braille Bugi Buginese Buhd Buhid Cakm "
    "Canadian_Aboriginal Cans Cari Carian Caucasian_Albanian Chakma Cham Cher Cherokee "
    "Chorasmian Chrs Common Copt Coptic Cpmn Cprt Cuneiform Cypriot Cypro_Minoan "
    "Cyrillic Cyrl Deseret Deva Devanagari Diak Dives_Akuru Dogr Dogra Dsrt Dupl "
    "Duployan Egyp Egyptian_Hieroglyphs Elba Elbasan Elym Elymaic Ethi Ethiopic Geor "
    "Georgian Glag Glagolitic Gong Gonm Goth Gothic Gran Grantha Greek Grek Gujarati "
    "Gujr Gunjala_Gondi Gurmukhi Guru Han Hang Hangul Hani Hanifi_Rohingya Hano Hanunoo "
    "Hatr Hatran Hebr Hebrew Hira Hiragana Hluw Hmng Hmnp Hung Imperial_Aramaic "
    "Inherited Inscriptional_Pahlavi Inscriptional_Parthian Ital Java Javanese Kaithi "
    "Kali Kana Kannada Katakana Kayah_Li Khar Kharoshthi Khitan_Small_Script Khmer Khmr "
    "Khoj Khojki Khudawadi Kits Knda Kthi Lana Lao Laoo Latin Latn Lepc Lepcha Limb "
    "Limbu Lina Linb Linear_A Linear_B Lisu Lyci Lycian Lydi Lydian Mahajani Mahj Maka "
    "Makasar Malayalam Mand Mandaic Mani Manichaean Marc Marchen Masaram_Gondi "
    "Medefaidrin Medf Meetei_Mayek Mend Mende_Kikakui Merc Mero Meroitic_Cursive "
    "Meroitic_Hieroglyphs Miao Mlym Modi Mong Mongolian Mro Mroo Mtei Mult Multani "
    "Myanmar Mymr Nabataean Nand Nandinagari Narb Nbat New_Tai_Lue Newa Nko Nkoo Nshu "
    "Nushu Nyiakeng_Puachue_Hmong Ogam Ogham Ol_Chiki Olck Old_Hungarian Old_Italic "
    "Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic "
    "Old_Uyghur Oriya Orkh Orya Osage Osge Osma Osmanya Ougr Pahawh_Hmong Palm Palmyrene "
    "Pau_Cin_Hau Pauc Perm Phag Phags_Pa Phli Phlp Phnx Phoenician Plrd Prti "
    "Psalter_Pahlavi Qaac Qaai Rejang Rjng Rohg Runic Runr Samaritan Samr Sarb Saur "
    "Saurashtra Sgnw Sharada Shavian Shaw Shrd Sidd Siddham SignWriting Sind Sinh "
    "Sinhala Sogd Sogdian Sogo Sora Sora_Sompeng Soyo Soyombo Sund Sundanese Sylo "
    "Syloti_Nagri Syrc Syriac Tagalog Tagb Tagbanwa Tai_Le Tai_Tham Tai_Viet Takr Takri "
    "Tale Talu Tamil Taml Tang Tangsa Tangut Tavt Telu Telugu Tfng Tglg Thaa Thaana Thai "
    "Tibetan Tibt Tifinagh Tirh Tirhuta Tnsa Toto Ugar Ugaritic Unknown Vai Vaii Vith "
    "Vithkuqi Wancho Wara Warang_Citi Wcho Xpeo Xsux Yezi Yezidi Yi Yiii "
    "Zanabazar_Square Zanb Zinh Zyyy Zzzz ";

static const char binaries[] =
    " "
    "ASCII AHex ASCII_Hex_Digit Alphabetic Alpha Bidi_Control Bidi_C Bidi_Mirrored "
    "Bidi_M Case_Ignorable CI Cased Changes_When_Casefolded CWCF Changes_When_Casemapped "
    "CWCM Changes_When_Lowercased CWL Changes_When_Titlecased CWT "
    "Changes_When_Uppercased CWU Dash Default_Ignorable_Code_Point DI Deprecated Dep "
    "Diacritic Dia Emoji Emoji_Component EComp Emoji_Modifier EMod Emoji_Modifier_Base "
    "EBase Emoji_Presentation EPres Extended_Pictographic ExtPict Extender Ext "
    "Grapheme_Base Gr_Base Grapheme_Extend Gr_Ext Hex_Digit Hex IDS_Binary_Operator IDSB "
    "IDS_Trinary_Operator IDST ID_Continue IDC ID_Start IDS Ideographic Ideo "
    "Join_Control Join_C Logical_Order_Exception LOE Lowercase Lower Math "
    "Noncharacter_Code_Point NChar Pattern_Syntax Pat_Syn Pattern_White_Space Pat_WS "
    "Quotation_Mark QMark Radical Regional_Indicator RI Sentence_Terminal STerm "
    "Soft_Dotted SD Terminal_Punctuation Term Unified_Ideograph UIdeo Uppercase Upper "
    "Variation_Selector VS White_Space space XID_Continue XIDC XID_Start XIDS Any ";

static bool list_has(const char *list, struct slice name)
{
    char word[64];

    return snprintf(word, sizeof word, " %.*s ", SLICE_ARG(name)) < (int)sizeof word &&
           strstr(list, word) != NULL;
}

static bool category_add(struct buffer *out, struct slice name)
{
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++)
        for (size_t j = 0; j < 3 && categories[i][j] != NULL; j++)
            if (slice_is(name, categories[i][j])) {
                buffer_text(out, strcmp(categories[i][0], "LC") == 0 ? "L&" : categories[i][0]);
                return true;
            }
    return false;
}

bool regex_property(struct buffer *out, struct slice name, struct slice value, bool *is_inverse,
                    bool *is_known)
{
    bool is_script = slice_is(name, "Script") || slice_is(name, "sc");
    bool is_wide = slice_is(name, "Script_Extensions") || slice_is(name, "scx");

    *is_inverse = *is_known = false;
    for (size_t i = 0; i < name.size + value.size; i++) {
        char c = i < name.size ? name.data[i] : value.data[i - name.size];
        if (c == ' ' || c == '\0')
            return false;
    }
    if (is_script || is_wide) {
        buffer_format(out, "%s:%.*s", is_script ? "sc" : "scx", SLICE_ARG(value));
        return list_has(scripts, value);
    }
    if (slice_is(name, "General_Category") || slice_is(name, "gc"))
        return category_add(out, value);
    if (value.data != NULL)
        return false;
    if (category_add(out, name))
        return true;
    *is_known = slice_is(name, "Changes_When_NFKC_Casefolded") || slice_is(name, "CWKCF");
    *is_inverse = slice_is(name, "Assigned");
    buffer_slice(out, *is_inverse ? SLICE("Cn") : name);
    return *is_inverse || list_has(binaries, name);
}
