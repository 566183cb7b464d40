// contextd.v1.Recovery: registered whole, with two methods that are refused.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "contextd/v1/recovery.pb-c.h"
}

namespace {

class RecoveryTest : public ServiceFixture {
 protected:
  RecoveryTest() { service_ = &cx_recovery_service; }
};

TEST_F(RecoveryTest, HasARowForEachMethodOfTheApi) {
  const ProtobufCServiceDescriptor *declared = &contextd__v1__recovery__descriptor;
  ASSERT_EQ(declared->n_methods, service_->method_count);
  for (unsigned i = 0; i < declared->n_methods; i++) {
    EXPECT_STREQ(declared->methods[i].name, service_->methods[i].name);
  }
}

TEST_F(RecoveryTest, SaysOfBackupsThatTheyAreNotSupported) {
  for (const std::string name : {"Backup", "VerifyStorage"}) {
    Call call = Begin(name);
    EXPECT_EQ("NOT_SUPPORTED field=" + name, Outcome(*call));
    EXPECT_EQ("Recovery." + name + " is not supported by this server",
              std::string(call->error.message));
  }
}

TEST_F(RecoveryTest, ChecksTheFormOfEachOther) {
  for (size_t i = 0; i < service_->method_count; i++) {
    std::string name = service_->methods[i].name;
    if (name == "Backup" || name == "VerifyStorage" || name == "ListRecoveryPoints") continue;
    Call call = Begin(name);
    EXPECT_EQ(0u, Outcome(*call).find("INVALID_FIELD")) << name;
  }
}

TEST_F(RecoveryTest, EndsRefusedStreamsWhoseClientLeaves) {
  for (const std::string name : {"Backup", "VerifyStorage"}) {
    const cx_method *method = nullptr;
    for (size_t i = 0; i < service_->method_count; i++) {
      if (name == service_->methods[i].name) method = &service_->methods[i];
    }
    ASSERT_NE(nullptr, method);
    cx_call sending(*service_, name, &app_);
    method->sent(&sending);
    EXPECT_TRUE(sending.ended());
    cx_call leaving(*service_, name, &app_);
    leaving.Leave();
    EXPECT_TRUE(leaving.ended());
  }
}

}  // namespace
