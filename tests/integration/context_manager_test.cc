// contextd.v1.ContextManager through a port. What each method promises in detail is tested
// in tests/unit/services; here it is shown that it holds on the wire, and what becomes of
// input that no client library would send.

#include "tests/integration/port_fixture.h"

#include <thread>
#include <vector>

namespace {

using Strings = std::vector<std::string>;

class ContextManagerTest : public PortFixture {
 protected:
  static std::string Update(const std::string &id, const std::string &more = "") {
    return " { context_id: '" + id +
           "' mutations { append_entry { key: 'k' value: '1' } } create_if_missing {} " + more +
           " }";
  }
};

TEST_F(ContextManagerTest, CreatesUpdatesGetsListsAndDeletes) {
  EXPECT_EQ(0u, Ask("CreateContext", "context_id: 'a'").find("context { namespace: \"default\""));
  EXPECT_EQ(
      "version: 2 write { revision: 3 }",
      Ask("UpdateContext", "context_id: 'a' mutations { put_entry { key: 'k' value: 'v' } }"));
  EXPECT_NE(std::string::npos, Ask("GetContext", "state { context_id: 'a' }")
                                   .find("entries { key: \"k\" value: \"v\" version: 2 }"));
  EXPECT_EQ("version: 2 entries { key: \"k\" value: \"v\" version: 2 }",
            Ask("ReadEntries", "state { context_id: 'a' }"));
  EXPECT_EQ(0u, Ask("ListContexts").find("contexts { namespace: \"default\" id: \"a\""));
  EXPECT_EQ("namespaces { name: \"default\" context_count: 1 size_bytes: 2 }",
            Ask("ListNamespaces"));
  EXPECT_EQ("deleted_count: 1 write { revision: 4 }", Ask("DeleteContext", "context_id: 'a'"));
  EXPECT_EQ("CONTEXT_NOT_FOUND deleted_version=2", Ask("GetContext", "state { context_id: 'a' }"));
  EXPECT_EQ(0u, Ask("GetServerInfo").find("version: \"test\" log_id: \""));
}

TEST_F(ContextManagerTest, SaysOfEachErrorItsStatusReasonAndValues) {
  Ask("CreateContext", "context_id: 'a'");
  struct {
    const char *method;
    const char *request;
    grpc_status_code code;
    const char *text;
  } rows[] = {
      {"UpdateContext", "", GRPC_STATUS_INVALID_ARGUMENT,
       "INVALID_FIELD field=context_id rule=must not be empty"},
      {"GetContext", "state { context_id: 'b' }", GRPC_STATUS_NOT_FOUND, "CONTEXT_NOT_FOUND"},
      {"CreateContext", "context_id: 'a'", GRPC_STATUS_ALREADY_EXISTS, "CONTEXT_EXISTS version=1"},
      {"DeleteContext", "context_id: 'a' preconditions { context_version: 2 }", GRPC_STATUS_ABORTED,
       "VERSION_CONFLICT current_version=1"},
      {"CreateContext", "properties { parent_id: 'p' }", GRPC_STATUS_FAILED_PRECONDITION,
       "PARENT_NOT_FOUND parent_id=p"},
      {"GetContext", "state { context_id: 'a' version: 9 }", GRPC_STATUS_OUT_OF_RANGE,
       "STATE_NOT_RETAINED newest_version=1 oldest_version=1"},
      {"GetContext", "state { context_id: 'a' recovery_point_id: 'p' }", GRPC_STATUS_NOT_FOUND,
       "RECOVERY_POINT_NOT_FOUND"},
  };
  for (const auto &row : rows) {
    GrpcOutcome outcome =
        Send(row.method, TextEncode(std::string(row.method) + "Request", row.request));
    EXPECT_EQ(row.code, outcome.code) << outcome.message;
    EXPECT_EQ("contextd", outcome.Domain());
    EXPECT_EQ(row.text, Text(row.method, outcome));
  }
}

TEST_F(ContextManagerTest, RefusesMalformedRequests) {
  for (const char *method : {"CreateContext", "GetContext", "ListContexts", "UpdateContext",
                             "DeleteContext", "BatchGetContexts", "BatchUpdateContexts",
                             "ListNamespaces", "GetServerInfo", "ReadEntries"}) {
    GrpcOutcome outcome = Send(method, "\x0a\xff");
    EXPECT_EQ(GRPC_STATUS_INVALID_ARGUMENT, outcome.code) << method;
    EXPECT_EQ("MALFORMED_REQUEST", outcome.Reason()) << method;
  }
}

TEST_F(ContextManagerTest, RefusesNulWhereProtobufCWouldCutTheString) {
  Ask("CreateContext", "context_id: 'a'");
  EXPECT_EQ("INVALID_FIELD field=context_id rule=must be UTF-8 without NUL",
            Ask("DeleteContext", "context_id: 'a\\000b'"));
  EXPECT_EQ("INVALID_FIELD field=mutations[1].put_entry.key rule=must be UTF-8 without NUL",
            Ask("UpdateContext",
                "context_id: 'a' mutations { put_entry { key: 'k' value: '\\000' } "
                "} mutations { put_entry { key: 'k\\000' } }"));
  EXPECT_EQ("INVALID_FIELD field=mutations[0].set_metadata.value rule=must be UTF-8 without NUL",
            Ask("UpdateContext",
                "context_id: 'a' mutations { set_metadata { key: 'k' value: 'v\\000' } }"));
  EXPECT_EQ(
      "version: 2 write { revision: 3 }",
      Ask("UpdateContext", "context_id: 'a' mutations { put_entry { key: 'k' value: 'v\\000' } }"));
}

TEST_F(ContextManagerTest, ReportsAPartWithNulInItsPlace) {
  std::string text = Ask("BatchUpdateContexts", "requests" + Update("a") + " requests" +
                                                    Update("b\\000") + " requests" + Update("c"));
  EXPECT_EQ(0u, text.find("results { response { version: 1 write { revision: 2 } } } results { "
                          "failure { code: 3 reason: \"INVALID_FIELD\""))
      << text;
  EXPECT_NE(std::string::npos, text.find("results { response { version: 1 write { revision: 3 }"))
      << text;
}

TEST_F(ContextManagerTest, KeepsRequestIdsOverARestartAndADelete) {
  std::string request =
      "context_id: 'a' mutations { append_entry { key: 'k' value: '1' } } "
      "create_if_missing {} write { request_id: 'r' }";
  EXPECT_EQ("version: 1 write { revision: 2 }", Ask("UpdateContext", request));
  Restart();
  EXPECT_EQ("version: 1 write { revision: 2 replayed: true }", Ask("UpdateContext", request));
  Ask("DeleteContext", "context_id: 'a'");
  Restart();
  EXPECT_EQ("version: 1 write { revision: 2 replayed: true }", Ask("UpdateContext", request));
  EXPECT_EQ("REQUEST_ID_REUSED",
            Ask("UpdateContext", request + " mutations { delete_entry { key: 'k' } }"));
}

TEST_F(ContextManagerTest, ReadsALargeContextAsItWas) {
  for (int i = 0; i < 20; i++) {
    Ask("UpdateContext", "context_id: 'a' create_if_missing {} mutations { put_entry { key: 'k" +
                             std::to_string(10 + i) + "' value: '" + std::string(500000, 'v') +
                             "' } }");
  }
  EXPECT_EQ(0u, Ask("GetContext", "state { context_id: 'a' }").find("RESPONSE_TOO_LARGE limit="));
  auto call = client_->Open(Path("ReadEntries"));
  std::string message;
  ASSERT_TRUE(call->Send(TextEncode("ReadEntriesRequest", "state { context_id: 'a' }")));
  call->SendsDone();
  int count = 0;
  while (call->Receive(&message)) {
    if (count == 0) Ask("DeleteContext", "context_id: 'a'");
    EXPECT_EQ(0u, TextDecode("ReadEntriesResponse", message)
                      .find("version: 20 entries { key: \"k" + std::to_string(10 + count)));
    count++;
  }
  EXPECT_EQ(20, count);
  EXPECT_EQ(GRPC_STATUS_OK, call->Finish().code);
}

TEST_F(ContextManagerTest, EndsAStreamThatNobodyReads) {
  Stop();
  app_.stream_stall_max_us = 20 * 1000;
  Start();
  for (int i = 0; i < 30; i++) {
    Ask("UpdateContext", "context_id: 'a' create_if_missing {} mutations { put_entry { key: 'k" +
                             std::to_string(10 + i) + "' value: '" + std::string(1000000, 'v') +
                             "' } }");
  }
  auto call = client_->Open(Path("ReadEntries"));
  std::string message;
  cx_rpc_statistics statistics;
  ASSERT_TRUE(call->Send(TextEncode("ReadEntriesRequest", "state { context_id: 'a' }")));
  ASSERT_TRUE(call->Receive(&message));
  do {
    std::this_thread::yield();
    cx_rpc_server_statistics(server_, &statistics);
  } while (statistics.calls_in_flight > 0);
  EXPECT_EQ(GRPC_STATUS_ABORTED, call->Finish().code);
}

TEST_F(ContextManagerTest, GoesOnWhenAClientLeavesInTheMiddleOfAStream) {
  for (int i = 0; i < 30; i++) {
    Ask("UpdateContext", "context_id: 'a' create_if_missing {} mutations { put_entry { key: 'k" +
                             std::to_string(10 + i) + "' value: '" + std::string(1000000, 'v') +
                             "' } }");
  }
  std::string message;
  for (int i = 0; i < 5; i++) {
    auto read = client_->Open(Path("ReadEntries"));
    ASSERT_TRUE(read->Send(TextEncode("ReadEntriesRequest", "state { context_id: 'a' }")));
    ASSERT_TRUE(read->Receive(&message));
    read->Cancel();
    EXPECT_EQ(GRPC_STATUS_CANCELLED, read->Finish().code);
    auto write = client_->Open(Path("StreamUpdates"));
    for (int j = 0; j < 10; j++) {
      ASSERT_TRUE(write->Send(TextEncode("StreamUpdatesRequest", "updates" + Update("b"))));
    }
    write->Cancel();
    EXPECT_EQ(GRPC_STATUS_CANCELLED, write->Finish().code);
  }
  EXPECT_EQ(0u, Ask("UpdateContext",
                    "context_id: 'b' create_if_missing {} mutations { "
                    "put_entry { key: 'l' } }")
                    .find("version: "));
}

TEST_F(ContextManagerTest, StreamsUpdatesAndAnswersInTheirOrder) {
  auto call = client_->Open(Path("StreamUpdates"));
  std::thread sender([&] {
    for (int i = 0; i < 500; i++) {
      EXPECT_TRUE(call->Send(
          TextEncode("StreamUpdatesRequest", "updates" + Update("a") + " updates" + Update("b"))));
    }
    call->SendsDone();
  });
  std::string message, all;
  while (call->Receive(&message)) all += TextDecode("StreamUpdatesResponse", message) + " ";
  sender.join();
  EXPECT_EQ(GRPC_STATUS_OK, call->Finish().code);
  std::string expected;
  for (int i = 0; i < 1000; i++) {
    expected += "results { response { version: " + std::to_string(i / 2 + 1) +
                " write { revision: " + std::to_string(i + 2) + " } } } ";
  }
  EXPECT_EQ(expected, all);
}

TEST_F(ContextManagerTest, EndsAStreamOfUpdatesOverAMalformedMessage) {
  auto call = client_->Open(Path("StreamUpdates"));
  ASSERT_TRUE(call->Send("\x0a\xff"));
  GrpcOutcome outcome = call->Finish();
  EXPECT_EQ(GRPC_STATUS_INVALID_ARGUMENT, outcome.code);
  EXPECT_EQ("MALFORMED_REQUEST", outcome.Reason());
}

TEST_F(ContextManagerTest, TakesValuesUpToTheLimitAndNamesIt) {
  auto put = [&](size_t size) {
    return Ask("UpdateContext",
               "context_id: 'a' create_if_missing {} mutations { put_entry { key: "
               "'k' value: '" +
                   std::string(size, 'v') + "' } }");
  };
  EXPECT_EQ("version: 1 write { revision: 2 }", put(CX_MIB));
  EXPECT_EQ("LIMIT_REACHED limit=value_size_max value=1048576", put(CX_MIB + 1));
  EXPECT_EQ(GRPC_STATUS_RESOURCE_EXHAUSTED,
            Send("UpdateContext", std::string(5 * CX_MIB, '\0')).code);
}

TEST_F(ContextManagerTest, SaysOfBackupsThatTheyAreNotSupported) {
  for (const std::string method : {"Backup", "VerifyStorage"}) {
    GrpcOutcome outcome = client_->Unary("/contextd.v1.Recovery/" + method, "");
    EXPECT_EQ(GRPC_STATUS_UNIMPLEMENTED, outcome.code);
    EXPECT_EQ("NOT_SUPPORTED", outcome.Reason());
    EXPECT_EQ(method, outcome.Metadata()["field"]);
    EXPECT_EQ("Recovery." + method + " is not supported by this server", outcome.message);
  }
}

}  // namespace
