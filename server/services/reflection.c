#include "server/services/reflection.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "server/rpc/call.h"
#include "server/rpc/service.h"
#include "server/services/descriptor_index.h"
#include "server/services/descriptors.h"

typedef Grpc__Reflection__V1__ErrorResponse ErrorResponse;
typedef Grpc__Reflection__V1__ExtensionNumberResponse ExtensionNumberResponse;
typedef Grpc__Reflection__V1__FileDescriptorResponse FileDescriptorResponse;
typedef Grpc__Reflection__V1__ListServiceResponse ListServiceResponse;
typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;
typedef Grpc__Reflection__V1__ServiceResponse ServiceResponse;

#define REQUEST(name) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##name
#define RESPONSE(name) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##name

struct cx_reflection {
    struct cx_service services[CX_REFLECTION_SERVICES];
    struct cx_descriptor_index *index;
    ServiceResponse *names; /* Of all services; the names are the descriptors'. */
    ServiceResponse **name_list;
    size_t name_count;
};

/* One answer and what it points to, until it is packed. */
struct answer {
    Response response;
    union {
        ErrorResponse error;
        ExtensionNumberResponse extensions;
        FileDescriptorResponse files;
        ListServiceResponse services;
    };
};

/* ---- Answers. --------------------------------------------------------------- */

static void answer_error(struct answer *answer, enum cx_status status, const char *message)
{
    answer->error = (ErrorResponse)GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
    answer->error.error_code = (int32_t)status;
    answer->error.error_message = (char *)message;
    answer->response.message_response_case = RESPONSE(ERROR_RESPONSE);
    answer->response.error_response = &answer->error;
}

static void answer_file(struct answer *answer, const struct cx_descriptor_file *file)
{
    if (file == NULL) {
        answer_error(answer, CX_NOT_FOUND, "no file of this server is or declares that");
        return;
    }
    answer->files = (FileDescriptorResponse)GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    answer->files.n_file_descriptor_proto = file->closure_count;
    answer->files.file_descriptor_proto = file->closure;
    answer->response.message_response_case = RESPONSE(FILE_DESCRIPTOR_RESPONSE);
    answer->response.file_descriptor_response = &answer->files;
}

/* No file of ours extends anything. */
static void answer_extension_numbers(struct answer *answer, const struct cx_reflection *reflection,
                                     const char *type)
{
    if (cx_descriptor_index_symbol(reflection->index, type) == NULL) {
        answer_error(answer, CX_NOT_FOUND, "no type has this name");
        return;
    }
    answer->extensions =
        (ExtensionNumberResponse)GRPC__REFLECTION__V1__EXTENSION_NUMBER_RESPONSE__INIT;
    answer->extensions.base_type_name = (char *)type;
    answer->response.message_response_case = RESPONSE(ALL_EXTENSION_NUMBERS_RESPONSE);
    answer->response.all_extension_numbers_response = &answer->extensions;
}

static void answer_services(struct answer *answer, const struct cx_reflection *reflection)
{
    answer->services = (ListServiceResponse)GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    answer->services.n_service = reflection->name_count;
    answer->services.service = reflection->name_list;
    answer->response.message_response_case = RESPONSE(LIST_SERVICES_RESPONSE);
    answer->response.list_services_response = &answer->services;
}

static void answer_request(struct answer *answer, const struct cx_reflection *reflection,
                           const Request *request)
{
    answer->response = (Response)GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    answer->response.valid_host = request->host;
    answer->response.original_request = (Request *)request;
    switch (request->message_request_case) {
    case REQUEST(FILE_BY_FILENAME):
        answer_file(answer, cx_descriptor_index_file(reflection->index, request->file_by_filename));
        break;
    case REQUEST(FILE_CONTAINING_SYMBOL):
        answer_file(answer,
                    cx_descriptor_index_symbol(reflection->index, request->file_containing_symbol));
        break;
    case REQUEST(FILE_CONTAINING_EXTENSION):
        answer_error(answer, CX_NOT_FOUND, "no file of this server extends a type");
        break;
    case REQUEST(ALL_EXTENSION_NUMBERS_OF_TYPE):
        answer_extension_numbers(answer, reflection, request->all_extension_numbers_of_type);
        break;
    case REQUEST(LIST_SERVICES):
        answer_services(answer, reflection);
        break;
    default:
        answer_error(answer, CX_INVALID_ARGUMENT, "the request asks for nothing");
    }
}

/* ---- The stream: one answer after the other. -------------------------------- */

static void info(struct cx_call *call, const ProtobufCMessage *message)
{
    (void)message; /* None yet. */
    cx_call_receive(call);
}

static void info_received(struct cx_call *call, const ProtobufCMessage *message)
{
    struct answer answer;

    if (message == NULL) {
        cx_call_finish(call);
        return;
    }
    answer_request(&answer, cx_call_app(call), (const Request *)message);
    cx_call_send(call, &answer.response.base);
}

static const struct cx_method methods[] = {
    {
        .name = "ServerReflectionInfo",
        .kind = CX_METHOD_BIDI_STREAM,
        .handle = info,
        .received = info_received,
        .sent = cx_call_receive,
        .left = cx_call_finish,
    },
};

/* ---- The services. ---------------------------------------------------------- */

/* The first version differs in nothing but its name. */
static const ProtobufCMethodDescriptor v1alpha_methods[] = {
    {
        .name = "ServerReflectionInfo",
        .input = &grpc__reflection__v1__server_reflection_request__descriptor,
        .output = &grpc__reflection__v1__server_reflection_response__descriptor,
    },
};

static const unsigned v1alpha_method_indices[] = {0};

static const ProtobufCServiceDescriptor v1alpha_descriptor = {
    .magic = PROTOBUF_C__SERVICE_DESCRIPTOR_MAGIC,
    .name = "grpc.reflection.v1alpha.ServerReflection",
    .short_name = "ServerReflection",
    .c_name = "Grpc__Reflection__V1alpha__ServerReflection",
    .package = "grpc.reflection.v1alpha",
    .n_methods = 1,
    .methods = v1alpha_methods,
    .method_indices_by_name = v1alpha_method_indices,
};

static const ProtobufCServiceDescriptor *const own_descriptors[CX_REFLECTION_SERVICES] = {
    &grpc__reflection__v1__server_reflection__descriptor,
    &v1alpha_descriptor,
};

static void add_name(struct cx_reflection *reflection, const char *name)
{
    ServiceResponse *response = &reflection->names[reflection->name_count];

    grpc__reflection__v1__service_response__init(response);
    response->name = (char *)name;
    reflection->name_list[reflection->name_count++] = response;
}

static enum cx_status reflection_fill(struct cx_reflection *reflection,
                                      const struct cx_service *const *services,
                                      size_t service_count)
{
    size_t count = service_count + CX_REFLECTION_SERVICES;

    reflection->names = cx_alloc(count * sizeof *reflection->names);
    reflection->name_list = cx_alloc(count * sizeof *reflection->name_list);
    if (reflection->names == NULL || reflection->name_list == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < service_count; i++) {
        add_name(reflection, services[i]->descriptor->name);
    }
    for (size_t i = 0; i < CX_REFLECTION_SERVICES; i++) {
        add_name(reflection, own_descriptors[i]->name);
        reflection->services[i] = (struct cx_service){
            .descriptor = own_descriptors[i],
            .methods = methods,
            .method_count = sizeof methods / sizeof methods[0],
            .app = reflection,
        };
    }
    return cx_descriptor_index_new((struct cx_bytes){cx_descriptors, cx_descriptors_size},
                                   &reflection->index);
}

enum cx_status cx_reflection_new(const struct cx_service *const *services, size_t service_count,
                                 struct cx_reflection **ret_reflection)
{
    struct cx_reflection *reflection = cx_calloc(sizeof *reflection);
    enum cx_status status;

    if (reflection == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    status = reflection_fill(reflection, services, service_count);
    if (status != CX_OK) {
        cx_reflection_free(reflection);
        return status;
    }
    *ret_reflection = reflection;
    return CX_OK;
}

const struct cx_service *cx_reflection_service(const struct cx_reflection *reflection, size_t index)
{
    assert(index < CX_REFLECTION_SERVICES);
    return &reflection->services[index];
}

void cx_reflection_free(struct cx_reflection *reflection)
{
    if (reflection == NULL) {
        return;
    }
    cx_descriptor_index_free(reflection->index);
    cx_free(reflection->names);
    cx_free(reflection->name_list);
    cx_free(reflection);
}
