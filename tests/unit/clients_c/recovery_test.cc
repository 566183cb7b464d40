// What contextd.h promises of the calls of Recovery: each reaches the method of its name,
// those that write carry a request id, and those that stream are pulled.

extern "C" {
#include "clients/c/contextd.h"
}

#include <gtest/gtest.h>

#include <functional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/text_message.h"
#include "tests/unit/clients_c/fake_server.h"
#include "tests/unit/clients_c/wire.h"

namespace {

struct Call {
  const char *method;
  bool writes;
  std::function<cxc_code(cxc_client *, cxc_error *)> make;
};

// Makes a call with an empty request.
template <typename Request, typename Response>
Call NewCall(const char *method, bool writes, void (*init)(Request *),
             cxc_code (*call)(cxc_client *, const Request *, Response **, cxc_error *)) {
  return {method, writes, [=](cxc_client *client, cxc_error *error) {
            Request request;
            Response *response = nullptr;
            init(&request);
            cxc_code code = call(client, &request, &response, error);
            cxc_response_free(response);
            return code;
          }};
}

std::vector<Call> Calls() {
  return {
      NewCall("CreateRecoveryPoint", true, contextd__v1__create_recovery_point_request__init,
              cxc_create_recovery_point),
      NewCall("GetRecoveryPoint", false, contextd__v1__get_recovery_point_request__init,
              cxc_get_recovery_point),
      NewCall("ListRecoveryPoints", false, contextd__v1__list_recovery_points_request__init,
              cxc_list_recovery_points),
      NewCall("UpdateRecoveryPoint", true, contextd__v1__update_recovery_point_request__init,
              cxc_update_recovery_point),
      NewCall("DeleteRecoveryPoint", true, contextd__v1__delete_recovery_point_request__init,
              cxc_delete_recovery_point),
      NewCall("PruneRecoveryPoints", true, contextd__v1__prune_recovery_points_request__init,
              cxc_prune_recovery_points),
      NewCall("RestoreContext", true, contextd__v1__restore_context_request__init,
              cxc_restore_context),
      NewCall("ForkContext", true, contextd__v1__fork_context_request__init, cxc_fork_context),
      NewCall("MergeContext", true, contextd__v1__merge_context_request__init, cxc_merge_context),
  };
}

TEST(RecoveryTest, EachCallReachesItsMethodAndEachWriteHasARequestId) {
  FakeServer server;
  std::vector<std::string> requests;
  for (const Call &call : Calls()) {
    std::string method = call.method;
    server.Method("/contextd.v1.Recovery/" + method,
                  [&requests, method](const std::string &packed) {
                    requests.push_back(method + ": " + TextDecode(method + "Request", packed));
                    return FakeServer::Answer{{""}};
                  });
  }
  cxc_options options = {};
  options.address = server.address().c_str();
  cxc_client *client = cxc_client_new(&options);
  for (const Call &call : Calls()) {
    SCOPED_TRACE(call.method);
    cxc_error error = {};
    requests.clear();
    ASSERT_EQ(CXC_OK, call.make(client, &error)) << error.message;
    ASSERT_EQ(1u, requests.size());
    EXPECT_EQ(0u, requests[0].find(std::string(call.method) + ": ")) << requests[0];
    EXPECT_EQ(call.writes, requests[0].find("write { request_id: \"") != std::string::npos)
        << requests[0];
  }
  cxc_client_free(client);
}

// A request as the server sees it: `request` is read from text, and sent.
std::string SeenBatch(const std::string &request) {
  FakeServer server;
  std::string seen;
  server.Method("/contextd.v1.Recovery/BatchRecoveryPoints", [&seen](const std::string &packed) {
    seen = TextDecode("BatchRecoveryPointsRequest", packed);
    return FakeServer::Answer{{TextEncode("BatchRecoveryPointsResponse", "results { }")}};
  });
  cxc_options options = {};
  options.address = server.address().c_str();
  cxc_client *client = cxc_client_new(&options);
  auto message = Unpack<Contextd__V1__BatchRecoveryPointsRequest>(
      TextEncode("BatchRecoveryPointsRequest", request),
      &contextd__v1__batch_recovery_points_request__descriptor);
  Contextd__V1__BatchRecoveryPointsResponse *response = nullptr;
  EXPECT_EQ(CXC_OK, cxc_batch_recovery_points(client, message.get(), &response, nullptr));
  EXPECT_EQ(1u, response->n_results);
  cxc_response_free(response);
  cxc_client_free(client);
  return seen;
}

TEST(RecoveryTest, EachOperationOfABatchThatWritesHasAnIdOfItsOwn) {
  std::string seen = SeenBatch(
      "operations { create { context_id: 'a' pinned: true write { fence: 7 } } }"
      " operations { get { context_id: 'b' } } operations { update { context_id: 'c' } }"
      " operations { delete { context_id: 'd' } }"
      " operations { create { write { request_id: 'own' } } }"
      " operations { update { write { request_id: 'own' } } }"
      " operations { delete { write { request_id: 'own' } } }");
  static const std::regex id("[0-9a-f]{8}-[0-9a-f-]{27}");
  std::set<std::string> ids;
  for (std::sregex_iterator at(seen.begin(), seen.end(), id), end; at != end; ++at) {
    ids.insert(at->str());
  }
  EXPECT_EQ(3u, ids.size());
  EXPECT_EQ(
      "operations { create { context_id: \"a\" pinned: true write { request_id: \"ID\" fence: 7 } "
      "} "
      "} operations { get { context_id: \"b\" } } operations { update { context_id: \"c\" write { "
      "request_id: \"ID\" } } } operations { delete { context_id: \"d\" write { request_id: \"ID\" "
      "} "
      "} } operations { create { write { request_id: \"own\" } } } operations { update { write { "
      "request_id: \"own\" } } } operations { delete { write { request_id: \"own\" } } }",
      std::regex_replace(seen, id, "ID"));
}

TEST(RecoveryTest, AStreamOfAnswersHandsOutEachAndSaysWhereItEnds) {
  FakeServer server;
  std::string request;
  server.Method("/contextd.v1.Recovery/DiffStates", [&request](const std::string &packed) {
    request = TextDecode("DiffStatesRequest", packed);
    return FakeServer::Answer{{TextEncode("DiffStatesResponse", "entries { key: 'a' }"),
                               TextEncode("DiffStatesResponse", "metadata { key: 'b' }")}};
  });
  cxc_options options = {};
  options.address = server.address().c_str();
  cxc_client *client = cxc_client_new(&options);
  Contextd__V1__DiffStatesRequest diff = CONTEXTD__V1__DIFF_STATES_REQUEST__INIT;
  diff.key_prefix = const_cast<char *>("p");
  cxc_answers *answers = cxc_answers_new(client, "/contextd.v1.Recovery/DiffStates", &diff.base,
                                         &contextd__v1__diff_states_response__descriptor);
  std::vector<std::string> keys;
  for (;;) {
    Contextd__V1__DiffStatesResponse *part;
    ASSERT_EQ(CXC_OK,
              cxc_answers_next(answers, reinterpret_cast<ProtobufCMessage **>(&part), nullptr));
    if (part == nullptr) break;
    if (part->n_entries > 0) keys.push_back(part->entries[0]->key);
    if (part->n_metadata > 0) keys.push_back(part->metadata[0]->key);
    cxc_response_free(part);
  }
  cxc_answers_free(answers);
  EXPECT_EQ((std::vector<std::string>{"a", "b"}), keys);
  EXPECT_EQ("key_prefix: \"p\"", request);
  cxc_client_free(client);
}

TEST(RecoveryTest, AStreamOfAnswersThatBreaksSaysWhyAndRepeatsNothing) {
  FakeServer server;
  int calls = 0;
  server.Method("/contextd.v1.Recovery/DiffStates", [&calls](const std::string &) {
    calls++;
    FakeServer::Answer answer = Refusal(CXC_UNAVAILABLE, "STOPPING", {});
    answer.messages.push_back("");
    return answer;
  });
  cxc_options options = {};
  options.address = server.address().c_str();
  cxc_client *client = cxc_client_new(&options);
  Contextd__V1__DiffStatesRequest diff = CONTEXTD__V1__DIFF_STATES_REQUEST__INIT;
  cxc_answers *answers = cxc_answers_new(client, "/contextd.v1.Recovery/DiffStates", &diff.base,
                                         &contextd__v1__diff_states_response__descriptor);
  ProtobufCMessage *part = nullptr;
  cxc_error error = {};
  ASSERT_EQ(CXC_OK, cxc_answers_next(answers, &part, &error));
  cxc_response_free(part);
  EXPECT_EQ(CXC_UNAVAILABLE, cxc_answers_next(answers, &part, &error));
  EXPECT_STREQ("STOPPING", error.reason);
  EXPECT_EQ(1, calls);
  cxc_answers_free(answers);
  cxc_answers_free(nullptr);
  cxc_client_free(client);
}

}  // namespace
