// What engine.h promises of reading and writing, on a disk in memory and a clock of the
// test's own.

#include "tests/support/engine_fixture.h"

namespace {

class EngineTest : public EngineFixture {
 protected:
  EngineTest() { EXPECT_EQ(CX_OK, Open()) << open_error_.message; }
};

TEST_F(EngineTest, ShowsWhatWasWritten) {
  EXPECT_EQ(CX_OK, Create("a").status);
  Outcome update = Update("a", Mutations().Put("k", "v", "text/plain").SetLabel("x", "1"));

  ASSERT_EQ(CX_OK, update.status);
  EXPECT_EQ(2u, update.write.version);
  Found found = Get("a");
  EXPECT_EQ((std::map<std::string, std::string>{{"k", "v"}}), found.entries);
  EXPECT_EQ((std::map<std::string, std::string>{{"x", "1"}}), found.labels);
  EXPECT_EQ(2u, found.version);
  EXPECT_EQ(update.write.revision, found.revision);
  EXPECT_EQ(1u, found.entry_count);
  EXPECT_EQ(2u, found.size_bytes);
}

TEST_F(EngineTest, FindsEverythingAgainAfterARestart) {
  std::string large(20000, 'x');
  for (int i = 0; i < 50; i++) {
    ASSERT_EQ(CX_OK, Upsert("c" + std::to_string(i % 5),
                            Mutations().Put("k" + std::to_string(i), large + std::to_string(i)))
                         .status);
    large += "more";
  }
  ASSERT_EQ(CX_OK, Delete("c3").status);
  std::vector<Found> before;
  for (int i = 0; i < 5; i++) before.push_back(Get("c" + std::to_string(i)));

  Reopen();

  for (int i = 0; i < 5; i++) {
    Found after = Get("c" + std::to_string(i));
    EXPECT_EQ(before[i].status, after.status);
    EXPECT_EQ(before[i].entries, after.entries);
    EXPECT_EQ(before[i].version, after.version);
    EXPECT_EQ(before[i].revision, after.revision);
  }
  EXPECT_EQ("10", Get("c3").detail("deleted_version"));
}

}  // namespace
