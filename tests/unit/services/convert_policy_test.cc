// Recovery policies: the rules of resources.proto, and what they come to.

#include "tests/unit/services/convert_fixture.h"

extern "C" {
#include "server/services/convert_policy.h"
}

namespace {

class ConvertPolicyTest : public ConvertFixture {
 protected:
  std::string Convert(const std::string &text) {
    const cx_field at = cx_field_of(nullptr, "policy");
    return Came(cx_convert_policy(
        &conversion_, &at, Make<RecoveryPolicy>(contextd__v1__recovery_policy__descriptor, text),
        &policy_));
  }

  // The policy of the last conversion as a text.
  std::string Told() {
    cx_policy_parts memory;
    const RecoveryPolicy *message = cx_policy_message(&memory, &policy_);
    if (message == nullptr) return "(absent)";
    std::string bytes(protobuf_c_message_get_packed_size(&message->base), '\0');
    protobuf_c_message_pack(&message->base, reinterpret_cast<uint8_t *>(&bytes[0]));
    return TextDecode("RecoveryPolicy", bytes);
  }

  cx_recovery_policy policy_ = {};
};

TEST_F(ConvertPolicyTest, TakesWhatItIsToldAndTellsTheSame) {
  for (const char *text : {"retention { keep_last: 1 }", "retention { keep_every: 2 }",
                           "retention { keep_within { seconds: 3 nanos: 4000 } }",
                           "retention { keep_last: 1 keep_every: 2 keep_within { seconds: 3 } } "
                           "point_every_changes: 4 point_every { seconds: 5 }",
                           "point_every_changes: 18446744073709551615", ""}) {
    EXPECT_EQ("", Convert(text)) << text;
    EXPECT_EQ(text, Told());
  }
}

TEST_F(ConvertPolicyTest, IsTheServersWhereThereIsNone) {
  policy_.is_set = true;
  EXPECT_EQ(CX_OK, cx_convert_policy(&conversion_, nullptr, nullptr, &policy_));
  EXPECT_FALSE(policy_.is_set);
  EXPECT_EQ("(absent)", Told());
}

TEST_F(ConvertPolicyTest, RefusesARetentionWithoutARule) {
  EXPECT_EQ(Invalid("policy.retention", "must have at least one rule"), Convert("retention {}"));
}

TEST_F(ConvertPolicyTest, TakesPositiveTimesOfUpTo100Years) {
  struct {
    std::string before, name, after;
  } rows[] = {{"retention { ", "keep_within", " }"}, {"", "point_every", ""}};
  for (const auto &row : rows) {
    auto convert = [&](const std::string &time) {
      return Convert(row.before + row.name + " { " + time + " }" + row.after);
    };
    std::string field = "policy." + std::string(row.before.empty() ? "" : "retention.") + row.name;
    EXPECT_EQ("", convert("nanos: 1"));
    EXPECT_EQ("", convert("seconds: 3153600000"));
    EXPECT_EQ(Invalid(field, "must be positive"), convert(""));
    EXPECT_EQ(Invalid(field, "must be positive"), convert("seconds: -1"));
    EXPECT_EQ(Invalid(field, "must be at most 3153600000 seconds"),
              convert("seconds: 3153600000 nanos: 1"));
    EXPECT_EQ(Invalid(field, "must be a valid duration"), convert("seconds: 1 nanos: -1"));
  }
}

}  // namespace
