// contextd.v1.Recovery: registered whole, and refused method by method.

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

TEST_F(RecoveryTest, SaysOfEachThatItIsNotSupported) {
  for (size_t i = 0; i < service_->method_count; i++) {
    std::string name = service_->methods[i].name;
    cx_call call(*service_, name, &app_);
    call.Begin("");
    EXPECT_EQ("NOT_SUPPORTED field=" + name, Outcome(call));
    EXPECT_EQ("Recovery." + name + " is not supported by this server",
              std::string(call.error.message));
  }
}

TEST_F(RecoveryTest, EndsStreamsWhoseClientLeaves) {
  for (size_t i = 0; i < service_->method_count; i++) {
    if (service_->methods[i].left == nullptr) continue;
    cx_call sending(*service_, service_->methods[i].name, &app_);
    service_->methods[i].sent(&sending);
    EXPECT_TRUE(sending.ended());
    cx_call leaving(*service_, service_->methods[i].name, &app_);
    leaving.Leave();
    EXPECT_TRUE(leaving.ended());
  }
}

}  // namespace
