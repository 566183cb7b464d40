/* One line of an import: a context, as JSON.
 *
 *     {"id": "trip-42", "user": "ada", "messages": [{"role": "user", ...}, ...]}
 *     {"id": "trip-42", "metadata": {"user": "ada"}, "entries": {"goal": "a hotel"}}
 *
 * `id` is needed; `type`, `parent_id`, `expire_time`, `metadata`, `entries` and
 * `messages` mean what they are called; every other member is a label: a text as it is,
 * a number, true, false or null as its JSON text.
 *
 * A message becomes an entry `messages/00000001` and so on, of the content type
 * application/json, whose value is the exact bytes of that JSON value in the line. In
 * `entries`,
 *
 *     "text"                                    stands for its UTF-8 bytes,
 *     {"text": "...", "content_type": "..."}    for the same with a content type,
 *     {"base64": "..."}, with content_type too  for any bytes,
 *
 * and every other JSON value for its own exact bytes in the line. */

#ifndef CTL_IMPORT_LINE_H
#define CTL_IMPORT_LINE_H

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/request.h"

#define CTL_MESSAGE_KEY_FORMAT "messages/%08zu"
#define CTL_MESSAGE_CONTENT_TYPE "application/json"

struct ctl_put {
    const char *key;
    struct ctl_bytes value;
    const char *content_type;
};

struct ctl_label {
    const char *key;
    const char *value;
};

struct ctl_line {
    struct ctl_pool pool; /* Everything below is its, or lies in `text`. */
    const char *text;
    size_t text_size;
    const char *id;
    const char *type;
    const char *parent_id;
    int64_t expire_s; /* Since 1970. 0: never. */
    bool conversation;
    struct ctl_label *labels; /* In the order of their keys. */
    size_t label_count;
    struct ctl_put *puts; /* In the order of their keys. */
    size_t put_count;
};

/* Reads a line, of which it keeps a copy. Returns false with what is wrong, for people;
 * *ret_line is to be released in both cases. */
bool ctl_line_parse(const char *text, size_t size, struct ctl_line *ret_line,
                    char problem[CTL_PROBLEM_SIZE]);

void ctl_line_done(struct ctl_line *line);

#endif /* CTL_IMPORT_LINE_H */
