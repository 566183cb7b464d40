// The table of contextd.v1.ContextManager.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "contextd/v1/context_manager.pb-c.h"
}

namespace {

TEST(ContextManagerTest, HasARowForEachMethodOfTheApi) {
  const ProtobufCServiceDescriptor *declared = &contextd__v1__context_manager__descriptor;
  const cx_service &service = cx_context_manager_service;
  EXPECT_EQ(declared, service.descriptor);
  ASSERT_EQ(declared->n_methods, service.method_count);
  for (unsigned i = 0; i < declared->n_methods; i++) {
    EXPECT_STREQ(declared->methods[i].name, service.methods[i].name);
  }
}

TEST(ContextManagerTest, GivesStreamsTheirFunctionsAndOnlyThem) {
  for (size_t i = 0; i < cx_context_manager_service.method_count; i++) {
    const cx_method &method = cx_context_manager_service.methods[i];
    bool streams = method.kind != CX_METHOD_UNARY;
    SCOPED_TRACE(method.name);
    EXPECT_NE(nullptr, method.handle);
    EXPECT_EQ(streams, method.sent != nullptr);
    EXPECT_EQ(streams, method.left != nullptr);
    EXPECT_EQ(method.kind == CX_METHOD_BIDI_STREAM, method.received != nullptr);
  }
}

}  // namespace
