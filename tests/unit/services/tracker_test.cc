// contextd.v1.Tracker: registered whole, and refused method by method.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "contextd/v1/tracker.pb-c.h"
}

namespace {

class TrackerTest : public ServiceFixture {
 protected:
  TrackerTest() { service_ = &cx_tracker_service; }
};

TEST_F(TrackerTest, HasARowForEachMethodOfTheApi) {
  const ProtobufCServiceDescriptor *declared = &contextd__v1__tracker__descriptor;
  ASSERT_EQ(declared->n_methods, service_->method_count);
  for (unsigned i = 0; i < declared->n_methods; i++) {
    EXPECT_STREQ(declared->methods[i].name, service_->methods[i].name);
  }
}

TEST_F(TrackerTest, SaysOfEachThatItIsNotSupported) {
  for (size_t i = 0; i < service_->method_count; i++) {
    std::string name = service_->methods[i].name;
    cx_call call(*service_, name, &app_);
    call.Begin("");
    EXPECT_EQ("NOT_SUPPORTED field=" + name, Outcome(call));
    EXPECT_EQ("Tracker." + name + " is not supported by this server",
              std::string(call.error.message));
  }
}

TEST_F(TrackerTest, EndsStreamsWhoseClientLeaves) {
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
