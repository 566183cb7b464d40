// UpdateContext: what the comments of context_manager.proto and resources.proto promise.
// The first revision of a log is that of its settings, so that changes begin at 2.

#include "tests/unit/services/service_fixture.h"

namespace {

class ContextUpdateTest : public ServiceFixture {};

TEST_F(ContextUpdateTest, AnswersTheVersionAndTheRevision) {
  Put("a", "k", "1");
  EXPECT_EQ(
      "version: 2 write { revision: 3 }",
      Ask("UpdateContext", "context_id: 'a' mutations { put_entry { key: 'k' value: '2' } }"));
  EXPECT_EQ("2", Get("a").entries["k"]);
}

TEST_F(ContextUpdateTest, AnswersNothingBeforeTheChangeIsDurable) {
  Put("a", "k", "1");
  Call call =
      Begin("UpdateContext", "context_id: 'a' mutations { put_entry { key: 'k' value: '2' } }");
  EXPECT_EQ("2", Get("a").entries["k"]);   // It has happened,
  EXPECT_EQ("(waiting)", Outcome(*call));  // and nobody was told.
  Settle();
  EXPECT_EQ("version: 2 write { revision: 3 }", Outcome(*call));
}

TEST_F(ContextUpdateTest, AnswersNoErrorBeforeWhatItWasDerivedFromIsDurable) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);  // Not durable yet.
  Call call = Begin("UpdateContext",
                    "context_id: 'a' mutations { delete_entry { key: 'k' } } "
                    "preconditions { context_version: 7 }");
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_EQ("VERSION_CONFLICT current_version=1", Outcome(*call));
}

TEST_F(ContextUpdateTest, SaysThatTheDiskFailedInsteadOfAnAnswer) {
  Put("a", "k", "1");
  Call call =
      Begin("UpdateContext", "context_id: 'a' mutations { put_entry { key: 'k' value: '2' } }");
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Settle();
  EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
  EXPECT_EQ("STORAGE_FAILED",
            Ask("UpdateContext", "context_id: 'a' mutations { delete_entry { key: 'k' } }"));
}

TEST_F(ContextUpdateTest, AppliesAllKindsOfMutationsInOrder) {
  Put("a", "gone/1", "1");
  EXPECT_EQ("version: 2 write { revision: 3 }", Ask("UpdateContext", R"(
      context_id: 'a'
      mutations { put_entry { key: 'k' value: 'x' content_type: 'text/plain' } }
      mutations { append_entry { key: 'k' value: 'y' expected_size { bytes: 1 } } }
      mutations { append_entry { key: 'new' value: 'z' } }
      mutations { put_entry { key: 'brief' value: '0' } }
      mutations { delete_entry { key: 'brief' } }
      mutations { delete_entries { prefix: 'gone/' } }
      mutations { set_metadata { key: 'l' value: 'v' } }
      mutations { set_metadata { key: 'm' value: 'v' } }
      mutations { delete_metadata { key: 'm' } }
      mutations { set_expiry { ttl { seconds: 60 } } })"));
  Found found = Get("a");
  EXPECT_EQ((std::map<std::string, std::string>{{"k", "xy"}, {"new", "z"}}), found.entries);
  EXPECT_EQ((std::map<std::string, std::string>{{"l", "v"}}), found.labels);
  EXPECT_EQ(clock_.now_us + 60 * CX_SECOND_US, found.expire_time_us);
}

TEST_F(ContextUpdateTest, ChangesNothingWhenOneMutationFails) {
  Put("a", "k", "1");
  EXPECT_EQ("SIZE_MISMATCH key=k current_size=1", Ask("UpdateContext", R"(
      context_id: 'a'
      mutations { put_entry { key: 'other' value: 'x' } }
      mutations { append_entry { key: 'k' value: 'y' expected_size { bytes: 2 } } })"));
  EXPECT_EQ((std::map<std::string, std::string>{{"k", "1"}}), Get("a").entries);
}

TEST_F(ContextUpdateTest, ChecksAnEntrysVersion) {
  Put("a", "k", "1");
  EXPECT_EQ("ENTRY_CONFLICT key=k current_version=1", Ask("UpdateContext", R"(
      context_id: 'a' mutations { delete_entry { key: 'k' } }
      preconditions { entry { key: 'k' version: 0 } })"));
  EXPECT_EQ("version: 2 write { revision: 3 }", Ask("UpdateContext", R"(
      context_id: 'a' mutations { delete_entry { key: 'k' } }
      preconditions { entry { key: 'k' version: 1 } }
      preconditions { context_version: 1 })"));
}

TEST_F(ContextUpdateTest, SaysThatAContextIsMissing) {
  EXPECT_EQ("CONTEXT_NOT_FOUND",
            Ask("UpdateContext", "context_id: 'a' mutations { delete_entry { key: 'k' } }"));
  Put("a", "k", "1");
  ASSERT_EQ(CX_OK, Delete("a").status);
  EXPECT_EQ("CONTEXT_NOT_FOUND deleted_version=1",
            Ask("UpdateContext", "context_id: 'a' mutations { delete_entry { key: 'k' } }"));
}

TEST_F(ContextUpdateTest, CreatesAMissingContextAsItWasTold) {
  EXPECT_EQ("version: 1 write { revision: 2 }", Ask("UpdateContext", R"(
      context_id: 'a' mutations { put_entry { key: 'k' value: '1' } }
      create_if_missing {
        type: 'chat' parent_id: 'p' create_parent: true
        metadata { key: 'b' value: '2' } metadata { key: 'a' value: '1' }
        expiry { ttl { seconds: 5 nanos: 1 } sliding: true }
      })"));
  Found found = Get("a");
  EXPECT_EQ("chat", found.type);
  EXPECT_EQ("p", found.parent_id);
  EXPECT_EQ((std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}), found.labels);
  EXPECT_EQ(clock_.now_us + 5 * CX_SECOND_US + 1, found.expire_time_us);
  EXPECT_EQ(1u, Get("p").version);
}

TEST_F(ContextUpdateTest, RepeatsARequestIdOnce) {
  const char *request = R"(
      context_id: 'a' mutations { append_entry { key: 'k' value: '1' } }
      create_if_missing {} write { request_id: 'r' })";
  EXPECT_EQ("version: 1 write { revision: 2 }", Ask("UpdateContext", request));
  EXPECT_EQ("version: 1 write { revision: 2 replayed: true }", Ask("UpdateContext", request));
  EXPECT_EQ("1", Get("a").entries["k"]);
}

TEST_F(ContextUpdateTest, RepeatsARequestIdOnceAfterADelete) {
  const char *request = R"(
      context_id: 'a' mutations { append_entry { key: 'k' value: '1' } }
      create_if_missing {} write { request_id: 'r' })";
  Ask("UpdateContext", request);
  Ask("DeleteContext", "context_id: 'a'");
  EXPECT_EQ("version: 1 write { revision: 2 replayed: true }", Ask("UpdateContext", request));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("a").reason());
}

TEST_F(ContextUpdateTest, AnswersNoRepeatBeforeTheFirstIsDurable) {
  const char *request = R"(
      context_id: 'a' mutations { append_entry { key: 'k' value: '1' } }
      create_if_missing {} write { request_id: 'r' })";
  Begin("UpdateContext", request);
  Call second = Begin("UpdateContext", request);
  EXPECT_EQ("(waiting)", Outcome(*second));
  Settle();
  EXPECT_EQ("version: 1 write { revision: 2 replayed: true }", Outcome(*second));
}

TEST_F(ContextUpdateTest, RefusesARequestIdWithAnotherRequest) {
  Ask("UpdateContext", R"(
      context_id: 'a' mutations { append_entry { key: 'k' value: '1' } }
      create_if_missing {} write { request_id: 'r' })");
  EXPECT_EQ("REQUEST_ID_REUSED", Ask("UpdateContext", R"(
      context_id: 'a' mutations { append_entry { key: 'k' value: '2' } }
      create_if_missing {} write { request_id: 'r' })"));
}

TEST_F(ContextUpdateTest, NamesTheLimitOfAValue) {
  std::string value(64 * CX_KIB + 1, 'v');
  EXPECT_EQ("LIMIT_REACHED limit=value_size_max value=65536",
            Ask("UpdateContext",
                "context_id: 'a' create_if_missing {} mutations { put_entry { "
                "key: 'k' value: '" +
                    value + "' } }"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("a").reason());
}

TEST_F(ContextUpdateTest, TellsExistenceBeforePreconditionsBeforeLimits) {
  std::string large =
      "context_id: 'a' preconditions { context_version: 7 } mutations { put_entry "
      "{ key: 'k' value: '" +
      std::string(64 * CX_KIB + 1, 'v') + "' } }";
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("UpdateContext", large));
  Put("a", "k", "1");
  EXPECT_EQ("VERSION_CONFLICT current_version=1", Ask("UpdateContext", large));
}

TEST_F(ContextUpdateTest, LeavesThePollerForMoreThanAThousandMutations) {
  std::string request = "context_id: 'a' create_if_missing {}";
  for (int i = 0; i < 1000; i++) request += " mutations { delete_entry { key: 'k' } }";
  Call small = Begin("UpdateContext", request);
  Call large = Begin("UpdateContext", request + " mutations { delete_entry { key: 'k' } }");
  Settle();
  EXPECT_EQ(0, small->offloads);
  EXPECT_EQ(1, large->offloads);
}

TEST_F(ContextUpdateTest, RefusesMoreThanTenThousandMutations) {
  std::string request = "context_id: 'a' create_if_missing {}";
  for (int i = 0; i < 10001; i++) request += " mutations { delete_entry { key: 'k' } }";
  EXPECT_EQ("INVALID_FIELD field=mutations rule=must have at most 10000 elements",
            Ask("UpdateContext", request));
}

TEST_F(ContextUpdateTest, NeedsAMutation) {
  EXPECT_EQ("INVALID_FIELD field=mutations rule=must not be empty",
            Ask("UpdateContext", "context_id: 'a'"));
}

TEST_F(ContextUpdateTest, IsRefusedToASessionThatIsNotThere) {
  Put("a", "k", "1");
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s",
            Ask("UpdateContext",
                "context_id: 'a' mutations { delete_entry { key: 'k' } } write { session_id: 's' "
                "}"));
  EXPECT_EQ("1", Get("a").entries["k"]);
}

TEST_F(ContextUpdateTest, IsRefusedWithAFenceThatIsNotInForce) {
  Put("a", "k", "1");
  EXPECT_EQ("STALE_FENCE current_fence=0",
            Ask("UpdateContext",
                "context_id: 'a' mutations { delete_entry { key: 'k' } } write { fence: 1 }"));
  EXPECT_EQ("1", Get("a").entries["k"]);
}

TEST_F(ContextUpdateTest, MakesNoVersionOfActivitiesAlone) {
  Put("a", "k", "1");
  EXPECT_EQ("version: 1 write { revision: 3 }",
            Ask("UpdateContext", "context_id: 'a' mutations { record_activity { type: 't' } }"));
}

}  // namespace
