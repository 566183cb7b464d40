// What restores and merges work out of whole states, outside of the locks, and what becomes of it
// where a context moves meanwhile.

#include "tests/unit/engine/recovery_fixture.h"

#include <set>

extern "C" {
#include "core/engine/engine_prepare.h"
#include "tests/support/fail_nth.h"
}

namespace {

class EnginePrepareTest : public RecoveryFixture {
 protected:
  EnginePrepareTest() { EXPECT_EQ(CX_OK, Open()); }

  // The state "p" of "c", and what came after it.
  void Prepare() {
    Upsert("c", Mutations().Put("a", "1").Put("b", "1").SetLabel("l", "1"));
    ASSERT_EQ(CX_OK, MakePoint("c", "p").status);
    Update("c", Mutations().Put("a", "2").Delete("b").Put("d", "2").SetLabel("m", "2"));
  }

  // The same with a state that is much larger than what Move() takes off it each time.
  void PrepareLarge() {
    for (int i = 1; i <= 37; i += 4) {
      Mutations large;
      for (int j = i; j < i + 4; j++) large.Put("k" + std::to_string(j), std::string(40000, 'x'));
      ASSERT_EQ(CX_OK, Upsert("c", large.Put("a", "1")).status);
      Step();
    }
    ASSERT_EQ(CX_OK, MakePoint("c", "p").status);
    Update("c", Mutations().Put("a", "2"));
  }

  // Makes what is to be restored grow, so that its steps need memory again.
  void Move(int *moves) {
    ASSERT_EQ(CX_OK, Update("c", Mutations().Delete("k" + std::to_string(++*moves))).status);
  }

  // The steps from the state of a context to that of one of its points, as words.
  std::set<std::string> Steps(cx_step_list *steps, const std::string &context, const char *point) {
    std::set<std::string> words;
    cx_snapshot head;
    cx_point_view view;
    cx_error error;
    uint64_t wait_for;
    const cx_context_name name = Name(context);
    const cx_state_at newest = {};
    EXPECT_EQ(CX_OK, cx_engine_get(engine_, &name, &newest, &head, &wait_for, &error));
    EXPECT_EQ(CX_OK,
              cx_engine_get_point(engine_, &name, cx_bytes_of(point), &view, &wait_for, &error));
    EXPECT_EQ(CX_OK, cx_steps_between(steps, &head, &view.point->state));
    for (size_t i = 0; i < steps->count; i++) {
      const cx_op &op = steps->ops[i];
      const char *kind = op.kind == CX_MUTATION_PUT         ? "put "
                         : op.kind == CX_MUTATION_DELETE    ? "delete "
                         : op.kind == CX_MUTATION_SET_LABEL ? "set "
                                                            : "unset ";
      words.insert(kind + Text(op.key) + (op.value.size > 0 ? "=" + Text(op.value) : ""));
    }
    cx_snapshot_done(&head);
    cx_point_view_done(&view);
    return words;
  }
};

TEST_F(EnginePrepareTest, TheStepsAreWhatDiffers) {
  Prepare();
  Update("c", Mutations().SetLabel("l", "2"));
  cx_step_list steps = {};
  EXPECT_EQ((std::set<std::string>{"put a=1", "put b=1", "delete d", "set l=1", "unset m"}),
            Steps(&steps, "c", "p"));
  EXPECT_EQ(3u, steps.changed_count) << "entries";
  EXPECT_FALSE(steps.too_large);
  cx_steps_done(&steps);
}

TEST_F(EnginePrepareTest, StepsThatWeighTooMuchAreCountedAlone) {
  Prepare();
  cx_step_list steps = {};
  steps.weight_max = 40;
  EXPECT_EQ(std::set<std::string>{}, Steps(&steps, "c", "p"));
  EXPECT_EQ(3u, steps.changed_count);
  EXPECT_TRUE(steps.too_large);
  cx_steps_reset(&steps);
  EXPECT_FALSE(steps.too_large);
  EXPECT_EQ(0u, steps.changed_count);
  cx_steps_done(&steps);
  cx_steps_done(&steps);
}

TEST_F(EnginePrepareTest, ARestoreOfMuchIsAsExactAsOneOfLittle) {
  for (int i = 0; i < 40; i++) {
    Upsert("c", Mutations().Put("k" + std::to_string(i), std::string(60000, 'a' + i % 20)));
    Step();
  }
  Texts before = Get("c").entries;
  MakePoint("c", "p");
  for (int i = 0; i < 40; i += 2) {
    Update("c", Mutations()
                    .Put("k" + std::to_string(i), std::string(60001, 'z'))
                    .Delete("k" + std::to_string(i + 1)));
    Step();
  }
  Restored restored = Restore("c", At::Point("p"));
  ASSERT_EQ(CX_OK, restored.status) << restored.error.message;
  EXPECT_EQ(40u, restored.changed);
  EXPECT_EQ(before, Get("c").entries);
  ReopenTheSame();
}

TEST_F(EnginePrepareTest, ARestorePreparesAgainWhereTheHeadMoves) {
  PrepareLarge();
  int moves = 0;
  Restored restored = Interrupt(
      "c",
      [&] {
        if (moves < 3) Move(&moves);
      },
      [&] { return Restore("c", At::Point("p")); });
  ASSERT_EQ(CX_OK, restored.status) << restored.error.message;
  ASSERT_EQ(3, moves) << "it was interrupted";
  EXPECT_EQ(GetPoint("c", "p").point.state.entries, Get("c").entries) << "nor what came meanwhile";
  EXPECT_EQ(15u, restored.write.version);
  ReopenTheSame();
}

TEST_F(EnginePrepareTest, ARestoreGivesUpWhereTheHeadMovesAgainAndAgain) {
  PrepareLarge();
  int moves = 0;
  Restored restored = Interrupt(
      "c", [&] { Move(&moves); }, [&] { return Restore("c", At::Point("p")); });
  EXPECT_EQ("HEAD_MOVED", restored.reason());
  EXPECT_NE("", restored.detail("current_version"));
  EXPECT_EQ("2", Get("c").entries["a"]) << "nothing was changed";
  EXPECT_EQ(11u + static_cast<unsigned>(moves), Get("c").version);
  EXPECT_EQ(CX_OK, Restore("c", At::Point("p")).status);
}

TEST_F(EnginePrepareTest, ARestoreTellsWhereThePointOrTheContextGoesMeanwhile) {
  Prepare();
  bool gone = false;
  Restored restored = Interrupt(
      "c",
      [&] {
        if (!gone) gone = DropPoint("c", "p").status == CX_OK;
      },
      [&] { return Restore("c", At::Point("p")); });
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", restored.reason());
  MakePoint("c", "p");
  Update("c", Mutations().Put("a", "3"));
  gone = false;
  restored = Interrupt(
      "c",
      [&] {
        if (!gone) gone = Delete("c").status == CX_OK;
      },
      [&] { return Restore("c", At::Point("p")); });
  EXPECT_EQ("CONTEXT_NOT_FOUND", restored.reason());
}

TEST_F(EnginePrepareTest, ARestoreTakesAPointThatIsReplacedMeanwhileAsItIsThen) {
  Prepare();
  bool replaced = false;
  Restored restored = Interrupt(
      "c",
      [&] {
        if (replaced) return;
        replaced = true;
        EXPECT_EQ(CX_OK,
                  MakePoint("c", NewPoint("p").Replace().With(Mutations().Put("a", "new"))).status);
      },
      [&] { return Restore("c", At::Point("p")); });
  ASSERT_EQ(CX_OK, restored.status) << restored.error.message;
  EXPECT_EQ((Texts{{"a", "new"}, {"d", "2"}}), restored.state.entries);
  EXPECT_EQ(1u, restored.changed);
  ReopenTheSame();
}

TEST_F(EnginePrepareTest, AMergePreparesAgainWhereTheTargetMovesAndGivesUpInTheEnd) {
  Upsert("c", Mutations().Put("a", "1"));
  Upsert("ancestor", Mutations().Put("a", "1"));
  Fork("c", "f");
  Update("f", Mutations().Put("b", "f"));
  MergeOptions options;
  options.ancestor = "ancestor";  // Reading it asks the clock, each time.
  int moves = 0;
  auto move = [&] { Update("c", Mutations().Put("moved", std::to_string(++moves))); };
  Merged merged = InterruptClock(
      "c",
      [&] {
        if (moves < 3) move();
      },
      [&] { return Merge("f", "c", options); });
  ASSERT_EQ(CX_OK, merged.status) << merged.error.message;
  ASSERT_EQ(3, moves) << "it was interrupted";
  EXPECT_EQ((Texts{{"a", "1"}, {"b", "f"}, {"moved", "3"}}), Get("c").entries);
  Update("f", Mutations().Put("e", "f"));
  merged = InterruptClock("c", move, [&] { return Merge("f", "c", options); });
  EXPECT_EQ("HEAD_MOVED", merged.reason());
  EXPECT_EQ(0u, Get("c").entries.count("e")) << "nothing was merged";
}

TEST_F(EnginePrepareTest, WithoutMemoryNothingIsChangedAndNothingIsLost) {
  Prepare();
  Fork("c", "f");
  Update("f", Mutations().Put("a", "f").SetLabel("x", "f"));
  fail_nth fail;
  int failures = 0;
  for (size_t nth = 1;; nth++) {
    uint64_t before = Digest();
    int64_t used = cx_memory_used();
    cx_restore_request request = {};
    cx_write_outcome outcome;
    cx_snapshot snapshot = {};
    cx_error error;
    uint64_t changed;
    char safety_id[CX_POINT_ID_ROOM];
    request.name = {cx_bytes_of("default"), cx_bytes_of("c")};
    request.at.point_id = cx_bytes_of("p");
    request.safety_point = true;
    fail_nth_begin(&fail, nth);
    cx_status status =
        cx_engine_restore(engine_, &request, &outcome, &snapshot, &changed, safety_id, &error);
    bool failed = fail_nth_end(&fail);
    cx_snapshot_done(&snapshot);
    if (!failed) {
      EXPECT_EQ(CX_OK, status) << error.message;
      break;
    }
    if (status == CX_OK) continue;
    failures++;
    ASSERT_EQ(CX_RESOURCE_EXHAUSTED, status) << nth << ": " << error.message;
    ASSERT_EQ(before, Digest()) << nth;
    ASSERT_LE(cx_memory_used(), used + 4096) << nth << ": only what caches keep";
  }
  EXPECT_GT(failures, 5);
  for (size_t nth = 1;; nth++) {
    uint64_t before = Digest();
    cx_merge_request request = {};
    cx_write_outcome outcome;
    cx_merge_result result = {};
    cx_error error;
    char safety_id[CX_POINT_ID_ROOM];
    request.source = {cx_bytes_of("default"), cx_bytes_of("f")};
    request.target = {cx_bytes_of("default"), cx_bytes_of("c")};
    request.on_conflict = CX_CONFLICT_TAKE_SOURCE;
    request.safety_point = true;
    fail_nth_begin(&fail, nth);
    cx_status status = cx_engine_merge(engine_, &request, &outcome, &result, safety_id, &error);
    bool failed = fail_nth_end(&fail);
    if (status == CX_OK) cx_merge_result_done(&result);
    if (!failed) {
      EXPECT_EQ(CX_OK, status) << error.message;
      break;
    }
    if (status == CX_OK) continue;
    ASSERT_EQ(CX_RESOURCE_EXHAUSTED, status) << nth << ": " << error.message;
    ASSERT_EQ(before, Digest()) << nth;
  }
  EXPECT_EQ("f", Get("c").entries["a"]);
  ReopenTheSame();
}

}  // namespace
