#include "core/base/text.h"

#include "core/base/limits.h"

/* The bytes of the character that `text` begins with, and *ret_point what it is;
 * 0 when it is malformed or cut. */
static size_t character_size(struct cx_bytes text, uint32_t *ret_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text.data[0];
    size_t size = first < 0x80             ? 1
                  : (first & 0xe0) == 0xc0 ? 2
                  : (first & 0xf0) == 0xe0 ? 3
                  : (first & 0xf8) == 0xf0 ? 4
                                           : 0;
    uint32_t point = size == 1 ? first : first & (0xffu >> (size + 1));

    if (size == 0 || size > text.size) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((text.data[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (text.data[i] & 0x3f);
    }
    if (point < smallest[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        return 0;
    }
    *ret_point = point;
    return size;
}

bool cx_text_is_utf8(struct cx_bytes text)
{
    return cx_text_whole_size(text) == text.size;
}

size_t cx_text_whole_size(struct cx_bytes text)
{
    size_t whole = 0;
    uint32_t point;

    while (whole < text.size) {
        size_t size =
            character_size((struct cx_bytes){text.data + whole, text.size - whole}, &point);

        if (size == 0) {
            break;
        }
        whole += size;
    }
    return whole;
}

const char *cx_name_check(struct cx_bytes name, size_t size_min, size_t size_max)
{
    if (name.size < size_min) {
        return "must not be empty";
    }
    if (name.size > size_max) {
        return "is longer than its limit";
    }
    for (size_t at = 0; at < name.size;) {
        uint32_t point;
        size_t size = character_size((struct cx_bytes){name.data + at, name.size - at}, &point);

        if (size == 0) {
            return "must be UTF-8";
        }
        if (point < 0x20 || (point >= 0x7f && point < 0xa0)) {
            return "must not contain control characters";
        }
        at += size;
    }
    return NULL;
}

static bool is_lower_alnum(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

const char *cx_namespace_check(struct cx_bytes name)
{
    const char *rule = cx_name_check(name, 1, CX_NAMESPACE_SIZE_MAX);

    if (rule != NULL) {
        return rule;
    }
    if (!is_lower_alnum(name.data[0])) {
        return "must begin with one of a-z 0-9";
    }
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];

        if (!is_lower_alnum(c) && c != '-' && c != '_' && c != '.') {
            return "may hold only a-z 0-9 - _ .";
        }
    }
    return NULL;
}

const char *cx_text_check(struct cx_bytes text, size_t size_max)
{
    if (text.size > size_max) {
        return "is longer than its limit";
    }
    if (text.size > 0 && memchr(text.data, 0, text.size) != NULL) {
        return "must not contain NUL";
    }
    return cx_text_is_utf8(text) ? NULL : "must be UTF-8";
}
