// The form of what requests have in common: mutations, preconditions, properties. The
// rules are those at the head of resources.proto and at its fields.

#include "tests/unit/services/service_fixture.h"

namespace {

class ConvertPartTest : public ServiceFixture {
 protected:
  std::string Mutate(const std::string &mutation) {
    return Ask("UpdateContext",
               "context_id: 'a' create_if_missing {} mutations { " + mutation + " }");
  }

  std::string Create(const std::string &properties) {
    return Ask("CreateContext", "properties { " + properties + " }");
  }

  static std::string Invalid(const std::string &field, const std::string &rule) {
    return "INVALID_FIELD field=" + field + " rule=" + rule;
  }

  static bool Passes(const std::string &answer) { return answer.find("version: ") != answer.npos; }
};

const char kControl[] = "must not contain control characters";

TEST_F(ConvertPartTest, TakesEntryKeysOf1To512Bytes) {
  struct {
    const char *kind;
    const char *rest;
  } rows[] = {{"put_entry", ""}, {"append_entry", ""}, {"delete_entry", ""}};
  for (const auto &row : rows) {
    SCOPED_TRACE(row.kind);
    auto mutate = [&](const std::string &key) {
      return Mutate(std::string(row.kind) + " { key: " + TextQuote(key) + " }");
    };
    std::string field = std::string("mutations[0].") + row.kind + ".key";
    EXPECT_EQ(Invalid(field, "must not be empty"), mutate(""));
    EXPECT_TRUE(Passes(mutate("k")));
    EXPECT_TRUE(Passes(mutate(std::string(512, 'k'))));
    EXPECT_EQ(Invalid(field, "must have at most 512 bytes"), mutate(std::string(513, 'k')));
    EXPECT_EQ(Invalid(field, kControl), mutate("a\nb"));
    EXPECT_EQ(Invalid(field, kControl), mutate("\xc2\x85"));  // U+0085.
    EXPECT_TRUE(Passes(mutate("\xc3\xbc")));
  }
}

TEST_F(ConvertPartTest, TakesContentTypesOfUpTo128BytesAsTheyAre) {
  EXPECT_TRUE(Passes(Mutate("put_entry { key: 'k' content_type: 'a\\tb' }")));
  EXPECT_EQ(Invalid("mutations[0].put_entry.content_type", "must have at most 128 bytes"),
            Mutate("put_entry { key: 'k' content_type: '" + std::string(129, 'c') + "' }"));
  EXPECT_EQ(Invalid("mutations[0].append_entry.content_type", "must have at most 128 bytes"),
            Mutate("append_entry { key: 'k' content_type: '" + std::string(129, 'c') + "' }"));
}

TEST_F(ConvertPartTest, TakesTheEmptyPrefixForAll) {
  EXPECT_TRUE(Passes(Mutate("delete_entries {}")));
  EXPECT_EQ(Invalid("mutations[0].delete_entries.prefix", "must have at most 512 bytes"),
            Mutate("delete_entries { prefix: '" + std::string(513, 'k') + "' }"));
}

TEST_F(ConvertPartTest, TakesLabelsOfKeysOf1To63AndValuesOfUpTo1024Bytes) {
  auto set = [&](const std::string &key, size_t size) {
    return Mutate("set_metadata { key: '" + key + "' value: '" + std::string(size, 'v') + "' }");
  };
  EXPECT_TRUE(Passes(set(std::string(63, 'k'), 1024)));
  EXPECT_EQ(Invalid("mutations[0].set_metadata.key", "must not be empty"), set("", 1));
  EXPECT_EQ(Invalid("mutations[0].set_metadata.key", "must have at most 63 bytes"),
            set(std::string(64, 'k'), 1));
  EXPECT_EQ(Invalid("mutations[0].set_metadata.value", "must have at most 1024 bytes"),
            set("k", 1025));
  EXPECT_EQ(Invalid("mutations[0].delete_metadata.key", "must not be empty"),
            Mutate("delete_metadata {}"));
  EXPECT_TRUE(Passes(Mutate("delete_metadata { key: 'missing' }")));
}

TEST_F(ConvertPartTest, TakesLabelValuesOfAnyCharacterButNul) {
  EXPECT_TRUE(Passes(Mutate("set_metadata { key: 'k' value: 'line\\nline' }")));
}

TEST_F(ConvertPartTest, ChecksThePropertiesOfANewContext) {
  EXPECT_TRUE(Passes(Create("type: '" + std::string(64, 't') + "'")));
  EXPECT_EQ(Invalid("properties.type", "must have at most 64 bytes"),
            Create("type: '" + std::string(65, 't') + "'"));
  EXPECT_EQ(Invalid("properties.type", kControl), Create("type: '\\001'"));
  EXPECT_EQ(Invalid("properties.parent_id", "must have at most 256 bytes"),
            Create("parent_id: '" + std::string(257, 'p') + "'"));
  EXPECT_EQ(Invalid("properties.metadata.key", "must not be empty"),
            Create("metadata { key: '' value: 'v' }"));
  EXPECT_EQ(Invalid("properties.metadata.value", "must have at most 1024 bytes"),
            Create("metadata { key: 'k' value: '" + std::string(1025, 'v') + "' }"));
}

TEST_F(ConvertPartTest, TakesUpTo64LabelsInAnyOrder) {
  std::string labels;
  for (int i = 64; i > 0; i--) labels += " metadata { key: 'k" + std::to_string(i) + "' }";
  EXPECT_TRUE(Passes(Create(labels)));
  EXPECT_EQ(Invalid("properties.metadata", "must have at most 64 elements"),
            Create(labels + " metadata { key: 'one more' }"));
}

TEST_F(ConvertPartTest, RefusesAKeyThatIsInAMapTwice) {
  // No library sends that; it is two maps in a row, which a receiver merges.
  std::string once = TextEncode("CreateContextRequest", "properties { metadata { key: 'k' } }");
  cx_call call(*service_, "CreateContext", &app_);
  call.Begin(once + once);
  EXPECT_EQ(Invalid("properties.metadata", "must not have the key k twice"), Outcome(call));
}

TEST_F(ConvertPartTest, RefusesAContextThatIsItsOwnParent) {
  EXPECT_EQ(Invalid("properties.parent_id", "must not be the context itself"),
            Ask("CreateContext", "context_id: 'a' properties { parent_id: 'a' }"));
  EXPECT_EQ(Invalid("create_if_missing.parent_id", "must not be the context itself"),
            Ask("UpdateContext",
                "context_id: 'a' mutations { delete_entry { key: 'k' } } "
                "create_if_missing { parent_id: 'a' create_parent: true }"));
}

TEST_F(ConvertPartTest, TakesValidPositiveDurationsOfUpToAHundredYears) {
  struct {
    const char *ttl;
    const char *rule;
  } rows[] = {
      {"nanos: 1", nullptr},
      {"seconds: 3153600000", nullptr},
      {"", "must be positive"},
      {"seconds: -1", "must be positive"},
      {"nanos: -1", "must be positive"},
      {"nanos: 1000000000", "must be a valid duration"},
      {"seconds: 1 nanos: -1", "must be a valid duration"},
      {"seconds: -1 nanos: 1", "must be a valid duration"},
      {"seconds: 3153600000 nanos: 1", "must be at most 3153600000 seconds"},
      {"seconds: 9223372036854775807", "must be at most 3153600000 seconds"},
      {"seconds: -9223372036854775808", "must be positive"},
  };
  for (const auto &row : rows) {
    SCOPED_TRACE(row.ttl);
    std::string expiry = std::string(" { ttl { ") + row.ttl + " } }";
    std::string created = Create("expiry" + expiry);
    std::string changed = Mutate("set_expiry" + expiry);
    if (row.rule == nullptr) {
      EXPECT_TRUE(Passes(created) && Passes(changed));
    } else {
      EXPECT_EQ(Invalid("properties.expiry.ttl", row.rule), created);
      EXPECT_EQ(Invalid("mutations[0].set_expiry.ttl", row.rule), changed);
    }
  }
}

TEST_F(ConvertPartTest, TakesAnAbsentTimeToLiveForEver) {
  Mutate("set_expiry { ttl { seconds: 5 } }");
  EXPECT_TRUE(Passes(Mutate("set_expiry {}")));
  EXPECT_EQ(0, Get("a").expire_time_us);
}

TEST_F(ConvertPartTest, RoundsATimeToLiveUpSoThatItStaysPositive) {
  Mutate("set_expiry { ttl { nanos: 1 } }");
  clock_.now_us -= 1;
  EXPECT_EQ(clock_.now_us + 2, Get("a").expire_time_us);
}

TEST_F(ConvertPartTest, RefusesWhatOnlyEventsHave) {
  EXPECT_EQ(Invalid("mutations[0].splice_entry", "only events have it"),
            Mutate("splice_entry { key: 'k' kept_size: 1 value: 'v' }"));
}

TEST_F(ConvertPartTest, NeedsAKindInEachMutationAndPrecondition) {
  EXPECT_EQ(Invalid("mutations[0]", "must be set to a known kind"), Mutate(""));
  EXPECT_EQ(Invalid("preconditions[0]", "must be set to a known kind"),
            Ask("UpdateContext",
                "context_id: 'a' mutations { delete_entry { key: 'k' } } "
                "preconditions {}"));
}

TEST_F(ConvertPartTest, RefusesAKindOfALaterReleaseInsteadOfIgnoringIt) {
  std::string unknown("\x1a\x03\xa2\x06\x00", 5);  // mutations { 100: {} }
  cx_call call(*service_, "UpdateContext", &app_);
  call.Begin(TextEncode("UpdateContextRequest", "context_id: 'a'") + unknown);
  EXPECT_EQ(Invalid("mutations[0]", "must be set to a known kind"), Outcome(call));
}

TEST_F(ConvertPartTest, ChecksTheKeysOfPreconditions) {
  EXPECT_EQ(Invalid("preconditions[0].entry.key", "must not be empty"),
            Ask("DeleteContext", "context_id: 'a' preconditions { entry {} }"));
}

TEST_F(ConvertPartTest, TakesUpToAThousandPreconditions) {
  std::string request = "context_id: 'a'";
  for (int i = 0; i < 1000; i++) request += " preconditions { context_version: 1 }";
  Put("a", "k", "1");
  EXPECT_EQ(Invalid("preconditions", "must have at most 1000 elements"),
            Ask("DeleteContext", request + " preconditions { context_version: 1 }"));
  EXPECT_EQ(0u, Ask("DeleteContext", request).find("deleted_count: 1"));
}

TEST_F(ConvertPartTest, ChecksRecoveryPolicies) {
  EXPECT_EQ(
      Invalid("mutations[0].set_recovery_policy.policy.retention.keep_within", "must be positive"),
      Mutate("set_recovery_policy { policy { retention { keep_within {} } } }"));
  EXPECT_EQ(Invalid("properties.recovery_policy.retention", "must have at least one rule"),
            Create("recovery_policy { retention {} }"));
}

}  // namespace
