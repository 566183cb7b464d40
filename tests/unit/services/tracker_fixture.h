// The methods of contextd.v1.Tracker, over what service_fixture.h has.

#ifndef CX_TESTS_UNIT_SERVICES_TRACKER_FIXTURE_H
#define CX_TESTS_UNIT_SERVICES_TRACKER_FIXTURE_H

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/token.h"
}

class TrackerFixture : public ServiceFixture {
 protected:
  using Strings = std::vector<std::string>;

  TrackerFixture() { service_ = &cx_tracker_service; }

  // A call of contextd.v1.ContextManager.
  std::string Manage(const std::string &method, const std::string &request) {
    service_ = &cx_context_manager_service;
    std::string answer = Ask(method, request);
    service_ = &cx_tracker_service;
    return answer;
  }

  // Starts a session and returns its id.
  std::string Start(const std::string &request = "") {
    std::string text = Ask("StartSession", request);
    Strings ids = FindAll(text, "session \\{ namespace: \"[^\"]*\" id: \"([0-9a-f]{32})\"");
    EXPECT_EQ(1u, ids.size()) << text;
    return ids.empty() ? "" : ids[0];
  }

  // The fields of a request that names a session and a context.
  static std::string On(const std::string &session, const std::string &context,
                        const std::string &more = "") {
    return "session_id: '" + session + "' context_id: '" + context + "' " + more;
  }

  std::string Activate(const std::string &session, const std::string &context,
                       const std::string &more = "") {
    return Ask("ActivateContext", On(session, context, more));
  }

  std::string Record(const std::string &context, const std::string &activities,
                     const std::string &more = "") {
    return Ask("RecordActivities",
               "context_id: '" + context + "' create_if_missing {} " + activities + " " + more);
  }

  // Records `count` messages, whose data are their numbers, each in a change of its own.
  void RecordMessages(const std::string &context, int count) {
    for (int i = 1; i <= count; i++) {
      ASSERT_TRUE(
          Has(Record(context, "activities { type: 'message' data: '" + std::to_string(i) + "' }"),
              "last_sequence: "));
    }
  }

  static std::string TokenOf(const std::string &text) {
    return FindFirst(text, "next_page_token: \"([^\"]*)\"");
  }

  // What `pattern` finds on all pages of a list, of which none may have more than `max`.
  Strings ListAll(const std::string &method, const std::string &request, const std::string &pattern,
                  size_t max = 1000) {
    Strings all;
    std::string token;
    do {
      std::string text = Ask(method, request + " page_token: '" + token + "'");
      Strings rows = FindAll(text, pattern);
      EXPECT_LE(rows.size(), max) << text;
      all.insert(all.end(), rows.begin(), rows.end());
      token = TokenOf(text);
    } while (!token.empty());
    return all;
  }

  static bool Has(const std::string &text, const std::string &part) {
    EXPECT_NE(std::string::npos, text.find(part)) << text << "\nwithout\n" << part;
    return text.find(part) != std::string::npos;
  }

  static std::string Invalid(const std::string &field, const std::string &rule) {
    return "INVALID_FIELD field=" + field + " rule=" + rule;
  }

  static constexpr const char *kTokenRefused =
      "INVALID_FIELD field=page_token rule=must be the next_page_token of the same list";
};

#endif  // CX_TESTS_UNIT_SERVICES_TRACKER_FIXTURE_H
