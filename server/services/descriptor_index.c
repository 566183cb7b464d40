#include "server/services/descriptor_index.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/base/memory.h"
#include "google/protobuf/descriptor.pb-c.h"

typedef Google__Protobuf__DescriptorProto MessageProto;
typedef Google__Protobuf__EnumDescriptorProto EnumProto;
typedef Google__Protobuf__FileDescriptorProto FileProto;
typedef Google__Protobuf__ServiceDescriptorProto ServiceProto;

struct symbol {
    char *name;  /* Full; owned. */
    size_t file; /* Its index. */
};

struct cx_descriptor_index {
    struct cx_descriptor_file *files; /* Owned, with all that is in them. */
    size_t file_count;
    struct symbol *symbols;
    size_t symbol_count;
    size_t symbol_capacity;

    /* Only while it is built. */
    FileProto **protos;      /* Parsed; one for each file. */
    struct cx_bytes *pieces; /* The files' bytes in the set. */
};

/* ---- The set: a field 1, length-delimited, for each file. ------------------- */

enum { FILE_TAG = 1 << 3 | 2 };

/* Takes the bytes of the next file off the set. */
static struct cx_bytes take_file(struct cx_bytes *set)
{
    struct cx_bytes file = {0};
    unsigned shift = 0;
    uint8_t byte;

    assert(set->data[0] == FILE_TAG);
    set->data++;
    set->size--;
    do {
        assert(set->size > 0 && shift < 63);
        byte = *set->data++;
        set->size--;
        file.size |= (size_t)(byte & 0x7F) << shift;
        shift += 7;
    } while (byte & 0x80);
    assert(file.size <= set->size);
    file.data = set->data;
    set->data += file.size;
    set->size -= file.size;
    return file;
}

static size_t count_files(struct cx_bytes set)
{
    size_t count = 0;

    while (set.size > 0) {
        take_file(&set);
        count++;
    }
    return count;
}

/* ---- Symbols. --------------------------------------------------------------- */

/* "scope.name" on the heap, or "name" without a scope. NULL when out of memory. */
static char *join(const char *scope, const char *name)
{
    size_t scope_size = strlen(scope);
    size_t name_size = strlen(name);
    char *joined = cx_alloc(scope_size + name_size + 2);
    char *end = joined;

    if (joined == NULL) {
        return NULL;
    }
    if (scope_size > 0) {
        memcpy(end, scope, scope_size);
        end += scope_size;
        *end++ = '.';
    }
    memcpy(end, name, name_size + 1);
    return joined;
}

/* Adds "scope.name" and returns it, borrowed; NULL when out of memory. */
static const char *add_symbol(struct cx_descriptor_index *index, size_t file, const char *scope,
                              const char *name)
{
    char *joined;

    if (index->symbol_count == index->symbol_capacity) {
        size_t capacity = index->symbol_capacity > 0 ? 2 * index->symbol_capacity : 256;
        struct symbol *moved = cx_realloc(index->symbols, capacity * sizeof *moved);

        if (moved == NULL) {
            return NULL;
        }
        index->symbols = moved;
        index->symbol_capacity = capacity;
    }
    joined = join(scope, name);
    if (joined != NULL) {
        index->symbols[index->symbol_count++] = (struct symbol){joined, file};
    }
    return joined;
}

static bool add_enums(struct cx_descriptor_index *index, size_t file, const char *scope,
                      EnumProto *const *enums, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (add_symbol(index, file, scope, enums[i]->name) == NULL) {
            return false;
        }
    }
    return true;
}

/* As deep as messages are nested in the .proto files. */
static bool add_messages(struct cx_descriptor_index *index, size_t file, const char *scope,
                         MessageProto *const *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const MessageProto *message = messages[i];
        const char *name = add_symbol(index, file, scope, message->name);

        if (name == NULL ||
            !add_enums(index, file, name, message->enum_type, message->n_enum_type) ||
            !add_messages(index, file, name, message->nested_type, message->n_nested_type)) {
            return false;
        }
    }
    return true;
}

static bool add_services(struct cx_descriptor_index *index, size_t file, const char *scope,
                         ServiceProto *const *services, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = add_symbol(index, file, scope, services[i]->name);

        if (name == NULL) {
            return false;
        }
        for (size_t j = 0; j < services[i]->n_method; j++) {
            if (add_symbol(index, file, name, services[i]->method[j]->name) == NULL) {
                return false;
            }
        }
    }
    return true;
}

static bool add_symbols(struct cx_descriptor_index *index, size_t file)
{
    const FileProto *proto = index->protos[file];
    const char *scope = proto->package != NULL ? proto->package : "";

    return add_messages(index, file, scope, proto->message_type, proto->n_message_type) &&
           add_enums(index, file, scope, proto->enum_type, proto->n_enum_type) &&
           add_services(index, file, scope, proto->service, proto->n_service);
}

/* ---- Imports. --------------------------------------------------------------- */

static size_t find_proto(const struct cx_descriptor_index *index, const char *name)
{
    size_t i = 0;

    while (strcmp(index->protos[i]->name, name) != 0) {
        i++;
        assert(i < index->file_count); /* The set has all imports. */
    }
    return i;
}

/* Appends a file and what it imports, each once. `seen` says which are in. */
static void close_over(const struct cx_descriptor_index *index, size_t each,
                       struct cx_descriptor_file *file, bool *seen)
{
    const FileProto *proto = index->protos[each];

    if (seen[each]) {
        return;
    }
    seen[each] = true;
    file->closure[file->closure_count++] = (ProtobufCBinaryData){
        .len = index->pieces[each].size,
        .data = (uint8_t *)index->pieces[each].data,
    };
    for (size_t i = 0; i < proto->n_dependency; i++) {
        close_over(index, find_proto(index, proto->dependency[i]), file, seen);
    }
}

static bool add_closure(struct cx_descriptor_index *index, size_t i)
{
    struct cx_descriptor_file *file = &index->files[i];
    bool *seen = cx_calloc(index->file_count * sizeof *seen);

    file->name = join("", index->protos[i]->name);
    file->closure = cx_alloc(index->file_count * sizeof *file->closure);
    if (seen != NULL && file->name != NULL && file->closure != NULL) {
        close_over(index, i, file, seen);
    }
    cx_free(seen);
    return file->closure_count > 0;
}

/* ---- Building. -------------------------------------------------------------- */

static bool index_parse(struct cx_descriptor_index *index, struct cx_bytes set)
{
    size_t count = count_files(set);

    index->files = cx_calloc(count * sizeof *index->files);
    index->protos = cx_calloc(count * sizeof *index->protos);
    index->pieces = cx_calloc(count * sizeof *index->pieces);
    if (index->files == NULL || index->protos == NULL || index->pieces == NULL) {
        return false;
    }
    index->file_count = count;
    for (size_t i = 0; i < count; i++) {
        index->pieces[i] = take_file(&set);
        index->protos[i] = google__protobuf__file_descriptor_proto__unpack(
            NULL, index->pieces[i].size, index->pieces[i].data);
        if (index->protos[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* Releases what is only needed while the index is built. */
static void index_forget_protos(struct cx_descriptor_index *index)
{
    for (size_t i = 0; i < index->file_count; i++) {
        if (index->protos[i] != NULL) {
            google__protobuf__file_descriptor_proto__free_unpacked(index->protos[i], NULL);
        }
    }
    cx_free(index->protos);
    cx_free(index->pieces);
    index->protos = NULL;
    index->pieces = NULL;
}

enum cx_status cx_descriptor_index_new(struct cx_bytes set, struct cx_descriptor_index **ret_index)
{
    struct cx_descriptor_index *index = cx_calloc(sizeof *index);
    bool built = index != NULL && index_parse(index, set);

    for (size_t i = 0; built && i < index->file_count; i++) {
        built = add_symbols(index, i) && add_closure(index, i);
    }
    if (!built) {
        cx_descriptor_index_free(index);
        return CX_RESOURCE_EXHAUSTED;
    }
    index_forget_protos(index);
    *ret_index = index;
    return CX_OK;
}

void cx_descriptor_index_free(struct cx_descriptor_index *index)
{
    if (index == NULL) {
        return;
    }
    if (index->protos != NULL) {
        index_forget_protos(index);
    }
    for (size_t i = 0; i < index->file_count; i++) {
        cx_free(index->files[i].name);
        cx_free(index->files[i].closure);
    }
    for (size_t i = 0; i < index->symbol_count; i++) {
        cx_free(index->symbols[i].name);
    }
    cx_free(index->files);
    cx_free(index->symbols);
    cx_free(index->pieces);
    cx_free(index);
}

/* ---- Looking up. ------------------------------------------------------------ */

const struct cx_descriptor_file *cx_descriptor_index_file(const struct cx_descriptor_index *index,
                                                          const char *name)
{
    for (size_t i = 0; i < index->file_count; i++) {
        if (strcmp(index->files[i].name, name) == 0) {
            return &index->files[i];
        }
    }
    return NULL;
}

const struct cx_descriptor_file *cx_descriptor_index_symbol(const struct cx_descriptor_index *index,
                                                            const char *name)
{
    for (size_t i = 0; i < index->symbol_count; i++) {
        if (strcmp(index->symbols[i].name, name) == 0) {
            return &index->files[index->symbols[i].file];
        }
    }
    return NULL;
}
