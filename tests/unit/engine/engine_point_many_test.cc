// Contexts of more points than one change may drop: what concerns all of them at once, a fork, a
// purge, the end of an undelete window, is still one change, and a restart finds it as it was.

#include "tests/unit/engine/recovery_fixture.h"

namespace {

class EnginePointManyTest : public RecoveryFixture {
 protected:
  static constexpr size_t kMany = 2 * CX_CHANGE_ITEMS_MAX;

  EnginePointManyTest() {
    options_.recovery_points_max = CX_POINTS_MAX;
    EXPECT_EQ(CX_OK, Open());
  }

  void Make(const std::string &context, size_t count) {
    Upsert(context, Mutations().Put("k", "1"));
    for (size_t i = 0; i < count; i++) {
      Pointed made = MakePoint(context, "p" + std::to_string(i));
      ASSERT_EQ(CX_OK, made.status) << made.error.message;
      if (i % 1000 == 0) Step();
    }
    Step();
  }

  Restored ForkAll(const std::string &source, const std::string &id, const At &at = {},
                   const cx_new_context *properties = nullptr) {
    ForkOptions options;
    options.points = true;
    options.properties = properties;
    return Fork(source, id, at, options);
  }

  size_t Count(const std::string &context) { return PointsOf(context, 1000).size(); }
};

TEST_F(EnginePointManyTest, AForkTakesAllOfThem) {
  Make("c", kMany);
  Restored forked = ForkAll("c", "f");
  ASSERT_EQ(CX_OK, forked.status) << forked.error.message;
  EXPECT_EQ(kMany, Count("f"));
  forked = ForkAll("c", "g", At::Point("p9"));
  ASSERT_EQ(CX_OK, forked.status) << forked.error.message;
  EXPECT_EQ(10u, Count("g")) << "those from behind the state stay away";
  ReopenTheSame();
  EXPECT_EQ(kMany, Count("f"));
}

TEST_F(EnginePointManyTest, AForkOntoADeletedContextReplacesAllOfIts) {
  Make("c", kMany);
  ASSERT_EQ(CX_OK, ForkAll("c", "f").status);
  ASSERT_EQ(CX_OK, Delete("f").status);
  Restored forked = ForkAll("c", "f");
  ASSERT_EQ(CX_OK, forked.status) << forked.error.message;
  EXPECT_EQ(kMany, Count("f"));
  ReopenTheSame();
}

TEST_F(EnginePointManyTest, AnUndeleteFindsAllOfThem) {
  Make("c", kMany);
  ASSERT_EQ(CX_OK, Delete("c").status);
  Restored restored = Undelete("c");
  ASSERT_EQ(CX_OK, restored.status) << restored.error.message;
  EXPECT_EQ(kMany, Count("c"));
  ReopenTheSame();
}

TEST_F(EnginePointManyTest, APurgeDropsAllOfThemAtOnce) {
  Make("c", kMany);
  uint64_t before = Get("c").revision;
  Outcome purged = Delete("c", false, true);
  ASSERT_EQ(CX_OK, purged.status) << purged.error.message;
  EXPECT_EQ(before + 1, purged.write.revision) << "one change";
  ReopenTheSame();
  Upsert("c", Mutations().Put("k", "2"));
  EXPECT_EQ(0u, Count("c"));
}

TEST_F(EnginePointManyTest, TheEndOfTheUndeleteWindowDropsAllOfThem) {
  Make("c", kMany);
  ASSERT_EQ(CX_OK, Delete("c").status);
  clock_.now_us += options_.settings.undelete_window_us + kSecond;
  Step();
  Step();
  EXPECT_NE(CX_OK, Undelete("c").status);
  ReopenTheSame();
  Upsert("c", Mutations().Put("k", "2"));
  EXPECT_EQ(0u, Count("c"));
}

TEST_F(EnginePointManyTest, APurgeOfSeveralContextsTakesMoreThanOneChangeForThem) {
  cx_new_context below = {};
  Create("root");
  Make("c", CX_PURGED_POINTS_MAX);
  below.parent_id = cx_bytes_of("root");
  ASSERT_EQ(CX_OK, ForkAll("c", "f", {}, &below).status);
  Restored last = ForkAll("c", "g", {}, &below);
  ASSERT_EQ(CX_OK, last.status) << last.error.message;
  Outcome purged = Delete("root", true, true);
  ASSERT_EQ(CX_OK, purged.status) << purged.error.message;
  EXPECT_EQ(last.write.revision + 2, purged.write.revision);
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("f").reason());
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("g").reason());
  ReopenTheSame();
}

}  // namespace
