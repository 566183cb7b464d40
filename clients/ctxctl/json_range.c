#include "clients/ctxctl/json_range.h"

#include <assert.h>
#include <string.h>

#include "clients/ctxctl/utf8.h"

struct scanner {
    const char *at;
    const char *end;
    const char *rule; /* What was broken at `at`; NULL while all is well. */
};

static bool fail(struct scanner *scanner, const char *rule)
{
    scanner->rule = rule;
    return false;
}

/* The byte at hand, or NUL at the end, which no rule takes. */
static char peek(const struct scanner *scanner)
{
    return scanner->at < scanner->end ? *scanner->at : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static void skip_space(struct scanner *scanner)
{
    while (scanner->at < scanner->end && strchr(" \t\n\r", *scanner->at) != NULL &&
           *scanner->at != '\0') {
        scanner->at++;
    }
}

/* ---- Scalars. -------------------------------------------------------------- */

static bool scan_escape(struct scanner *scanner)
{
    scanner->at++;
    if (peek(scanner) == 'u') {
        scanner->at++;
        for (int i = 0; i < 4; i++, scanner->at++) {
            if (!is_hex(peek(scanner))) {
                return fail(scanner, "\\u needs four hexadecimal digits");
            }
        }
        return true;
    }
    if (peek(scanner) == '\0' || strchr("\"\\/bfnrt", peek(scanner)) == NULL) {
        return fail(scanner, "no such escape");
    }
    scanner->at++;
    return true;
}

static bool scan_string(struct scanner *scanner)
{
    scanner->at++;
    while (scanner->at < scanner->end) {
        unsigned char c = (unsigned char)*scanner->at;
        size_t size;

        if (c == '"') {
            scanner->at++;
            return true;
        }
        if (c == '\\') {
            if (!scan_escape(scanner)) {
                return false;
            }
            continue;
        }
        size = ctl_utf8_size(scanner->at, (size_t)(scanner->end - scanner->at));
        if (c < 0x20) {
            return fail(scanner, "a control character must be escaped");
        }
        if (size == 0) {
            return fail(scanner, "not UTF-8");
        }
        scanner->at += size;
    }
    return fail(scanner, "the string does not end");
}

static bool scan_digits(struct scanner *scanner)
{
    if (!is_digit(peek(scanner))) {
        return fail(scanner, "a digit is missing");
    }
    while (is_digit(peek(scanner))) {
        scanner->at++;
    }
    return true;
}

static bool scan_number(struct scanner *scanner)
{
    if (peek(scanner) == '-') {
        scanner->at++;
    }
    if (peek(scanner) == '0') {
        scanner->at++; /* Nothing follows a leading zero. */
    } else if (!scan_digits(scanner)) {
        return false;
    }
    if (peek(scanner) == '.') {
        scanner->at++;
        if (!scan_digits(scanner)) {
            return false;
        }
    }
    if (peek(scanner) == 'e' || peek(scanner) == 'E') {
        scanner->at++;
        if (peek(scanner) == '+' || peek(scanner) == '-') {
            scanner->at++;
        }
        return scan_digits(scanner);
    }
    return true;
}

static bool scan_word(struct scanner *scanner, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(scanner->end - scanner->at) < size || memcmp(scanner->at, word, size) != 0) {
        return fail(scanner, "no such word: true, false and null there are");
    }
    scanner->at += size;
    return true;
}

/* ---- Values. --------------------------------------------------------------- */

static bool scan_value(struct scanner *scanner, int depth);

static bool scan_member(struct scanner *scanner, int depth)
{
    if (peek(scanner) != '"') {
        return fail(scanner, "a member begins with its name in quotes");
    }
    if (!scan_string(scanner)) {
        return false;
    }
    skip_space(scanner);
    if (peek(scanner) != ':') {
        return fail(scanner, "a colon is missing");
    }
    scanner->at++;
    skip_space(scanner);
    return scan_value(scanner, depth);
}

/* An array, or with `members` an object, from its opening bracket on. */
static bool scan_items(struct scanner *scanner, bool members, int depth)
{
    char close = members ? '}' : ']';

    if (depth == CTL_JSON_DEPTH_MAX) {
        return fail(scanner, "nested too deep");
    }
    scanner->at++;
    skip_space(scanner);
    if (peek(scanner) == close) {
        scanner->at++;
        return true;
    }
    for (;;) {
        if (members ? !scan_member(scanner, depth + 1) : !scan_value(scanner, depth + 1)) {
            return false;
        }
        skip_space(scanner);
        if (peek(scanner) == close) {
            scanner->at++;
            return true;
        }
        if (peek(scanner) != ',') {
            return fail(scanner, "a comma or the closing bracket is missing");
        }
        scanner->at++;
        skip_space(scanner);
    }
}

static bool scan_value(struct scanner *scanner, int depth)
{
    switch (peek(scanner)) {
    case '{':
        return scan_items(scanner, true, depth);
    case '[':
        return scan_items(scanner, false, depth);
    case '"':
        return scan_string(scanner);
    case 't':
        return scan_word(scanner, "true");
    case 'f':
        return scan_word(scanner, "false");
    case 'n':
        return scan_word(scanner, "null");
    default:
        if (peek(scanner) == '-' || is_digit(peek(scanner))) {
            return scan_number(scanner);
        }
        return fail(scanner, "a value is missing");
    }
}

bool ctl_json_check(const char *text, size_t size, struct ctl_json *ret_value,
                    struct ctl_json_problem *ret_problem)
{
    struct scanner scanner = {.at = text, .end = text + size};
    struct ctl_json value;

    skip_space(&scanner);
    value.start = scanner.at;
    if (scan_value(&scanner, 0)) {
        value.size = (size_t)(scanner.at - value.start);
        skip_space(&scanner);
        if (scanner.at < scanner.end) {
            fail(&scanner, "something follows the value");
        }
    }
    if (scanner.rule != NULL) {
        ret_problem->offset = (size_t)(scanner.at - text);
        ret_problem->rule = scanner.rule;
        return false;
    }
    *ret_value = value;
    return true;
}

char ctl_json_kind(struct ctl_json value)
{
    char first = value.start[0];

    return first == '-' || is_digit(first) ? '0' : first;
}

/* ---- Items. ---------------------------------------------------------------- */

struct ctl_json_items ctl_json_items_of(struct ctl_json value)
{
    assert(value.start[0] == '{' || value.start[0] == '[');
    return (struct ctl_json_items){
        .at = value.start + 1,
        .end = value.start + value.size - 1,
        .members = value.start[0] == '{',
    };
}

static struct ctl_json range(const char *start, const struct scanner *scanner)
{
    return (struct ctl_json){start, (size_t)(scanner->at - start)};
}

bool ctl_json_next(struct ctl_json_items *items, struct ctl_json *ret_name,
                   struct ctl_json *ret_value)
{
    struct scanner scanner = {.at = items->at, .end = items->end};
    const char *start;

    skip_space(&scanner);
    if (scanner.at == scanner.end) {
        return false;
    }
    start = scanner.at;
    if (items->members) {
        scan_string(&scanner);
        if (ret_name != NULL) {
            *ret_name = range(start, &scanner);
        }
        skip_space(&scanner);
        scanner.at++; /* The colon. */
        skip_space(&scanner);
        start = scanner.at;
    }
    scan_value(&scanner, 0);
    assert(scanner.rule == NULL); /* Checked before. */
    *ret_value = range(start, &scanner);
    skip_space(&scanner);
    items->at = scanner.at < scanner.end ? scanner.at + 1 : scanner.at; /* Behind the comma. */
    return true;
}
