/* Formats: what is one and what only looks like one. */
#include "schema/format/format.h"

#include "base/suggest.h"
#include "helper.h"

static bool fits(const char *format, const char *text)
{
    struct suggestion near = { 0 };
    const struct format *found = format_find(slice_of(format), &near);

    cr_assert_not_null(found, "%s", format);
    return found->fits(slice_of(text));
}

/* Texts end with NULL: first those that fit, then those that do not. */
static void assert_format(const char *format, const char *const *good, const char *const *bad)
{
    for (; *good != NULL; good++)
        cr_assert(fits(format, *good), "%s refuses %s", format, *good);
    for (; *bad != NULL; bad++)
        cr_assert_not(fits(format, *bad), "%s accepts %s", format, *bad);
}

#define LIST(...)         \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

Test(format, times)
{
    assert_format("date", LIST("1963-06-19", "2020-02-29", "2000-02-29"),
                  LIST("2021-02-29", "1900-02-29", "2020-13-01", "2020-04-31", "2020-1-01",
                       "20200101", "2020-01-01Z", "", "2020-00-01", "2020-01-0\u09ea"));
    assert_format("time",
                  LIST("08:30:06Z", "08:30:06.283185z", "08:30:06+00:20", "23:59:60Z",
                       "01:29:60+01:30", "23:29:60+23:30", "15:59:60-08:00"),
                  LIST("08:30:06", "24:00:00Z", "00:60:00Z", "00:00:61Z", "22:59:60Z",
                       "23:59:60+01:00", "08:30:06-24:00", "08:30:06+08:0", "8:30:06Z",
                       "08:30:06.Z", "08:30:06 PST", "01:02:03#Z"));
    assert_format("date-time",
                  LIST("1963-06-19T08:30:06.283185Z", "1990-12-31T15:59:50.123-08:00",
                       "1998-12-31T23:59:60Z", "1963-06-19t08:30:06z"),
                  LIST("1998-12-31T23:58:60Z", "1990-02-31T15:59:59Z",
                       "06/19/1963 08:30:06 PST", "2013-350T01:01:01Z", "1963-6-19T08:30:06Z",
                       "1963-06-19 08:30:06Z", ""));
    assert_format("duration",
                  LIST("P4DT12H30M5S", "P4Y", "PT0S", "P0D", "P1M", "PT1M", "PT36H", "P1DT12H",
                       "P2W", "P1Y2M3D"),
                  LIST("PT1D", "4DT12H30M5S", "P", "PT", "P1YT", "P2D1Y", "P1D2H", "P2S",
                       "P1Y2W", "P1", "p1y", "P1Y3D", "PT1H3S", "P-1D", "P1.5D"));
}

Test(format, hosts_and_addresses)
{
    assert_format(
        "hostname", LIST("www.example.com", "a", "xn--4gbwdl.xn--wgbh1c", "1host", "a-b.c"),
        LIST("-bad", "bad-", "a..b", ".a", "a.", "under_score", "", "a b", "ä.example",
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com"));
    assert_format(
        "ipv4", LIST("192.168.0.1", "0.0.0.0"),
        LIST("127.0.0.0.1", "256.1.1.1", "127.0", "0x7f000001", "087.10.0.1", "", "1.2.3.4 "));
    assert_format(
        "ipv6",
        LIST("::1", "::", "::abef", "1:2:3:4:5:6:7:8", "::42:ff:1", "1::d6:192.168.0.1"),
        LIST("12345::", "1:1:1:1:1:1:1:1:1", "::laptop", "fe80::a%eth1", "1::2::3", "",
             "::1/64", "a%25en"));
}

/* RFC 5890 to 5893: what their tables allow, where context decides, and both spellings. */
Test(format, international_hosts)
{
    static const char long_label[] =
        "실〮례."
        "테스트례에서특별한목적으로사용되지않는너무긴이름입니다실례실례실례실례실례실례실례";

    assert_format("hostname",
                  LIST("xn--ihqwcrb4cv8a8dqg056pqjye", "XN--4GBWDL.xn--wgbh1c",
                       "ab--cd.example", "a.xn--mnchen-3ya.de"),
                  LIST("xn--x", "xn--X", "xn--", "XN--aa---o47jg78q", "xn--a", "xn--abc-",
                       "xn--a-ecp.ru", "a.xn--zzzzzzzzzzzz99", "xn--mnchen-3ya-", "münchen.de",
                       "xn--hello-txk", "xn--al-0ea", "a。b"));
    assert_format(
        "idn-hostname",
        LIST("ä.example", "실례.테스트", "xn--ihqwcrb4cv8a8dqg056pqjye", "hostname",
             "host-name", "h0stn4me", "1host", "hostnam3", "Example.COM", "ßς་〇", "۽۾",
             "l\u00b7l", "α\u0375β", "א\u05f3ב", "א\u05f4ב", "\u30fbぁ", "\u30fbァ", "\u30fb丈",
             "\u0628\u0660\u0628", "\u06f00", "\u0915\u094d\u200d\u0937",
             "\u0915\u094d\u200c\u0937", "\u0628\u064a\u200c\u0628\u064a", "a.b", "a\u3002b",
             "a\uff0eb", "a\uff61b", "bücher.example", "日本.jp"),
        LIST("〮실례.테스트", long_label, "-> $1.00 --", "xn--X", "XN--aa---o47jg78q", "-hello",
             "hello-", "-hello-", "\u0903hello", "\u0300hello", "\u0488hello", "\u0640\u07fa",
             "\u3031\u3032\u3033\u3034\u3035\u302e\u302f\u303b", "a\u00b7l", "\u00b7l",
             "l\u00b7a", "l\u00b7", "α\u0375S", "α\u0375", "A\u05f3ב", "\u05f3ב", "A\u05f4ב",
             "\u05f4ב", "def\u30fbabc", "\u30fb", "\u0628\u0660\u06f0", "\u0915\u200d\u0937",
             "\u200d\u0937", "ab--cd", "äb--c", "a b", "", ".", "\u3002", ".a", "a.", "a..b",
             "a\u3002", "\u3002a", "Ä.example", "☃.net", "i❤.ws", "a\u0308.example",
             "½.example", "ﬁ.example", "under_score", "ä_b", "1host.א", "א1.2ä"));
}

Test(format, email)
{
    assert_format("email",
                  LIST("joe@example.com", "te~st@example.com", "a.b+c@x.y",
                       "\"joe bloggs\"@example.com", "\"joe..b\"@example.com",
                       "joe@[127.0.0.1]", "joe@[IPv6:::1]"),
                  LIST("2962", ".test@example.com", "test.@example.com", "te..st@example.com",
                       "joe@", "@example.com", "joe@invalid=domain.com", "joe@[127.0.0.300]",
                       "joe bloggs@example.com", "a\"b@example.com", "", "\"a\"b\"@x.y"));
    assert_format("email", LIST("joe@xn--4gbwdl.xn--wgbh1c"),
                  LIST("joe@xn--x", "joe@ä.example"));
    assert_format("idn-email", LIST("실례@실례.테스트", "joe@xn--4gbwdl.xn--wgbh1c"),
                  LIST("2962", "", "joe@〮실례.테스트", "joe@xn--x", "ä@a\u00b7l"));
}

Test(format, uris)
{
    assert_format(
        "uri",
        LIST("http://foo.bar/?baz=qux#quux", "http://foo.com/blah_(wikipedia)_blah#cite-1",
             "urn:oasis:names", "http://-.~_!$&'()*+,;=:%40:80%2f::@example.com",
             "mailto:John.Doe@example.com", "ldap://[2001:db8::7]/c=GB", "tel:+1-816-555-1212",
             "http://xn--nw2a.xn--j6w193g/", "http://[v1.a:b]/", "file:///etc", "http://a:/"),
        LIST("//foo.bar/?baz", "/abc", "\\\\WINDOWS\\x", "abc", "http:// x", ":// x",
             "bar,baz:x y", "http://ä.example", "http://a b", "http://[::1", "http://a:b",
             "http://x/%zz", "http://x/<", "http://[1.2.3.4]/", "1http://x", ""));
    assert_format("uri-reference",
                  LIST("//foo.bar/?baz", "/abc", "abc", "#fragment", "", "./a:b"),
                  LIST("\\\\WINDOWS\\x", "#frag\\ment", "a b", "1a:b", "ä"));
    assert_format("iri", LIST("http://ƒøø.ßår/?∂éœ=πîx#πîüx"),
                  LIST("/abc", "http://[2001::g]"));
    assert_format("iri-reference", LIST("//ƒøø.ßår/", "#ƒragment"),
                  LIST("\\\\W", "#ƒräg\\mênt"));
    assert_format("uri-template",
                  LIST("http://example.com/dictionary/{term:1}/{term}", "{+x,y*}{#z}{?a,b}",
                       "plain", "", "{a.b}"),
                  LIST("http://example.com/dictionary/{term:1}/{term", "{}", "{a b}", "}",
                       "{a:0}", "{a:99999}", "{.}", "a b", "%4"));
}

Test(format, ids_pointers_and_regexes)
{
    assert_format(
        "uuid",
        LIST("2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380"),
        LIST("2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
             "2eb8aa08-aa98-11ea-b4ga-73b441d16380", ""));
    assert_format("json-pointer", LIST("", "/", "/foo/0", "/a~1b~0"),
                  LIST("a", "/~", "/~2", "#/a", "/a~"));
    assert_format("relative-json-pointer", LIST("0", "1/a", "12#", "0/"),
                  LIST("/a", "-1", "01", "0##", "", "#"));
    assert_format("regex", LIST("^a+$", "([abc])+\\s+$", ""), LIST("^(abc]", "["));
}

Test(format, is_a_rule_in_a_schema_file)
{
    assert_valid("{format: date}", "\"2026-01-02\"");
    assert_valid("{format: date}", "5");
    assert_has(complaints("{format: date}", "\"tomorrow\""),
               "expected a date like 2026-01-02, got the string \"tomorrow\"");
    assert_has(file_complaints("input: {format: datetime}\n"),
               "\"datetime\" is no format; did you mean date-time?");
}
