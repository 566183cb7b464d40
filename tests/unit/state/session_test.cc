// What session.h promises: names that never change, lists of activations and resources, and
// copies for those who look.

#include "tests/unit/state/tracker_fixture.h"

extern "C" {
#include "core/base/memory.h"
}

namespace {

class SessionTest : public TrackerFixture {
 protected:
  SessionTest() {
    create_.type = cx_bytes_of("chat");
    create_.parent_id = cx_bytes_of("above");
    create_.labels = &new_label_;
    create_.label_count = 1;
    create_.ttl_us = 17;
    create_.sliding = true;
    create_.create_parent = true;
  }

  // A request with something in every field.
  Start Full() {
    Start start = {};
    start.name = {cx_bytes_of("space"), cx_bytes_of("id")};
    start.owner = cx_bytes_of("owner");
    start.labels = labels_;
    start.label_count = 2;
    start.ttl_us = 5 * CX_SECOND_US;
    start.default_context_id = cx_bytes_of("home");
    start.create_if_missing = &create_;
    start.max_active_contexts = 7;
    return start;
  }

  // A digest of a session of its own.
  static uint64_t Mix(const Start &start, void (*change)(cx_session *) = nullptr) {
    cx_session *session = nullptr;
    EXPECT_EQ(CX_OK, cx_session_new(&start, &session));
    if (change != nullptr) change(session);
    uint64_t digest = cx_session_mix(0, session);
    session->resource_count = 0;
    cx_session_unref(session);
    return digest;
  }

  // A copy. The caller frees it.
  static cx_session_view *View(const cx_session *session) {
    auto *view = static_cast<cx_session_view *>(cx_alloc(cx_session_view_room(session)));
    cx_session_view_fill(session, view);
    return view;
  }

  // The names of a page of what is held of a context.
  List Page(const std::string &context, const char *prefix, const char *after, size_t count_max,
            bool *ret_more) {
    cx_resource_page page = {};
    cx_tracked_query query = {{cx_bytes_of("default"), Bytes(context)},
                              cx_bytes_of(prefix),
                              cx_bytes_of(after),
                              count_max};
    List names;
    page.resources = cx_tree_copy(&Tracked(context).resources);
    EXPECT_EQ(CX_OK, cx_resource_list(&query, &page));
    for (size_t i = 0; i < page.count; i++) names.push_back(Text(page.rows[i].name));
    *ret_more = page.more;
    cx_resource_page_done(&page);
    return names;
  }

  cx_label labels_[2] = {{cx_bytes_of("k"), cx_bytes_of("v")}, {cx_bytes_of("l"), {}}};
  cx_label new_label_ = {cx_bytes_of("m"), cx_bytes_of("w")};
  cx_new_context create_ = {};
};

TEST_F(SessionTest, HasWhatItWasStartedWithAndOwnsIt) {
  cx_session *session;
  {
    std::string owner = "owner", type = "chat", home = "home";
    Start start = Full();
    start.owner = Bytes(owner);
    start.default_context_id = Bytes(home);
    create_.type = Bytes(type);
    ASSERT_EQ(CX_OK, cx_session_new(&start, &session));
    owner = type = home = "gone!";
    new_label_.key = cx_bytes_of("gone");
  }
  EXPECT_EQ("space", Text(cx_session_namespace(session)));
  EXPECT_EQ("id", Text(cx_session_id(session)));
  EXPECT_EQ("owner", Text(cx_session_owner(session)));
  EXPECT_EQ(std::string("space\0id", 8), Text(cx_tree_item_key(&cx_session_class, &session->item)));
  EXPECT_EQ("home", Text(session->default_context_id));
  EXPECT_EQ(7u, session->max_active_contexts);
  EXPECT_EQ(5 * CX_SECOND_US, session->ttl_us);
  EXPECT_EQ(2u, cx_labels_list(session->labels).count);
  EXPECT_TRUE(session->may_create);
  EXPECT_EQ("chat", Text(session->new_context.type));
  EXPECT_EQ("above", Text(session->new_context.parent_id));
  ASSERT_EQ(1u, session->new_context.label_count);
  EXPECT_EQ("m", Text(session->new_context.labels[0].key));
  EXPECT_EQ(17, session->new_context.ttl_us);
  EXPECT_TRUE(session->new_context.sliding);
  EXPECT_TRUE(session->new_context.create_parent);
  cx_session_unref(session);
  cx_session_unref(nullptr);
}

TEST_F(SessionTest, MayHaveNothingButItsName) {
  Start start = {};
  cx_session *session;
  start.name = {cx_bytes_of("space"), cx_bytes_of("id")};
  ASSERT_EQ(CX_OK, cx_session_new(&start, &session));
  EXPECT_EQ("", Text(cx_session_owner(session)));
  EXPECT_EQ(0u, session->default_context_id.size);
  EXPECT_FALSE(session->may_create);
  EXPECT_EQ(nullptr, session->labels);
  cx_session_unref(session);
}

TEST_F(SessionTest, BeginsWithoutALeaseAndLapsesAtItsDeadline) {
  Start start = Full();
  cx_session *session;
  ASSERT_EQ(CX_OK, cx_session_new(&start, &session));
  EXPECT_EQ(0u, session->lease.place);
  EXPECT_FALSE(cx_session_has_lapsed(session, INT64_MAX - 1));
  session->deadline_us = 100;
  EXPECT_FALSE(cx_session_has_lapsed(session, 99));
  EXPECT_TRUE(cx_session_has_lapsed(session, 100));
  cx_session_unref(session);
}

TEST_F(SessionTest, IsNotMadeWithoutMemory) {
  Start start = Full();
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_session *session = nullptr;
    fail_nth_begin(&fail, nth);
    cx_status status = cx_session_new(&start, &session);
    bool failed = fail_nth_end(&fail);
    EXPECT_EQ(failed ? CX_RESOURCE_EXHAUSTED : CX_OK, status);
    EXPECT_EQ(failed, session == nullptr);
    cx_session_unref(session);
    if (!failed) break;
    EXPECT_LT(nth, 9u);
  }
}

TEST_F(SessionTest, SaysThatThereIsNoSuchSession) {
  EXPECT_EQ(CX_NOT_FOUND, cx_session_not_found(&error_, cx_bytes_of("id")));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
  EXPECT_EQ("id", detail("session_id"));
}

TEST_F(SessionTest, FindsTheActivationOfAContext) {
  for (const char *id : {"a", "b", "c"}) Create(id);
  Begin("s");
  Activate("s", "a");
  Activate("s", "b", Exclusive);
  EXPECT_EQ(Session("s")->activation_oldest, cx_session_find(Session("s"), Find("a")));
  EXPECT_EQ(Session("s")->activation_newest, cx_session_find(Session("s"), Find("b")));
  EXPECT_EQ(nullptr, cx_session_find(Session("s"), Find("c")));
}

TEST_F(SessionTest, KeepsTheListOfItsResourcesWhicheverIsGivenBack) {
  Create("a");
  Begin("s");
  for (const char *order : {"123", "132", "213", "231", "312", "321"}) {
    for (const char *name : {"1", "2", "3"}) Acquire("s", "a", name);
    for (const char *at = order; *at != '\0'; at++) {
      EXPECT_EQ(CX_PLAN_CHANGE, Release("s", "a", std::string(1, *at)));
      size_t count = 0;
      const cx_resource *previous = nullptr;
      const cx_resource *each = Session("s")->resource_newest;
      for (; each != nullptr; previous = each, each = each->next, count++) {
        EXPECT_EQ(previous, each->previous);
      }
      EXPECT_EQ(count, Session("s")->resource_count);
      EXPECT_EQ(count, Held("a").size());
    }
  }
}

TEST_F(SessionTest, ListsWhatIsHeldByNameInPages) {
  bool more;
  Create("a");
  Begin("s");
  for (const char *name : {"ba", "a", "bc", "b", "c", "bb"}) Acquire("s", "a", name);
  EXPECT_EQ((List{"a", "b", "ba", "bb", "bc", "c"}), Page("a", "", "", 10, &more));
  EXPECT_FALSE(more);
  EXPECT_EQ((List{"a", "b"}), Page("a", "", "", 2, &more));
  EXPECT_TRUE(more);
  EXPECT_EQ((List{"ba", "bb"}), Page("a", "", "b", 2, &more));
  EXPECT_TRUE(more);
  EXPECT_EQ((List{"b", "ba", "bb", "bc"}), Page("a", "b", "", 4, &more));
  EXPECT_FALSE(more) << "behind them is another prefix";
  EXPECT_EQ((List{"bc"}), Page("a", "b", "bb", 4, &more));
  EXPECT_EQ((List{"b", "ba"}), Page("a", "b", "a", 2, &more));
  EXPECT_EQ((List{"bc"}), Page("a", "b", "bbb", 4, &more)) << "what is gone is behind none";
  EXPECT_EQ(List{}, Page("a", "", "c", 4, &more));
  EXPECT_EQ(List{}, Page("none", "", "", 4, &more));
  EXPECT_FALSE(more);
}

TEST_F(SessionTest, APageShowsWhatWasHeldWhenItWasMade) {
  cx_resource_page page = {};
  cx_tracked_query query = {};
  query.count_max = 1;
  Create("a");
  Begin("s");
  Acquire("s", "a", "tool");
  page.resources = cx_tree_copy(&Tracked("a").resources);
  ASSERT_EQ(CX_OK, cx_resource_list(&query, &page));
  End("s");
  Delete("a", false, true);
  ASSERT_EQ(1u, page.count);
  EXPECT_EQ("tool", Text(page.rows[0].name));
  EXPECT_EQ("s", Text(page.rows[0].session_id));
  cx_resource_page_done(&page);
  cx_resource_page_done(&page);
}

TEST_F(SessionTest, APageCanBeReleasedWhenThereIsNoMemory) {
  struct fail_nth fail;
  cx_resource_page page = {};
  cx_tracked_query query = {};
  query.count_max = 1;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_resource_list(&query, &page));
  fail_nth_end(&fail);
  cx_resource_page_done(&page);
}

TEST_F(SessionTest, ACopyShowsItAsItWas) {
  Create("a");
  Create("b");
  plan_.now_us = 3000;
  Begin("s", [&](Start *start) {
    start->labels = labels_;
    start->label_count = 2;
  });
  uint64_t start_revision = revision_;
  plan_.now_us = 4000;
  Activate("s", "a", Exclusive);
  Activate("s", "b");
  cx_session_view *view = View(Session("s"));
  End("s");
  EXPECT_EQ("default", Text(view->namespace_id));
  EXPECT_EQ("s", Text(view->id));
  EXPECT_EQ("owner", Text(view->owner));
  ASSERT_EQ(2u, view->label_count);
  EXPECT_EQ("k", Text(view->labels[0].key));
  EXPECT_EQ("v", Text(view->labels[0].value));
  EXPECT_EQ(3000, view->create_time_us);
  EXPECT_EQ(start_revision, view->start_revision);
  ASSERT_EQ(2u, view->activation_count);
  EXPECT_EQ("a", Text(view->activations[0].context_id));
  EXPECT_EQ(1u, view->activations[0].fence);
  EXPECT_TRUE(view->activations[0].exclusive);
  EXPECT_EQ(4000, view->activations[0].time_us);
  EXPECT_EQ("b", Text(view->activations[1].context_id));
  EXPECT_FALSE(view->activations[1].exclusive);
  EXPECT_EQ("a", Text(view->current_context_id));
  cx_session_view_free(view);
}

TEST_F(SessionTest, HasNoCurrentContextWithoutAnActiveOne) {
  Begin("s");
  cx_session_view *view = View(Session("s"));
  EXPECT_EQ(0u, view->current_context_id.size);
  EXPECT_EQ(0u, view->activation_count);
  cx_session_view_free(view);
}

TEST_F(SessionTest, RoomThatWasMadeBeforeIsEnoughForOneMoreActivation) {
  const std::string longest(CX_CONTEXT_ID_SIZE_MAX, 'x');
  Create(longest);
  Begin("s");
  for (int i = 0; i < 2; i++) {
    size_t room = cx_session_view_room(Session("s"));
    if (i == 0) Activate("s", longest, Exclusive);
    auto *view = static_cast<cx_session_view *>(cx_alloc(room));
    cx_session_view_fill(Session("s"), view);  // The sanitizer watches.
    EXPECT_EQ(longest, Text(view->current_context_id));
    cx_session_view_free(view);
  }
}

TEST_F(SessionTest, TellsSessionsApartByTheirDigests) {
  std::vector<uint64_t> digests = {Mix(Full())};
  auto add = [&](const std::function<void(Start *)> &change) {
    Start start = Full();
    cx_new_context before = create_;
    change(&start);
    digests.push_back(Mix(start));
    create_ = before;
  };
  add([](Start *start) { start->name.id = cx_bytes_of("other"); });
  add([](Start *start) { start->name.namespace_id = cx_bytes_of("other"); });
  add([](Start *start) { start->owner = cx_bytes_of("other"); });
  add([](Start *start) { start->label_count = 1; });
  add([](Start *start) { start->ttl_us++; });
  add([](Start *start) { start->default_context_id = cx_bytes_of("other"); });
  add([](Start *start) { start->max_active_contexts++; });
  add([](Start *start) { start->create_if_missing = nullptr; });
  add([this](Start *) { create_.type = cx_bytes_of("other"); });
  add([this](Start *) { create_.parent_id = cx_bytes_of("other"); });
  add([this](Start *) { create_.label_count = 0; });
  add([this](Start *) { create_.ttl_us++; });
  add([this](Start *) { create_.sliding = false; });
  add([this](Start *) { create_.create_parent = false; });
  digests.push_back(Mix(Full(), [](cx_session *session) { session->create_time_us++; }));
  digests.push_back(Mix(Full(), [](cx_session *session) { session->start_revision++; }));
  digests.push_back(Mix(Full(), [](cx_session *session) { session->revision++; }));
  digests.push_back(Mix(Full(), [](cx_session *session) { session->resource_count++; }));
  for (size_t i = 0; i < digests.size(); i++) {
    for (size_t j = 0; j < i; j++) EXPECT_NE(digests[i], digests[j]) << i << " and " << j;
  }
}

TEST_F(SessionTest, CountsActivationsAndTheCurrentOneButNoLeaseInItsDigest) {
  for (const char *id : {"a", "b"}) Create(id);
  Begin("s");
  uint64_t none = cx_session_mix(0, Session("s"));
  Session("s")->deadline_us = 12345;
  EXPECT_EQ(none, cx_session_mix(0, Session("s")));
  Activate("s", "a");
  Activate("s", "b");
  cx_session *session = Session("s");
  uint64_t digest = cx_session_mix(0, session);
  EXPECT_NE(none, digest);
  session->current = session->activation_newest;
  EXPECT_NE(digest, cx_session_mix(0, session));
  session->current = session->activation_oldest;
  EXPECT_EQ(digest, cx_session_mix(0, session));
}

}  // namespace
