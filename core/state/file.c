#include "core/state/file.h"

#include <assert.h>
#include <stddef.h>

#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/tracked_query.h"

static_assert(offsetof(struct cx_file_row, item) == 0, "cx_file_of() relies on it");
static_assert(CX_FILE_PATH_SIZE_MAX <= UINT16_MAX && CX_FILE_OPERATION_SIZE_MAX <= UINT16_MAX &&
                  CX_FILE_SOURCE_SIZE_MAX <= UINT16_MAX,
              "the sizes fit into their fields");

static void file_free(struct cx_tree_item *item)
{
    cx_free(item);
}

const struct cx_tree_class cx_file_class = {
    .key_offset = offsetof(struct cx_file_row, bytes),
    .free_item = file_free,
};

enum cx_status cx_file_new(const struct cx_file_operation *operation,
                           const struct cx_file_row *before, struct cx_file_row **ret_file)
{
    size_t size = operation->path.size + operation->operation.size + operation->source.size;
    struct cx_file_row *file;
    uint8_t *at;

    assert(operation->path.size >= 1 && operation->path.size <= CX_FILE_PATH_SIZE_MAX);
    assert(operation->operation.size <= CX_FILE_OPERATION_SIZE_MAX);
    assert(operation->source.size <= CX_FILE_SOURCE_SIZE_MAX);

    file = cx_alloc(sizeof *file + size);
    if (file == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    *file = (struct cx_file_row){
        .item = {.refs = 1,
                 .key_size = (uint16_t)operation->path.size,
                 .extra = (uint16_t)operation->operation.size},
        .operation_count = before != NULL ? before->operation_count + 1 : 1,
        .source_size = (uint16_t)operation->source.size,
    };
    at = file->bytes;
    cx_bytes_put(&at, operation->path);
    cx_bytes_put(&at, operation->operation);
    cx_bytes_put(&at, operation->source);
    *ret_file = file;
    return CX_OK;
}

void cx_file_view(const struct cx_file_row *file, struct cx_file_view *ret_view)
{
    struct cx_bytes path = cx_tree_item_key(&cx_file_class, &file->item);
    struct cx_bytes operation = {path.data + path.size, file->item.extra};
    struct cx_bytes source = {operation.data + operation.size, file->source_size};

    *ret_view = (struct cx_file_view){
        .last = {.path = path, .operation = operation, .source = source},
        .time_us = file->time_us,
        .operation_count = file->operation_count,
    };
}

enum cx_status cx_file_list(const struct cx_tracked_query *query, struct cx_file_page *page)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item;

    assert(query->count_max >= 1 && query->count_max <= CX_PAGE_SIZE_MAX);
    page->rows = cx_alloc(query->count_max * sizeof *page->rows);
    if (page->rows == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    item = cx_tracked_query_first(query, &cx_file_class, &page->files, &cursor);
    while (item != NULL && page->count < query->count_max) {
        cx_file_view(cx_file_of(item), &page->rows[page->count++]);
        item = cx_tracked_query_next(query, &cx_file_class, &cursor);
    }
    page->more = item != NULL;
    return CX_OK;
}

uint64_t cx_file_mix(uint64_t digest, const struct cx_file_row *file)
{
    struct cx_file_view view;

    cx_file_view(file, &view);
    digest = cx_hash_mix(digest, view.last.path);
    digest = cx_hash_mix(digest, view.last.operation);
    digest = cx_hash_mix(digest, view.last.source);
    digest = cx_hash_mix_number(digest, (uint64_t)view.time_us);
    return cx_hash_mix_number(digest, view.operation_count);
}
