// The form of requests about sessions: the rules of tracker.proto and resources.proto.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ConvertSessionTest : public TrackerFixture {
 protected:
  // A request of the method that is right but for what follows.
  static std::string Right(const std::string &method) {
    std::string request = On("s", "a");
    return method.find("Resource") == method.npos ? request : request + "name: 'r' ";
  }
};

TEST_F(ConvertSessionTest, TakesTimesToLiveFrom1SecondTo24Hours) {
  auto start = [&](const std::string &ttl) { return Ask("StartSession", "ttl { " + ttl + " }"); };
  Has(start("seconds: 1"), "session {");
  Has(start("seconds: 86400"), "session {");
  for (const char *ttl : {"", "seconds: -1", "nanos: 999999000", "seconds: -9223372036854775808"}) {
    EXPECT_EQ(Invalid("ttl", "must be at least 1 seconds"), start(ttl)) << ttl;
  }
  for (const char *ttl : {"seconds: 86400 nanos: 1", "seconds: 9223372036854775807"}) {
    EXPECT_EQ(Invalid("ttl", "must be at most 86400 seconds"), start(ttl)) << ttl;
  }
  EXPECT_EQ(Invalid("ttl", "must be a valid duration"), start("seconds: 1 nanos: -1"));
}

TEST_F(ConvertSessionTest, TakesUpTo1000ActiveContexts) {
  Has(Ask("StartSession", "max_active_contexts: 1000"), "session {");
  EXPECT_EQ(Invalid("max_active_contexts", "must be 1 to 1000, or 0 for 5"),
            Ask("StartSession", "max_active_contexts: 1001"));
}

TEST_F(ConvertSessionTest, ChecksWhatASessionIsLike) {
  Has(Ask("StartSession", "owner: '" + std::string(256, 'o') + "'"), "session {");
  EXPECT_EQ(Invalid("owner", "must have at most 256 bytes"),
            Ask("StartSession", "owner: '" + std::string(257, 'o') + "'"));
  EXPECT_EQ(Invalid("metadata.key", "must not be empty"),
            Ask("StartSession", "metadata { key: '' value: 'v' }"));
  EXPECT_EQ(Invalid("default_context_id", "must have at most 256 bytes"),
            Ask("StartSession", "default_context_id: '" + std::string(257, 'c') + "'"));
  EXPECT_EQ(Invalid("create_if_missing.type", "must have at most 64 bytes"),
            Ask("StartSession", "create_if_missing { type: '" + std::string(65, 't') + "' }"));
  EXPECT_EQ(Invalid("create_if_missing.recovery_policy.retention", "must have at least one rule"),
            Ask("StartSession", "create_if_missing { recovery_policy { retention {} } }"));
  EXPECT_EQ(Invalid("create_if_missing.parent_id", "must not be the context itself"),
            Ask("StartSession", "default_context_id: 'a' create_if_missing { parent_id: 'a' }"));
  Has(Ask("StartSession", "namespace: 'UPPER'"), "INVALID_FIELD field=namespace");
}

TEST_F(ConvertSessionTest, TakesNoFenceWhereNoContextIsChanged) {
  const std::string rule = "must be 0: this call changes no existing context";
  EXPECT_EQ(Invalid("write.fence", rule), Ask("StartSession", "write { fence: 1 }"));
  EXPECT_EQ(Invalid("write.fence", rule), Ask("EndSession", "session_id: 's' write { fence: 1 }"));
}

TEST_F(ConvertSessionTest, TakesNoSessionThatStartsOne) {
  EXPECT_EQ(Invalid("write.session_id", "must be empty: the session begins with this call"),
            Ask("StartSession", "write { session_id: 's' }"));
}

TEST_F(ConvertSessionTest, NeedsASessionId) {
  for (const char *method : {"RenewSession", "EndSession", "GetSession"}) {
    EXPECT_EQ(Invalid("session_id", "must not be empty"), Ask(method)) << method;
    EXPECT_EQ(Invalid("session_id", "must have at most 256 bytes"),
              Ask(method, "session_id: '" + std::string(257, 's') + "'"));
    Has(Ask(method, "namespace: '_' session_id: 's'"), "INVALID_FIELD field=namespace");
  }
  for (const char *method : {"ActivateContext", "SwitchContext", "DeactivateContext",
                             "AcquireResource", "ReleaseResource"}) {
    EXPECT_EQ(Invalid("context_id", "must not be empty"), Ask(method)) << method;
    EXPECT_EQ(Invalid("session_id", "must not be empty"), Ask(method, "context_id: 'a'"));
    EXPECT_EQ("SESSION_NOT_FOUND session_id=s", Ask(method, Right(method)));
  }
}

TEST_F(ConvertSessionTest, TakesTheSameSessionForTheWriterAndNoOther) {
  for (const char *method : {"EndSession", "ActivateContext", "SwitchContext", "DeactivateContext",
                             "AcquireResource", "ReleaseResource"}) {
    std::string request = std::string(method) == "EndSession" ? "session_id: 's' " : Right(method);
    EXPECT_EQ(Invalid("write.session_id", "must be empty, or the session_id of the request"),
              Ask(method, request + "write { session_id: 't' }"))
        << method;
    EXPECT_EQ(std::string::npos,
              Ask(method, request + "write { session_id: 's' }").find("INVALID_FIELD"))
        << method;
  }
}

TEST_F(ConvertSessionTest, TakesOverAndGuardsOnlyWhatIsExclusive) {
  for (const char *field : {"takeover", "guard"}) {
    EXPECT_EQ(Invalid(field, "must not be set without `exclusive`"),
              Activate("s", "a", std::string(field) + ": true"));
    EXPECT_EQ("SESSION_NOT_FOUND session_id=s",
              Activate("s", "a", std::string(field) + ": true exclusive: true"));
  }
}

TEST_F(ConvertSessionTest, ChecksTheNamesOfResources) {
  auto acquire = [&](const std::string &more) {
    return Ask("AcquireResource", On("s", "a", more));
  };
  EXPECT_EQ(Invalid("name", "must not be empty"), acquire(""));
  EXPECT_EQ(Invalid("name", "must have at most 256 bytes"),
            acquire("name: '" + std::string(257, 'n') + "'"));
  EXPECT_EQ(Invalid("type", "must have at most 64 bytes"),
            acquire("name: 'n' type: '" + std::string(65, 't') + "'"));
  EXPECT_EQ(Invalid("metadata.key", "must not be empty"), acquire("name: 'n' metadata {}"));
  EXPECT_EQ(Invalid("name", "must not be empty"), Ask("ReleaseResource", On("s", "a")));
}

TEST_F(ConvertSessionTest, ChecksTheFiltersOfAList) {
  EXPECT_EQ(Invalid("owner", "must have at most 256 bytes"),
            Ask("ListSessions", "owner: '" + std::string(257, 'o') + "'"));
  EXPECT_EQ(Invalid("page_size", "must be 1 to 1000, or 0 for 100"),
            Ask("ListSessions", "page_size: -1"));
  Has(Ask("ListSessions", "namespace: '_'"), "INVALID_FIELD field=namespace");
}

}  // namespace
