// The form of reads. The rules are those at the head of resources.proto and at its
// fields.

#include "tests/unit/services/service_fixture.h"

namespace {

class ConvertReadTest : public ServiceFixture {
 protected:
  struct Row {
    std::string request;
    std::string error;
  };

  void ExpectErrors(const std::string &method, const std::vector<Row> &rows) {
    for (const Row &row : rows) EXPECT_EQ(row.error, Ask(method, row.request)) << row.request;
  }
};

TEST_F(ConvertReadTest, ChecksWhichStateIsMeant) {
  ExpectErrors("GetContext",
               {{"", "INVALID_FIELD field=state rule=must be set"},
                {"state {}", "INVALID_FIELD field=state.context_id rule=must not be empty"},
                {"state { context_id: 'a' namespace: '*' }",
                 "INVALID_FIELD field=state.namespace rule=must begin with one of a-z 0-9"},
                {"state { context_id: 'a' recovery_point_id: '" + std::string(129, 'p') + "' }",
                 "INVALID_FIELD field=state.recovery_point_id rule=must have at most 128 bytes"},
                {"state { context_id: 'a' recovery_point_id: 'p\\n' }",
                 "INVALID_FIELD field=state.recovery_point_id rule=must not contain control "
                 "characters"}});
}

TEST_F(ConvertReadTest, TakesTheEmptyPointForTheNewestState) {
  Put("a", "k", "1");
  EXPECT_EQ(
      0u, Ask("GetContext", "state { context_id: 'a' recovery_point_id: '' }").find("context { "));
}

TEST_F(ConvertReadTest, ChecksTimes) {
  for (const char *time : {"nanos: -1", "nanos: 1000000000", "seconds: 253402300800",
                           "seconds: -62135596801", "seconds: 9223372036854775807"}) {
    EXPECT_EQ("INVALID_FIELD field=state.time rule=must be a valid timestamp",
              Ask("GetContext", std::string("state { context_id: 'a' time { ") + time + " } }"));
  }
  EXPECT_EQ("CONTEXT_NOT_FOUND",
            Ask("GetContext", "state { context_id: 'a' time { seconds: 253402300799 } }"));
}

TEST_F(ConvertReadTest, ChecksViews) {
  std::string view("\x10\x63", 2);  // view: 99
  cx_call call(*service_, "GetContext", &app_);
  call.Begin(TextEncode("GetContextRequest", "state { context_id: 'a' }") + view);
  EXPECT_EQ("INVALID_FIELD field=view rule=must be a known value", Outcome(call));
}

TEST_F(ConvertReadTest, ChecksKeys) {
  ExpectErrors("GetContext",
               {{"state { context_id: 'a' } keys: 'k' keys: ''",
                 "INVALID_FIELD field=keys[1] rule=must not be empty"},
                {"state { context_id: 'a' } keys: '" + std::string(513, 'k') + "'",
                 "INVALID_FIELD field=keys[0] rule=must have at most 512 bytes"},
                {"state { context_id: 'a' } key_prefix: '" + std::string(513, 'k') + "'",
                 "INVALID_FIELD field=key_prefix rule=must have at most 512 bytes"}});
}

TEST_F(ConvertReadTest, TakesUpToTenThousandKeys) {
  std::string request = "state { context_id: 'a' }";
  for (int i = 0; i < 10000; i++) request += " keys: 'k'";
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("GetContext", request));
  EXPECT_EQ("INVALID_FIELD field=keys rule=must have at most 10000 elements",
            Ask("GetContext", request + " keys: 'k'"));
}

TEST_F(ConvertReadTest, ChecksTheFiltersOfLists) {
  std::string labels;
  for (int i = 0; i < 65; i++) labels += " metadata { key: 'k" + std::to_string(i) + "' }";
  ExpectErrors(
      "ListContexts",
      {{"namespace: '*'", "INVALID_FIELD field=namespace rule=must begin with one of a-z 0-9"},
       {"id_prefix: '" + std::string(257, 'i') + "'",
        "INVALID_FIELD field=id_prefix rule=must have at most 256 bytes"},
       {"type: '\\001'", "INVALID_FIELD field=type rule=must not contain control characters"},
       {"parent_id: '" + std::string(257, 'i') + "'",
        "INVALID_FIELD field=parent_id rule=must have at most 256 bytes"},
       {labels, "INVALID_FIELD field=metadata rule=must have at most 64 elements"},
       {"metadata { key: '' }", "INVALID_FIELD field=metadata.key rule=must not be empty"}});
}

TEST_F(ConvertReadTest, TakesPagesOf1To1000And0For100) {
  ExpectErrors(
      "ListContexts",
      {{"page_size: -1", "INVALID_FIELD field=page_size rule=must be 1 to 1000, or 0 for 100"},
       {"page_size: 1001", "INVALID_FIELD field=page_size rule=must be 1 to 1000, or 0 for 100"}});
  EXPECT_EQ(0u, Ask("ListContexts", "page_size: 1000").find("cursor"));
}

}  // namespace
