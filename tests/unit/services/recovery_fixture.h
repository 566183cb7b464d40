// The methods of contextd.v1.Recovery, over what tracker_fixture.h has.

#ifndef CX_TESTS_UNIT_SERVICES_RECOVERY_FIXTURE_H
#define CX_TESTS_UNIT_SERVICES_RECOVERY_FIXTURE_H

#include "tests/unit/services/tracker_fixture.h"

class RecoveryFixture : public TrackerFixture {
 protected:
  RecoveryFixture() { service_ = &cx_recovery_service; }

  // A call of another service.
  std::string AskOf(const cx_service &service, const std::string &method,
                    const std::string &request) {
    service_ = &service;
    std::string answer = Ask(method, request);
    service_ = &cx_recovery_service;
    return answer;
  }

  std::string Manage(const std::string &method, const std::string &request) {
    return AskOf(cx_context_manager_service, method, request);
  }

  // Changes a context, creating it.
  void Change(const std::string &id, const Mutations &mutations) {
    ASSERT_EQ(CX_OK, Upsert(id, mutations).status);
    Settle();
  }

  // Makes a point.
  std::string Point(const std::string &context, const std::string &id,
                    const std::string &more = "") {
    return Ask("CreateRecoveryPoint",
               "context_id: '" + context + "' recovery_point_id: '" + id + "' " + more);
  }

  // The ids of all points that a list shows.
  Strings Ids(const std::string &request, size_t max = 1000) {
    return ListAll("ListRecoveryPoints", request,
                   "recovery_point \\{ namespace: \"[^\"]*\" context_id: \"[^\"]*\" id: "
                   "\"([^\"]*)\"",
                   max);
  }

  static bool HasNot(const std::string &text, const std::string &part) {
    EXPECT_EQ(std::string::npos, text.find(part)) << text << "\nwith\n" << part;
    return text.find(part) == std::string::npos;
  }
};

#endif  // CX_TESTS_UNIT_SERVICES_RECOVERY_FIXTURE_H
