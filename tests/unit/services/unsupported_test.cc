// What this server does not have: what resources.proto says about it.

#include "tests/unit/services/service_fixture.h"

namespace {

class UnsupportedTest : public ServiceFixture {};

TEST_F(UnsupportedTest, RefusesAMethodByItsName) {
  service_ = &cx_recovery_service;
  Call call = Begin("VerifyStorage");
  EXPECT_EQ("NOT_SUPPORTED field=VerifyStorage", Outcome(*call));
  EXPECT_STREQ("Recovery.VerifyStorage is not supported by this server", call->error.message);
}

}  // namespace
