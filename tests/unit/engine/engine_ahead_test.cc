// What engine.h promises of looking ahead: it changes nothing and need not come true.

#include "tests/support/engine_fixture.h"

namespace {

class EngineAheadTest : public EngineFixture {
 protected:
  void SetUp() override { ASSERT_EQ(CX_OK, Open()) << open_error_.message; }

  void Foresee(const std::string &id, const std::string &namespace_id = "default") {
    cx_context_name name = {Bytes(namespace_id), Bytes(id)};
    cx_engine_foresee(engine_, &foresight_, &name, cx_bytes_of("k"));
  }

  cx_foresight foresight_ = {};
};

TEST_F(EngineAheadTest, ChangesNothing) {
  for (int i = 0; i < 50; i++) {
    Upsert("c" + std::to_string(i % 5), Mutations().Put("k", std::to_string(i)));
  }
  uint64_t before = Digest();
  for (int i = 0; i < 100; i++) Foresee("c" + std::to_string(i % 7));
  EXPECT_EQ(before, Digest());
}

TEST_F(EngineAheadTest, NeedNotComeTrue) {
  for (int i = 0; i < 100; i++) {
    std::string id = "c" + std::to_string(i % 3);
    Foresee(id);
    Outcome outcome = i % 10 < 8 ? Upsert(id, Mutations().Put("k", "v")) : Delete(id);
    EXPECT_EQ(CX_OK, outcome.status) << outcome.error.message;
  }
}

TEST_F(EngineAheadTest, TakesWhatIsNoName) {
  Foresee("");
  Foresee("c", "");
  Foresee(std::string(100000, 'x'));
  Foresee("c", std::string(100000, 'x'));
  for (int i = 0; i < 2 * CX_FORESIGHT; i++) cx_engine_foresee(engine_, &foresight_, nullptr, {});
}

}  // namespace
