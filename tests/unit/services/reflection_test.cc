// grpc.reflection: what server/services/reflection.h promises, over a real port.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/grpc_client.h"

extern "C" {
#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "server/rpc/server.h"
#include "server/rpc/service.h"
#include "server/services/reflection.h"
}

namespace {

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

#define REQUEST(name) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##name
#define RESPONSE(name) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##name

const char kV1[] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const char kV1Alpha[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

using ResponsePointer = std::unique_ptr<Response, void (*)(Response *)>;

class ReflectionTest : public testing::Test {
 protected:
  void SetUp() override {
    cx_rpc_options options = {};
    cx_error error;
    int port;
    options.listen = "127.0.0.1:0";
    options.pollers = 1;
    options.message_size_max = 1 << 20;
    options.in_flight_bytes_max = 1 << 20;
    options.connections_max = 100;
    ASSERT_EQ(CX_OK, cx_reflection_new(nullptr, 0, &reflection_));
    ASSERT_EQ(CX_OK, cx_rpc_server_new(&options, &server_));
    for (size_t i = 0; i < CX_REFLECTION_SERVICES; i++) {
      ASSERT_EQ(CX_OK, cx_rpc_server_add(server_, cx_reflection_service(reflection_, i)));
    }
    ASSERT_EQ(CX_OK, cx_rpc_server_start(server_, &port, &error));
    client_ = std::make_unique<GrpcClient>(port);
    call_ = client_->Open(kV1);
  }

  void TearDown() override {
    call_.reset();
    client_.reset();
    cx_rpc_server_stop(server_, 0);
    cx_rpc_server_free(server_);
    cx_reflection_free(reflection_);
  }

  // Asks on the open stream.
  ResponsePointer Ask(const std::function<void(Request *)> &fill) {
    Request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
    std::string bytes;
    request.host = const_cast<char *>("host");
    fill(&request);
    EXPECT_TRUE(call_->Send(GrpcPack(&request.base)));
    EXPECT_TRUE(call_->Receive(&bytes));
    ResponsePointer response(
        grpc__reflection__v1__server_reflection_response__unpack(
            nullptr, bytes.size(), reinterpret_cast<const uint8_t *>(bytes.data())),
        [](Response *each) {
          grpc__reflection__v1__server_reflection_response__free_unpacked(each, nullptr);
        });
    EXPECT_STREQ("host", response->valid_host);
    EXPECT_EQ(request.message_request_case, response->original_request->message_request_case);
    return response;
  }

  ResponsePointer AskFile(const char *name) {
    return Ask([&](Request *request) {
      request->message_request_case = REQUEST(FILE_BY_FILENAME);
      request->file_by_filename = const_cast<char *>(name);
    });
  }

  ResponsePointer AskSymbol(const char *name) {
    return Ask([&](Request *request) {
      request->message_request_case = REQUEST(FILE_CONTAINING_SYMBOL);
      request->file_containing_symbol = const_cast<char *>(name);
    });
  }

  cx_reflection *reflection_ = nullptr;
  cx_rpc_server *server_ = nullptr;
  std::unique_ptr<GrpcClient> client_;
  std::unique_ptr<GrpcCall> call_;
};

// The names of the files of a response, in its order; empty when it is an error.
std::vector<std::string> Files(const Response &response) {
  std::vector<std::string> names;
  if (response.message_response_case != RESPONSE(FILE_DESCRIPTOR_RESPONSE)) {
    return names;
  }
  const auto *files = response.file_descriptor_response;
  for (size_t i = 0; i < files->n_file_descriptor_proto; i++) {
    auto *file = google__protobuf__file_descriptor_proto__unpack(
        nullptr, files->file_descriptor_proto[i].len, files->file_descriptor_proto[i].data);
    names.push_back(file != nullptr ? file->name : "(malformed)");
    google__protobuf__file_descriptor_proto__free_unpacked(file, nullptr);
  }
  return names;
}

int ErrorCode(const Response &response) {
  return response.message_response_case == RESPONSE(ERROR_RESPONSE)
             ? response.error_response->error_code
             : 0;
}

TEST_F(ReflectionTest, ListsTheServices) {
  ResponsePointer response = Ask([](Request *request) {
    request->message_request_case = REQUEST(LIST_SERVICES);
    request->list_services = const_cast<char *>("");
  });
  std::set<std::string> names;
  const auto *services = response->list_services_response;
  for (size_t i = 0; i < services->n_service; i++) names.insert(services->service[i]->name);
  std::set<std::string> expected = {"grpc.reflection.v1.ServerReflection",
                                    "grpc.reflection.v1alpha.ServerReflection"};
  EXPECT_EQ(expected, names);
}

TEST_F(ReflectionTest, GivesAFileWithAllThatItImports) {
  std::vector<std::string> files = Files(*AskFile("contextd/v1/context_manager.proto"));
  ASSERT_FALSE(files.empty());
  EXPECT_EQ("contextd/v1/context_manager.proto", files[0]);
  std::set<std::string> expected = {"contextd/v1/context_manager.proto",
                                    "contextd/v1/resources.proto", "google/protobuf/duration.proto",
                                    "google/protobuf/timestamp.proto"};
  EXPECT_EQ(expected, std::set<std::string>(files.begin(), files.end()));
  EXPECT_EQ(expected.size(), files.size());
}

TEST_F(ReflectionTest, FindsTheFileOfEverySortOfSymbol) {
  const struct {
    const char *symbol;
    const char *file;
  } cases[] = {
      {"contextd.v1.ContextManager", "contextd/v1/context_manager.proto"},
      {"contextd.v1.ContextManager.GetContext", "contextd/v1/context_manager.proto"},
      {"contextd.v1.Context", "contextd/v1/resources.proto"},
      {"contextd.v1.Context.MetadataEntry", "contextd/v1/resources.proto"},
      {"contextd.v1.ContextView", "contextd/v1/context_manager.proto"},
      {"contextd.v1.Tracker", "contextd/v1/tracker.proto"},
      {"contextd.v1.Recovery", "contextd/v1/recovery.proto"},
      {"google.rpc.ErrorInfo", "google/rpc/error_details.proto"},
      {"grpc.health.v1.Health", "grpc/health/v1/health.proto"},
      {"grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"},
      {"grpc.reflection.v1.ServerReflection", "grpc/reflection/v1/reflection.proto"},
      {"grpc.reflection.v1alpha.ServerReflection", "grpc/reflection/v1alpha/reflection.proto"},
  };
  for (const auto &each : cases) {
    std::vector<std::string> files = Files(*AskSymbol(each.symbol));
    ASSERT_FALSE(files.empty()) << each.symbol;
    EXPECT_EQ(each.file, files[0]) << each.symbol;
  }
}

TEST_F(ReflectionTest, AnswersInPlaceWhatIsNotThere) {
  EXPECT_EQ(GRPC_STATUS_NOT_FOUND, ErrorCode(*AskFile("no/such.proto")));
  EXPECT_EQ(GRPC_STATUS_NOT_FOUND, ErrorCode(*AskSymbol("no.such.Symbol")));
  EXPECT_EQ(GRPC_STATUS_NOT_FOUND, ErrorCode(*AskSymbol("")));
  EXPECT_EQ(GRPC_STATUS_INVALID_ARGUMENT, ErrorCode(*Ask([](Request *) {})));
  EXPECT_FALSE(Files(*AskSymbol("contextd.v1.Context")).empty());
  call_->SendsDone();
  EXPECT_EQ(GRPC_STATUS_OK, call_->Finish().code);
}

TEST_F(ReflectionTest, KnowsNoExtensions) {
  Grpc__Reflection__V1__ExtensionRequest extension = GRPC__REFLECTION__V1__EXTENSION_REQUEST__INIT;
  extension.containing_type = const_cast<char *>("contextd.v1.Context");
  EXPECT_EQ(GRPC_STATUS_NOT_FOUND, ErrorCode(*Ask([&](Request *request) {
              request->message_request_case = REQUEST(FILE_CONTAINING_EXTENSION);
              request->file_containing_extension = &extension;
            })));
  const auto ask_numbers = [this](const char *type) {
    return Ask([type](Request *request) {
      request->message_request_case = REQUEST(ALL_EXTENSION_NUMBERS_OF_TYPE);
      request->all_extension_numbers_of_type = const_cast<char *>(type);
    });
  };
  EXPECT_EQ(GRPC_STATUS_NOT_FOUND, ErrorCode(*ask_numbers("no.such.Type")));
  ResponsePointer response = ask_numbers("contextd.v1.Context");
  ASSERT_EQ(RESPONSE(ALL_EXTENSION_NUMBERS_RESPONSE), response->message_response_case);
  EXPECT_STREQ("contextd.v1.Context", response->all_extension_numbers_response->base_type_name);
  EXPECT_EQ(0u, response->all_extension_numbers_response->n_extension_number);
}

TEST_F(ReflectionTest, SpeaksTheFirstVersionToo) {
  call_ = client_->Open(kV1Alpha);
  EXPECT_FALSE(Files(*AskSymbol("contextd.v1.Context")).empty());
}

TEST_F(ReflectionTest, EndsWithAClientThatLeaves) {
  AskFile("contextd/v1/tracker.proto");
  call_->Cancel();
  EXPECT_EQ(GRPC_STATUS_CANCELLED, call_->Finish().code);
}

}  // namespace
