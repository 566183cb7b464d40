// Applying a change: what a create, an update and an end leave behind, and that replay
// leaves the same.

#include "tests/unit/state/state_fixture.h"

namespace {

using ApplyTest = StateFixture;

TEST_F(ApplyTest, GivesTheSameStateInReplayAfterEveryKindOfChange) {
  cx_new_context properties = {};
  cx_label label = {cx_bytes_of("team"), cx_bytes_of("red")};
  properties.type = cx_bytes_of("chat");
  properties.labels = &label;
  properties.label_count = 1;
  properties.ttl_us = 50;
  Create("a", properties, Mutations().Put("k", "v"), "request");
  ExpectReplayGivesTheSame();
  Update("a", Mutations().Put("k", std::string(9000, 'x')));
  Update("a", Mutations().Put("k", std::string(9000, 'x') + "more"));
  Update("a", Mutations().Append("k", "end").Delete("none").DeletePrefix("z"));
  Update("a", Mutations().SetLabel("team", "blue").SetExpiry(40, true));
  ExpectReplayGivesTheSame();
  CreateBelow("b", "a");
  Delete("a", true);
  ExpectReplayGivesTheSame();
  Create("a");
  plan_.now_us += 1000;
  Due("b");
  Due("b");
  ExpectReplayGivesTheSame();
}

TEST_F(ApplyTest, CountsVersionsOnOverADelete) {
  Create("a");
  Update("a", Mutations().Put("k", "v"));
  Delete("a");
  EXPECT_EQ(2u, Find("a")->version);
  Create("a");
  EXPECT_EQ(3u, Find("a")->version);
  EXPECT_EQ(0u, Find("a")->entry_count);
}

TEST_F(ApplyTest, KeepsNoMoreStatesThanTheSettingsSay) {
  Create("a");
  for (int i = 0; i < 10; i++) Update("a", Mutations().Put("k", std::to_string(i)));
  EXPECT_EQ(settings_.version_retention - 1, Find("a")->undo_count);
  EXPECT_EQ(Find("a")->version - 1, Find("a")->undo_newest->version);
}

TEST_F(ApplyTest, SlidesAnExpiryWithEveryChange) {
  Create("a", {}, Mutations().SetExpiry(500, /*sliding=*/true));
  EXPECT_EQ(plan_.now_us + 500, Find("a")->end_time_us);
  plan_.now_us += 100;
  Update("a", Mutations().Put("k", "v"));
  EXPECT_EQ(plan_.now_us + 500, Find("a")->end_time_us);
}

TEST_F(ApplyTest, KeepsTheTotalsOfTheNamespace) {
  Create("a", {}, Mutations().Put("key", "value"));
  const cx_namespace *totals = Find("a")->totals;
  EXPECT_EQ(1u, totals->context_count);
  EXPECT_EQ(8u, totals->size_bytes);
  Update("a", Mutations().Put("key", "v"));
  EXPECT_EQ(4u, totals->size_bytes);
  Delete("a");
  EXPECT_EQ(0u, totals->context_count);
  EXPECT_EQ(0u, totals->size_bytes);
}

}  // namespace
