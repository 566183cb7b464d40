// What engine.h and snapshot.h promise of reads: the newest state, earlier ones by version
// and by time, and snapshots that never change.

#include "tests/support/engine_fixture.h"

namespace {

class EngineReadTest : public EngineFixture {
 protected:
  void SetUp() override { ASSERT_EQ(CX_OK, Open()) << open_error_.message; }

  Found GetAt(const std::string &id, int64_t time_us) {
    cx_state_at at = {};
    at.time_us = time_us;
    return Get(id, at);
  }

  // Writes versions 1 to `count` of `k`, a second apart. The first is at `start`.
  int64_t WriteVersions(int count) {
    int64_t start = clock_.now_us;
    for (int i = 1; i <= count; i++) {
      EXPECT_EQ(CX_OK, Upsert("c", Mutations().Put("k", std::to_string(i))).status);
      clock_.now_us += CX_SECOND_US;
    }
    return start;
  }
};

TEST_F(EngineReadTest, ReadsTheRetainedVersions) {
  WriteVersions(6);
  for (int i = 3; i <= 6; i++) {
    Found found = GetVersion("c", static_cast<uint64_t>(i));
    ASSERT_EQ(CX_OK, found.status) << i;
    EXPECT_EQ(std::to_string(i), found.entries["k"]);
    EXPECT_EQ(static_cast<uint64_t>(i), found.version);
    EXPECT_EQ(static_cast<uint64_t>(i), found.entry_versions["k"]);
  }
}

TEST_F(EngineReadTest, SaysWhichVersionsAreRetained) {
  WriteVersions(6);
  for (uint64_t version : {2, 7}) {
    Found found = GetVersion("c", version);
    EXPECT_EQ(CX_OUT_OF_RANGE, found.status);
    EXPECT_EQ("STATE_NOT_RETAINED", found.reason());
    EXPECT_EQ("3", found.detail("oldest_version"));
    EXPECT_EQ("6", found.detail("newest_version"));
  }
}

TEST_F(EngineReadTest, ReadsTheStateThatWasTheNewestAtATime) {
  int64_t start = WriteVersions(4);
  EXPECT_EQ(1u, GetAt("c", start).version);
  EXPECT_EQ(1u, GetAt("c", start + CX_SECOND_US - 1).version);
  EXPECT_EQ(2u, GetAt("c", start + CX_SECOND_US).version);
  EXPECT_EQ(4u, GetAt("c", start + 100 * CX_SECOND_US).version);
  EXPECT_EQ("STATE_NOT_RETAINED", GetAt("c", start - 1).reason());
}

TEST_F(EngineReadTest, ReadsTheNewestOfSeveralStatesOfOneMoment) {
  for (int i = 1; i <= 3; i++) Upsert("c", Mutations().Put("k", std::to_string(i)));
  int64_t then = clock_.now_us;
  clock_.now_us += CX_SECOND_US;
  Upsert("c", Mutations().Put("k", "4"));
  EXPECT_EQ(3u, GetAt("c", then).version);
}

TEST_F(EngineReadTest, GoesBackOverEveryKindOfChange) {
  Upsert("c", Mutations().Put("a", "1").Put("b", "2").SetLabel("l", "v").SetExpiry(CX_SECOND_US));
  Update("c", Mutations().Delete("a").SetLabel("l", "w"));
  Update("c", Mutations().DeletePrefix("").Put("c", "3").SetExpiry(0));
  Update("c", Mutations().Append("c", "4").DeleteLabel("l"));
  Found first = GetVersion("c", 1);
  EXPECT_EQ((std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}), first.entries);
  EXPECT_EQ((std::map<std::string, std::string>{{"l", "v"}}), first.labels);
  EXPECT_EQ(clock_.now_us + CX_SECOND_US, first.expire_time_us);
  EXPECT_EQ(2u, first.entry_count);
  EXPECT_EQ(4u, first.size_bytes);
  EXPECT_EQ((std::map<std::string, std::string>{{"b", "2"}}), GetVersion("c", 2).entries);
  EXPECT_EQ((std::map<std::string, std::string>{{"c", "3"}}), GetVersion("c", 3).entries);
  EXPECT_EQ("w", GetVersion("c", 3).labels["l"]);
  EXPECT_EQ(0, GetVersion("c", 3).expire_time_us);
}

TEST_F(EngineReadTest, KeepsTheStatesOfAContextThatWasCreatedAgain) {
  Upsert("c", Mutations().Put("k", "1"));
  Update("c", Mutations().Put("k", "2"));
  int64_t first_create = clock_.now_us;
  clock_.now_us += CX_SECOND_US;
  Delete("c");
  EXPECT_EQ("CONTEXT_NOT_FOUND", GetVersion("c", 1).reason());
  Upsert("c", Mutations().Put("j", "3"));
  EXPECT_EQ("1", GetVersion("c", 1).entries["k"]);
  EXPECT_EQ("2", GetVersion("c", 2).entries["k"]);
  EXPECT_EQ(first_create, GetVersion("c", 2).create_time_us);
  EXPECT_EQ((std::map<std::string, std::string>{{"j", "3"}}), Get("c").entries);
  EXPECT_EQ(clock_.now_us, Get("c").create_time_us);
}

TEST_F(EngineReadTest, KeepsOnlyTheNewestStateWithARetentionOfOne) {
  Close();
  options_.settings.version_retention = 1;
  ASSERT_EQ(CX_OK, Open());
  WriteVersions(3);
  EXPECT_EQ("3", GetVersion("c", 3).entries["k"]);
  EXPECT_EQ("3", GetVersion("c", 2).detail("oldest_version"));
  Delete("c");
  Upsert("c", Mutations().Put("k", "4"));
  EXPECT_EQ("4", GetVersion("c", 3).detail("oldest_version"));
}

TEST_F(EngineReadTest, NeverChangesASnapshot) {
  Upsert("c", Mutations().Put("k", "1").Put("large", std::string(30000, 'x')));
  cx_context_name name = {Bytes(namespace_), cx_bytes_of("c")};
  cx_state_at at = {};
  cx_snapshot snapshot;
  cx_error error;
  uint64_t wait_for;
  ASSERT_EQ(CX_OK, cx_engine_get(engine_, &name, &at, &snapshot, &wait_for, &error));
  for (int i = 0; i < 10; i++) Update("c", Mutations().Put("k", std::to_string(i)).Delete("large"));
  Delete("c", false, true);
  Upsert("c", Mutations().Put("other", "x"));
  Found found = {};
  Read(snapshot, &found);
  EXPECT_EQ("1", found.entries["k"]);
  EXPECT_EQ(std::string(30000, 'x'), found.entries["large"]);
  EXPECT_EQ(1u, found.version);
  EXPECT_EQ("c", Text(snapshot.id));
  cx_snapshot_done(&snapshot);
  cx_snapshot_done(&snapshot);
}

TEST_F(EngineReadTest, WaitsForTheRevisionThatItShows) {
  uint64_t created = Upsert("c", Mutations().Put("k", "1")).write.revision;
  uint64_t updated = Update("c", Mutations().Put("k", "2")).write.revision;
  EXPECT_EQ(updated, Get("c").wait_for);
  EXPECT_GE(GetVersion("c", 1).wait_for, created);
  EXPECT_EQ(updated, GetVersion("c", 9).wait_for);
  uint64_t deleted = Delete("c").write.revision;
  EXPECT_EQ(deleted, Get("c").wait_for);
  EXPECT_EQ(0u, Get("never").wait_for);
}

}  // namespace
