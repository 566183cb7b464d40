// What contextd.h promises of the calls of Tracker: each reaches the method of its name,
// and those that write carry a request id.

extern "C" {
#include "clients/c/contextd.h"
}

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/text_message.h"
#include "tests/unit/clients_c/fake_server.h"

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
      NewCall("StartSession", true, contextd__v1__start_session_request__init, cxc_start_session),
      NewCall("RenewSession", false, contextd__v1__renew_session_request__init, cxc_renew_session),
      NewCall("EndSession", true, contextd__v1__end_session_request__init, cxc_end_session),
      NewCall("GetSession", false, contextd__v1__get_session_request__init, cxc_get_session),
      NewCall("ListSessions", false, contextd__v1__list_sessions_request__init, cxc_list_sessions),
      NewCall("ActivateContext", true, contextd__v1__activate_context_request__init,
              cxc_activate_context),
      NewCall("SwitchContext", true, contextd__v1__switch_context_request__init,
              cxc_switch_context),
      NewCall("DeactivateContext", true, contextd__v1__deactivate_context_request__init,
              cxc_deactivate_context),
      NewCall("GetContextStatus", false, contextd__v1__get_context_status_request__init,
              cxc_get_context_status),
      NewCall("RecordActivities", true, contextd__v1__record_activities_request__init,
              cxc_record_activities),
      NewCall("ListActivities", false, contextd__v1__list_activities_request__init,
              cxc_list_activities),
      NewCall("OptimizeHistory", true, contextd__v1__optimize_history_request__init,
              cxc_optimize_history),
      NewCall("TruncateHistory", true, contextd__v1__truncate_history_request__init,
              cxc_truncate_history),
      NewCall("ListFiles", false, contextd__v1__list_files_request__init, cxc_list_files),
      NewCall("SummarizeUsage", false, contextd__v1__summarize_usage_request__init,
              cxc_summarize_usage),
      NewCall("AcquireResource", true, contextd__v1__acquire_resource_request__init,
              cxc_acquire_resource),
      NewCall("ReleaseResource", true, contextd__v1__release_resource_request__init,
              cxc_release_resource),
      NewCall("ListResources", false, contextd__v1__list_resources_request__init,
              cxc_list_resources),
  };
}

TEST(TrackerTest, EachCallReachesItsMethodAndEachWriteHasARequestId) {
  FakeServer server;
  std::vector<std::string> requests;
  for (const Call &call : Calls()) {
    std::string method = call.method;
    server.Method("/contextd.v1.Tracker/" + method, [&requests, method](const std::string &packed) {
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

}  // namespace
