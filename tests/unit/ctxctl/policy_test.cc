// What policy.h promises: rules as they are written, shown so that they can be typed again.

extern "C" {
#include "clients/ctxctl/policy.h"
}

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace {

class PolicyTest : public testing::Test {
 protected:
  ~PolicyTest() override { ctl_pool_done(&ctl_.pool); }

  RecoveryPolicy *Parse(const char *text) {
    RecoveryPolicy *policy = nullptr;
    testing::internal::CaptureStderr();
    ctl_exit exit = ctl_option_policy(&ctl_, "set-policy", text, &policy);
    error_ = testing::internal::GetCapturedStderr();
    return exit == CTL_OK ? policy : nullptr;
  }

  std::string Json(const RecoveryPolicy *policy) {
    json_t *value = ctl_policy_json(policy);
    char *text = json_dumps(value, JSON_SORT_KEYS);
    std::string json = text;
    free(text);
    json_decref(value);
    return json;
  }

  ctl ctl_ = {};
  std::string error_;
};

TEST_F(PolicyTest, HasRulesWithCommasBetweenThem) {
  const RecoveryPolicy *policy =
      Parse("keep-last=10,keep-every=100,keep-within=7d,point-every-changes=5,point-every=10m");
  ASSERT_NE(nullptr, policy) << error_;
  EXPECT_EQ(R"({"point_every_changes": 5, "point_every_us": 600000000, "retention": )"
            R"({"keep_every": 100, "keep_last": 10, "keep_within_us": 604800000000}})",
            Json(policy));
  policy = Parse("point-every=1h30m");
  ASSERT_NE(nullptr, policy) << error_;
  EXPECT_EQ(nullptr, policy->retention);
  EXPECT_EQ(R"({"point_every_us": 5400000000})", Json(policy));
}

TEST_F(PolicyTest, IsShownAsItIsWritten) {
  for (const char *text :
       {"keep-last=10,keep-every=100,keep-within=7d,point-every-changes=5,point-every=10m",
        "keep-within=1d1h1m1s1ms", "keep-last=1", "point-every=90d", "keep-every=1"}) {
    EXPECT_STREQ(text, ctl_policy_text(&ctl_.pool, Parse(text)));
  }
  EXPECT_STREQ("", ctl_policy_text(&ctl_.pool, nullptr));
}

TEST_F(PolicyTest, SaysWhatIsWrong) {
  const std::tuple<const char *, const char *> cases[] = {
      {"", "--set-policy has no rule"},
      {",", "--set-policy has no rule"},
      {"keep-last", "takes rules such as keep-last=10, not 'keep-last'"},
      {"keep-last=0", "keep-last takes a number above 0, not '0'"},
      {"keep-last=ten", "keep-last takes a number above 0, not 'ten'"},
      {"keep-within=7", "keep-within takes a time such as 10m or 7d, not '7'"},
      {"keep-last=1,keep-last=2", "--set-policy: keep-last is said twice"},
      {"point-every=1m,point-every=1m", "--set-policy: point-every is said twice"},
      {"keep-last=1,nonsense=2", "not 'nonsense'"},
  };
  for (const auto &[text, expected] : cases) {
    SCOPED_TRACE(text);
    EXPECT_EQ(nullptr, Parse(text));
    EXPECT_NE(std::string::npos, error_.find(expected)) << error_;
  }
}

}  // namespace
