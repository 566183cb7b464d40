#include "clients/ctxctl/utf8.h"

#include <assert.h>

size_t ctl_utf8_size(const char *text, size_t size)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t wanted = c[0] < 0x80 ? 1 : c[0] < 0xE0 ? 2 : c[0] < 0xF0 ? 3 : 4;

    assert(size > 0);
    if (wanted == 1) {
        return 1;
    }
    if (wanted > size || c[0] < 0xC2 || c[0] > 0xF4) {
        return 0;
    }
    for (size_t i = 1; i < wanted; i++) {
        if ((c[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    if ((c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xED && c[1] > 0x9F) ||
        (c[0] == 0xF0 && c[1] < 0x90) || (c[0] == 0xF4 && c[1] > 0x8F)) {
        return 0;
    }
    return wanted;
}
