// Requests about earlier states: the rules of recovery.proto and resources.proto, and what
// requests come to.

#include "tests/unit/services/convert_fixture.h"

#include "tests/support/requests.h"

extern "C" {
#include "server/services/convert_recovery.h"
}

namespace {

const char kOneNamespace[] = "must be the one of the rest: a request concerns one";

class ConvertRecoveryTest : public ConvertFixture {
 protected:
  std::string Restore(const std::string &text) {
    return Came(cx_convert_restore(
        &conversion_,
        Make<RestoreContextRequest>(contextd__v1__restore_context_request__descriptor, text),
        &restore_));
  }

  std::string Fork(const std::string &text) {
    return Came(cx_convert_fork(
        &conversion_,
        Make<ForkContextRequest>(contextd__v1__fork_context_request__descriptor, text), &fork_));
  }

  std::string Merge(const std::string &text) {
    return Came(cx_convert_merge(
        &conversion_,
        Make<MergeContextRequest>(contextd__v1__merge_context_request__descriptor, text), &merge_));
  }

  // One that is right but for what follows.
  std::string MergeWith(const std::string &text) {
    return Merge("source { context_id: 'a' } target_context_id: 'b' " + text);
  }

  std::string Diff(const std::string &text) {
    return Came(cx_convert_diff(
        &conversion_, Make<DiffStatesRequest>(contextd__v1__diff_states_request__descriptor, text),
        &diff_));
  }

  cx_restore_request restore_ = {};
  cx_fork_request fork_ = {};
  cx_merge_request merge_ = {};
  cx_diff_query diff_ = {};
};

// ---- Restore.

TEST_F(ConvertRecoveryTest, TakesEachTargetOfARestore) {
  ASSERT_EQ("", Restore("context_id: 'a'"));
  EXPECT_TRUE(cx_state_at_is_newest(&restore_.at));
  ASSERT_EQ("", Restore("context_id: 'a' recovery_point_id: 'p'"));
  EXPECT_EQ("p", Text(restore_.at.point_id));
  ASSERT_EQ("", Restore("context_id: 'a' version: 7"));
  EXPECT_EQ(7u, restore_.at.version);
  ASSERT_EQ("", Restore("context_id: 'a' time { seconds: 1 nanos: 2999 }"));
  EXPECT_EQ(1000002, restore_.at.time_us);
}

TEST_F(ConvertRecoveryTest, TakesAllOfARestore) {
  ASSERT_EQ("", Restore("namespace: 'n' context_id: 'a' safety_point: true undelete: true "
                        "preconditions { context_version: 3 } write { request_id: 'r' fence: 2 }"));
  EXPECT_EQ("n/a", Text(restore_.name.namespace_id) + "/" + Text(restore_.name.id));
  EXPECT_TRUE(restore_.safety_point);
  EXPECT_TRUE(restore_.undelete);
  ASSERT_EQ(1u, restore_.precondition_count);
  EXPECT_EQ(3u, restore_.preconditions[0].version);
  EXPECT_EQ("r", Text(restore_.request_id));
  EXPECT_EQ(2u, restore_.author.fence);
}

TEST_F(ConvertRecoveryTest, ChecksARestore) {
  EXPECT_EQ(Invalid("context_id", "must not be empty"), Restore(""));
  EXPECT_EQ(Invalid("recovery_point_id", "must have at most 128 bytes"),
            Restore("context_id: 'a' recovery_point_id: '" + std::string(129, 'p') + "'"));
  EXPECT_EQ(Invalid("time", "must be a valid timestamp"),
            Restore("context_id: 'a' time { nanos: -1 }"));
  EXPECT_EQ(Invalid("preconditions[0].entry.key", "must not be empty"),
            Restore("context_id: 'a' preconditions { entry {} }"));
  EXPECT_EQ(Invalid("write.request_id", "must have at most 128 bytes"),
            Restore("context_id: 'a' write { request_id: '" + std::string(129, 'r') + "' }"));
}

// ---- Fork.

TEST_F(ConvertRecoveryTest, TakesAllOfAFork) {
  ASSERT_EQ("", Fork("source { namespace: 'n' context_id: 'a' recovery_point_id: 'p' } "
                     "context_id: 'b' with_history: true with_recovery_points: true "
                     "properties { type: 't' } write { request_id: 'r' session_id: 's' }"));
  EXPECT_EQ("n/a", Text(fork_.source.namespace_id) + "/" + Text(fork_.source.id));
  EXPECT_EQ("p", Text(fork_.at.point_id));
  EXPECT_EQ("b", Text(fork_.id));
  EXPECT_TRUE(fork_.with_history);
  EXPECT_TRUE(fork_.with_points);
  ASSERT_NE(nullptr, fork_.properties);
  EXPECT_EQ("t", Text(fork_.properties->type));
  EXPECT_EQ("r", Text(fork_.request_id));
  EXPECT_EQ("s", Text(fork_.author.session_id));
  ASSERT_EQ("", Fork("source { context_id: 'a' }"));
  EXPECT_EQ(0u, fork_.id.size);
  EXPECT_EQ(nullptr, fork_.properties);
}

TEST_F(ConvertRecoveryTest, ChecksAFork) {
  EXPECT_EQ(Invalid("source", "must be set"), Fork(""));
  EXPECT_EQ(Invalid("source.context_id", "must not be empty"), Fork("source {}"));
  EXPECT_EQ(Invalid("context_id", "must have at most 256 bytes"),
            Fork("source { context_id: 'a' } context_id: '" + std::string(257, 'b') + "'"));
  EXPECT_EQ(Invalid("properties.parent_id", "must not be the context itself"),
            Fork("source { context_id: 'a' } context_id: 'b' properties { parent_id: 'b' }"));
  EXPECT_EQ(Invalid("properties.recovery_policy.retention", "must have at least one rule"),
            Fork("source { context_id: 'a' } properties { recovery_policy { retention {} } }"));
  EXPECT_EQ(Invalid("write.fence", "must be 0: this call changes no existing context"),
            Fork("source { context_id: 'a' } write { fence: 1 }"));
}

// ---- Merge.

TEST_F(ConvertRecoveryTest, TakesAllOfAMerge) {
  ASSERT_EQ("", Merge("namespace: 'n' source { namespace: 'n' context_id: 'a' version: 1 } "
                      "target_context_id: 'b' "
                      "ancestor { namespace: 'n' context_id: 'c' recovery_point_id: 'p' } "
                      "on_conflict: ON_CONFLICT_TARGET "
                      "on_conflict_by_key { key: 'z' value: ON_CONFLICT_SOURCE } "
                      "on_conflict_by_key { key: 'y' value: ON_CONFLICT_UNSPECIFIED } "
                      "dry_run: true safety_point: true preconditions { context_version: 5 } "
                      "write { request_id: 'r' }"));
  EXPECT_EQ("a", Text(merge_.source.id));
  EXPECT_EQ(1u, merge_.source_at.version);
  EXPECT_EQ("n/b", Text(merge_.target.namespace_id) + "/" + Text(merge_.target.id));
  EXPECT_EQ("c", Text(merge_.ancestor.id));
  EXPECT_EQ("p", Text(merge_.ancestor_at.point_id));
  EXPECT_EQ(CX_CONFLICT_TAKE_TARGET, merge_.on_conflict);
  ASSERT_EQ(2u, merge_.rule_count);
  EXPECT_EQ("y", Text(merge_.rules[0].key));
  EXPECT_EQ(CX_CONFLICT_REPORT, merge_.rules[0].rule);
  EXPECT_EQ(CX_CONFLICT_TAKE_SOURCE, merge_.rules[1].rule);
  EXPECT_TRUE(merge_.dry_run);
  EXPECT_TRUE(merge_.safety_point);
  EXPECT_EQ(1u, merge_.precondition_count);
  EXPECT_EQ("r", Text(merge_.request_id));
  ASSERT_EQ("", MergeWith(""));
  EXPECT_EQ(0u, merge_.ancestor.id.size);
}

TEST_F(ConvertRecoveryTest, ChecksTheSidesOfAMerge) {
  EXPECT_EQ(Invalid("source", "must be set"), Merge("target_context_id: 'b'"));
  EXPECT_EQ(Invalid("source.context_id", "must not be empty"),
            Merge("source {} target_context_id: 'b'"));
  EXPECT_EQ(Invalid("target_context_id", "must not be empty"), Merge("source { context_id: 'a' }"));
  EXPECT_EQ(Invalid("ancestor.context_id", "must not be empty"), MergeWith("ancestor {}"));
  EXPECT_EQ(Invalid("namespace", "must begin with one of a-z 0-9"), MergeWith("namespace: '*'"));
}

TEST_F(ConvertRecoveryTest, MergesWithinOneNamespace) {
  EXPECT_EQ(Invalid("source.namespace", kOneNamespace), MergeWith("namespace: 'n'"));
  EXPECT_EQ(Invalid("ancestor.namespace", kOneNamespace),
            MergeWith("ancestor { namespace: 'n' context_id: 'c' }"));
  EXPECT_EQ("", Merge("source { namespace: 'default' context_id: 'a' } target_context_id: 'b'"));
}

TEST_F(ConvertRecoveryTest, ChecksWhatIsDoneWithConflicts) {
  std::string with =
      TextEncode("MergeContextRequest", "source { context_id: 'a' } target_context_id: 'b'");
  auto convert = [&](const std::string &bytes) {
    return Came(cx_convert_merge(
        &conversion_,
        MakeOf<MergeContextRequest>(contextd__v1__merge_context_request__descriptor, with + bytes),
        &merge_));
  };
  std::string many;
  for (int i = 0; i < 10001; i++) {
    many += "on_conflict_by_key { key: 'k" + std::to_string(i) + "' value: ON_CONFLICT_SOURCE } ";
  }
  EXPECT_EQ(Invalid("on_conflict", "must be a known value"), convert("\x28\x63"));
  EXPECT_EQ(Invalid("on_conflict_by_key.value", "must be a known value"),
            convert(std::string("\x32\x05\x0a\x01k\x10\x63", 7)));
  EXPECT_EQ(Invalid("on_conflict_by_key", "must not have the key k twice"),
            convert(std::string("\x32\x05\x0a\x01k\x10\x01\x32\x05\x0a\x01k\x10\x02", 14)));
  EXPECT_EQ(Invalid("on_conflict_by_key.key", "must not be empty"),
            MergeWith("on_conflict_by_key { key: '' value: ON_CONFLICT_SOURCE }"));
  EXPECT_EQ(Invalid("on_conflict_by_key", "must have at most 10000 elements"), MergeWith(many));
}

TEST_F(ConvertRecoveryTest, ChecksTheRestOfAMerge) {
  EXPECT_EQ(Invalid("preconditions[0]", "must be set to a known kind"),
            MergeWith("preconditions {}"));
  EXPECT_EQ(Invalid("write.session_id", "must have at most 256 bytes"),
            MergeWith("write { session_id: '" + std::string(257, 's') + "' }"));
}

// ---- Differences.

TEST_F(ConvertRecoveryTest, TakesAllOfADiff) {
  ASSERT_EQ("", Diff("before { namespace: 'n' context_id: 'a' version: 1 } "
                     "after { namespace: 'n' context_id: 'b' time { seconds: 1 } } "
                     "key_prefix: 'k' without_values: true"));
  EXPECT_EQ("n/a", Text(diff_.before.namespace_id) + "/" + Text(diff_.before.id));
  EXPECT_EQ("b", Text(diff_.after.id));
  EXPECT_EQ(1u, diff_.before_at.version);
  EXPECT_EQ(1000000, diff_.after_at.time_us);
  EXPECT_EQ("k", Text(diff_.key_prefix));
  EXPECT_TRUE(diff_.without_values);
}

TEST_F(ConvertRecoveryTest, ChecksADiff) {
  EXPECT_EQ(Invalid("before", "must be set"), Diff("after { context_id: 'a' }"));
  EXPECT_EQ(Invalid("after", "must be set"), Diff("before { context_id: 'a' }"));
  EXPECT_EQ(Invalid("after.context_id", "must not be empty"),
            Diff("before { context_id: 'a' } after {}"));
  EXPECT_EQ(Invalid("before.recovery_point_id", "must have at most 128 bytes"),
            Diff("before { context_id: 'a' recovery_point_id: '" + std::string(129, 'p') +
                 "' } after { context_id: 'a' }"));
  EXPECT_EQ(Invalid("after.namespace", kOneNamespace),
            Diff("before { context_id: 'a' } after { context_id: 'a' namespace: 'n' }"));
  EXPECT_EQ(Invalid("key_prefix", "must have at most 512 bytes"),
            Diff("before { context_id: 'a' } after { context_id: 'a' } key_prefix: '" +
                 std::string(513, 'k') + "'"));
}

TEST_F(ConvertRecoveryTest, ChecksWhichContextIsToBeSynced) {
  cx_context_name name = {};
  auto convert = [&](const std::string &text) {
    return Came(cx_convert_sync(
        &conversion_,
        Make<SyncContextRequest>(contextd__v1__sync_context_request__descriptor, text), &name));
  };
  EXPECT_EQ("", convert("namespace: 'n' context_id: 'a'"));
  EXPECT_EQ("n/a", Text(name.namespace_id) + "/" + Text(name.id));
  EXPECT_EQ(Invalid("context_id", "must not be empty"), convert(""));
  EXPECT_EQ(Invalid("namespace", "must begin with one of a-z 0-9"),
            convert("namespace: '*' context_id: 'a'"));
}

}  // namespace
