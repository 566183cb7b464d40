#include "core/state/detail.h"

#include <assert.h>

#include "core/base/limits.h"

/* The longest details, with a size before each name and ten bytes for each number. */
static_assert(CX_FILE_PATH_SIZE_MAX + CX_FILE_OPERATION_SIZE_MAX + CX_FILE_SOURCE_SIZE_MAX + 40 <=
                  CX_DETAIL_SIZE_MAX,
              "a file operation fits");
static_assert(3 * CX_MODEL_NAME_SIZE_MAX + CX_CURRENCY_SIZE + 100 <= CX_DETAIL_SIZE_MAX,
              "a model's call fits");
static_assert(CX_RESOURCE_NAME_SIZE_MAX + CX_RESOURCE_TYPE_SIZE_MAX + 40 <= CX_DETAIL_SIZE_MAX,
              "a resource's step fits");

/* ---- Encoding. -------------------------------------------------------------- */

static void put_file(struct cx_wire_writer *writer, const struct cx_file_operation *file)
{
    cx_wire_put_bytes(writer, file->path);
    cx_wire_put_bytes(writer, file->operation);
    cx_wire_put_bytes(writer, file->source);
}

static void put_model(struct cx_wire_writer *writer, const struct cx_model_usage *model)
{
    assert(model->latency_us >= 0);
    cx_wire_put_bytes(writer, model->provider);
    cx_wire_put_bytes(writer, model->model);
    cx_wire_put_bytes(writer, model->mode);
    cx_wire_put_bytes(writer, model->currency);
    cx_wire_put_number(writer, model->input_tokens);
    cx_wire_put_number(writer, model->output_tokens);
    cx_wire_put_number(writer, model->cached_tokens);
    cx_wire_put_number(writer, model->cost_micros);
    cx_wire_put_number(writer, (uint64_t)model->latency_us);
}

static void put_resource(struct cx_wire_writer *writer, const struct cx_resource_event *resource)
{
    cx_wire_put_bytes(writer, resource->name);
    cx_wire_put_bytes(writer, resource->type);
    cx_wire_put_number(writer, resource->step);
}

void cx_detail_put(struct cx_wire_writer *writer, const struct cx_detail *detail)
{
    cx_wire_put_number(writer, detail->kind);
    switch (detail->kind) {
    case CX_DETAIL_NONE:
        break;
    case CX_DETAIL_FILE:
        put_file(writer, &detail->file);
        break;
    case CX_DETAIL_MODEL:
        put_model(writer, &detail->model);
        break;
    case CX_DETAIL_RESOURCE:
        put_resource(writer, &detail->resource);
        break;
    }
}

/* ---- Decoding. -------------------------------------------------------------- */

static void refuse(struct cx_wire_reader *reader)
{
    reader->bad = true;
    reader->rest.size = 0;
}

static uint64_t get_bounded(struct cx_wire_reader *reader, uint64_t min, uint64_t max)
{
    uint64_t number = cx_wire_get_number(reader);

    if (number < min || number > max) {
        refuse(reader);
        return 0;
    }
    return number;
}

/* Names go into keys that end with NUL, so they have none. */
static struct cx_bytes get_name(struct cx_wire_reader *reader, size_t size_min, size_t size_max)
{
    struct cx_bytes name = cx_wire_get_bytes(reader);

    if (name.size < size_min || name.size > size_max ||
        (name.size > 0 && memchr(name.data, 0, name.size) != NULL)) {
        refuse(reader);
        return (struct cx_bytes){0};
    }
    return name;
}

static void get_file(struct cx_wire_reader *reader, struct cx_file_operation *ret_file)
{
    ret_file->path = get_name(reader, 1, CX_FILE_PATH_SIZE_MAX);
    ret_file->operation = get_name(reader, 0, CX_FILE_OPERATION_SIZE_MAX);
    ret_file->source = get_name(reader, 0, CX_FILE_SOURCE_SIZE_MAX);
}

static void get_model(struct cx_wire_reader *reader, struct cx_model_usage *ret_model)
{
    ret_model->provider = get_name(reader, 0, CX_MODEL_NAME_SIZE_MAX);
    ret_model->model = get_name(reader, 0, CX_MODEL_NAME_SIZE_MAX);
    ret_model->mode = get_name(reader, 0, CX_MODEL_NAME_SIZE_MAX);
    ret_model->currency = get_name(reader, CX_CURRENCY_SIZE, CX_CURRENCY_SIZE);
    ret_model->input_tokens = cx_wire_get_number(reader);
    ret_model->output_tokens = cx_wire_get_number(reader);
    ret_model->cached_tokens = cx_wire_get_number(reader);
    ret_model->cost_micros = cx_wire_get_number(reader);
    ret_model->latency_us = (int64_t)get_bounded(reader, 0, INT64_MAX);
}

static void get_resource(struct cx_wire_reader *reader, struct cx_resource_event *ret_resource)
{
    ret_resource->name = get_name(reader, 1, CX_RESOURCE_NAME_SIZE_MAX);
    ret_resource->type = get_name(reader, 0, CX_RESOURCE_TYPE_SIZE_MAX);
    ret_resource->step =
        (enum cx_resource_step)get_bounded(reader, CX_RESOURCE_ACQUIRED, CX_RESOURCE_RECLAIMED);
}

void cx_detail_get(struct cx_wire_reader *reader, struct cx_detail *ret_detail)
{
    struct cx_detail detail = {0};

    detail.kind = (enum cx_detail_kind)get_bounded(reader, CX_DETAIL_NONE, CX_DETAIL_RESOURCE);
    switch (detail.kind) {
    case CX_DETAIL_NONE:
        break;
    case CX_DETAIL_FILE:
        get_file(reader, &detail.file);
        break;
    case CX_DETAIL_MODEL:
        get_model(reader, &detail.model);
        break;
    case CX_DETAIL_RESOURCE:
        get_resource(reader, &detail.resource);
        break;
    }
    if (!reader->bad) {
        *ret_detail = detail;
    } else {
        *ret_detail = (struct cx_detail){0};
    }
}

/* ---- Comparing. ------------------------------------------------------------- */

static bool file_equal(const struct cx_file_operation *a, const struct cx_file_operation *b)
{
    return cx_bytes_equal(a->path, b->path) && cx_bytes_equal(a->operation, b->operation) &&
           cx_bytes_equal(a->source, b->source);
}

static bool model_equal(const struct cx_model_usage *a, const struct cx_model_usage *b)
{
    return cx_bytes_equal(a->provider, b->provider) && cx_bytes_equal(a->model, b->model) &&
           cx_bytes_equal(a->mode, b->mode) && cx_bytes_equal(a->currency, b->currency) &&
           a->input_tokens == b->input_tokens && a->output_tokens == b->output_tokens &&
           a->cached_tokens == b->cached_tokens && a->cost_micros == b->cost_micros &&
           a->latency_us == b->latency_us;
}

static bool resource_equal(const struct cx_resource_event *a, const struct cx_resource_event *b)
{
    return cx_bytes_equal(a->name, b->name) && cx_bytes_equal(a->type, b->type) &&
           a->step == b->step;
}

bool cx_detail_equal(const struct cx_detail *a, const struct cx_detail *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case CX_DETAIL_FILE:
        return file_equal(&a->file, &b->file);
    case CX_DETAIL_MODEL:
        return model_equal(&a->model, &b->model);
    case CX_DETAIL_RESOURCE:
        return resource_equal(&a->resource, &b->resource);
    case CX_DETAIL_NONE:
        break;
    }
    return true;
}
