// What hint.h promises: no step changes anything, whatever it is about.

extern "C" {
#include "core/state/hint.h"
}

#include "tests/unit/state/state_fixture.h"

namespace {

class HintTest : public StateFixture {
 protected:
  void TakeAllSteps(uint64_t hash, const std::string &key) {
    cx_hint hint = {hash, Bytes(key)};
    cx_hint_place(&state_, &hint);
    cx_hint_context(&state_, &hint);
    cx_hint_parts(&state_, &hint);
    cx_hint_entry(&state_, &hint);
  }
};

TEST_F(HintTest, IsFineInAStateWithoutContexts) {
  TakeAllSteps(0, "");
  TakeAllSteps(UINT64_MAX, "key");
}

TEST_F(HintTest, ChangesNothingWhateverItIsAbout) {
  Create("empty");
  Create("large");
  for (int i = 0; i < 200; i++) Update("large", Mutations().Put("key" + std::to_string(i), "v"));
  Create("deleted", {}, Mutations().Put("key", "v"));
  Delete("deleted");
  Create("purged", {}, Mutations().Put("key", "v"));
  Delete("purged", false, true);
  uint64_t before = cx_state_digest(&state_);
  for (const char *id : {"empty", "large", "deleted", "purged", "missing"}) {
    for (const char *key : {"", "key", "key1", "key199", "zzz"}) {
      TakeAllSteps(NameKey(id).hash, key);
    }
  }
  EXPECT_EQ(before, cx_state_digest(&state_));
}

}  // namespace
