// What state.h promises: states as they are written, and written as they are read.

extern "C" {
#include "clients/ctxctl/state.h"
}

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace {

class StateTest : public testing::Test {
 protected:
  ~StateTest() override { ctl_pool_done(&ctl_.pool); }

  StateRef *Parse(const std::string &text, const char *same_id = nullptr) {
    StateRef *state = nullptr;
    testing::internal::CaptureStderr();
    const char *kept = ctl_pool_text(&ctl_.pool, text.data(), text.size());
    ctl_exit exit = ctl_parse_state(&ctl_, kept, same_id, &state);
    error_ = testing::internal::GetCapturedStderr();
    return exit == CTL_OK ? state : nullptr;
  }

  std::string Json(const StateRef *state) {
    json_t *value = ctl_state_json(state);
    char *text = json_dumps(value, JSON_SORT_KEYS);
    std::string json = text;
    free(text);
    json_decref(value);
    return json;
  }

  ctl ctl_ = [] {
    ctl made = {};
    made.namespace_ = "space";
    return made;
  }();
  std::string error_;
};

TEST_F(StateTest, IsAContextOrOneOfItsStates) {
  const std::tuple<const char *, const char *> cases[] = {
      {"a", R"({"context_id": "a"})"},
      {"a@7", R"({"context_id": "a", "version": 7})"},
      {"a#p", R"({"context_id": "a", "recovery_point_id": "p"})"},
      {"a@2025-11-21T10:53:18Z", R"({"context_id": "a", "time": "2025-11-21T10:53:18.000000Z"})"},
      {"a#p@1#q\\", R"({"context_id": "a", "recovery_point_id": "p@1#q\\"})"},
      {"ada\\@example.com@3", R"({"context_id": "ada@example.com", "version": 3})"},
      {"\\#general", R"({"context_id": "#general"})"},
      {"c:\\temp\\", R"({"context_id": "c:\\temp\\"})"},
      {"a\\\\@1", R"({"context_id": "a\\", "version": 1})"},
  };
  for (const auto &[text, expected] : cases) {
    SCOPED_TRACE(text);
    const StateRef *state = Parse(text);
    ASSERT_NE(nullptr, state) << error_;
    EXPECT_EQ(expected, Json(state));
    EXPECT_STREQ("space", state->namespace_);
  }
}

TEST_F(StateTest, TakesATimeThatWasAgo) {
  const StateRef *state = Parse("a@10m");
  ASSERT_NE(nullptr, state);
  ASSERT_EQ(CONTEXTD__V1__STATE_REF__AT_TIME, state->at_case);
  EXPECT_NEAR(static_cast<double>(time(nullptr) - 600), state->time->seconds, 5);
}

TEST_F(StateTest, MayBeOfTheSameContext) {
  EXPECT_EQ(R"({"context_id": "a", "version": 7})", Json(Parse("@7", "a")));
  EXPECT_EQ(R"({"context_id": "a", "recovery_point_id": "p"})", Json(Parse("#p", "a")));
  EXPECT_EQ(R"({"context_id": "b"})", Json(Parse("b", "a")));
  EXPECT_EQ(nullptr, Parse("", "a"));
}

TEST_F(StateTest, SaysWhatIsWrong) {
  const std::tuple<const char *, const char *> cases[] = {
      {"", "names no context"},
      {"@7", "names no context"},
      {"#p", "names no context"},
      {"a@", "behind the @ is a version"},
      {"ada@example.com", "An @ of the id is written \\@"},
      {"a@-1", "behind the @ is a version"},
      {"a@0", "versions begin with 1"},
      {"a#", "A # of the id is written \\#"},
  };
  for (const auto &[text, expected] : cases) {
    SCOPED_TRACE(text);
    EXPECT_EQ(nullptr, Parse(text));
    EXPECT_NE(std::string::npos, error_.find(expected)) << error_;
  }
}

TEST_F(StateTest, IsShownAsItIsWritten) {
  for (const char *text :
       {"a", "a@7", "a#p#q@", "ada\\@example.com@3", "\\#general#x", "c:\\temp", "a\\\\@1",
        "a\\\\\\@b", "a\\\\\\b", "a\\\\", "a@2025-11-21T10:53:18.000001Z"}) {
    SCOPED_TRACE(text);
    const StateRef *state = Parse(text);
    ASSERT_NE(nullptr, state) << error_;
    const char *shown = ctl_state_text(&ctl_.pool, state);
    const StateRef *again = Parse(shown);
    ASSERT_NE(nullptr, again) << shown;
    EXPECT_EQ(Json(state), Json(again)) << shown;
  }
  EXPECT_STREQ("", ctl_state_text(&ctl_.pool, nullptr));
}

}  // namespace
