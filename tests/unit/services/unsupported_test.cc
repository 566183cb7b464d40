// The fields that this server does not have: what resources.proto says about them.

#include "tests/unit/services/service_fixture.h"

namespace {

class UnsupportedTest : public ServiceFixture {};

TEST_F(UnsupportedTest, RefusesFieldsOfLaterFeaturesByTheirPath) {
  const std::string update = "context_id: 'a' mutations { delete_entry { key: 'k' } } ";
  struct {
    const char *method;
    std::string request;
    const char *field;
  } rows[] = {
      {"UpdateContext", update + "mutations { set_recovery_policy {} }",
       "mutations[1].set_recovery_policy"},
      {"UpdateContext", update + "create_if_missing { recovery_policy {} }",
       "create_if_missing.recovery_policy"},
      {"CreateContext", "properties { recovery_policy {} }", "properties.recovery_policy"},
      {"GetContext", "state { context_id: 'a' recovery_point_id: 'p' }", "state.recovery_point_id"},
      {"BatchUpdateContexts",
       "atomic: true requests { " + update + "mutations { set_recovery_policy {} } }",
       "requests[0].mutations[1].set_recovery_policy"},
  };
  for (const auto &row : rows) {
    std::string text = Outcome(*Begin(row.method, row.request));
    EXPECT_EQ(0u, text.find(std::string("NOT_SUPPORTED field=") + row.field)) << text;
  }
}

TEST_F(UnsupportedTest, RefusesThemOfTheTrackerToo) {
  service_ = &cx_tracker_service;
  EXPECT_EQ("NOT_SUPPORTED field=recovery_point_on_loss",
            Outcome(*Begin("StartSession", "recovery_point_on_loss: true")));
  EXPECT_EQ("NOT_SUPPORTED field=create_if_missing.recovery_policy",
            Outcome(*Begin("RecordActivities",
                           "context_id: 'a' activities { type: 't' } "
                           "create_if_missing { recovery_policy {} }")));
}

TEST_F(UnsupportedTest, RefusesThemInThePartOfABatch) {
  std::string text =
      Ask("BatchGetContexts", "requests { state { context_id: 'a' recovery_point_id: 'p' } }");
  EXPECT_NE(std::string::npos, text.find("code: 12 reason: \"NOT_SUPPORTED\"")) << text;
  EXPECT_NE(std::string::npos, text.find("value: \"requests[0].state.recovery_point_id\"")) << text;
}

TEST_F(UnsupportedTest, LetsThemPassWhereTheyAreNotSet) {
  EXPECT_EQ("CONTEXT_NOT_FOUND",
            Ask("GetContext", "state { context_id: 'a' recovery_point_id: '' }"));
  EXPECT_EQ("CONTEXT_NOT_FOUND",
            Ask("DeleteContext", "context_id: 'a' write { session_id: '' fence: 0 }"));
  service_ = &cx_tracker_service;
  EXPECT_EQ(0u, Ask("StartSession", "recovery_point_on_loss: false").find("session {"));
}

}  // namespace
