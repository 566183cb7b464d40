// What tracked.h promises: activations in the lists of both sides, what follows the current
// one, and what a digest tells apart.

#include "tests/unit/state/tracker_fixture.h"

extern "C" {
#include "core/base/memory.h"
}

namespace {

// Contexts and sessions that no change made.
class TrackedTest : public TrackerFixture {
 protected:
  TrackedTest() {
    cx_namespace *totals;
    EXPECT_EQ(CX_OK, cx_namespaces_get(&state_.namespaces, cx_bytes_of("n"), &totals));
    for (cx_context *&context : contexts_) {
      std::string id(1, static_cast<char>('a' + (&context - contexts_)));
      EXPECT_EQ(CX_OK, cx_context_new(totals, cx_bytes_of("n"), Bytes(id), {}, {}, &context));
      EXPECT_NE(nullptr, cx_context_tracked(context));
    }
    cx_namespace_unref(totals);
    Start start = {};
    start.name = {cx_bytes_of("n"), cx_bytes_of("s")};
    start.default_context_id = cx_bytes_of("b");
    EXPECT_EQ(CX_OK, cx_session_new(&start, &sessions_[0]));
    start.name.id = cx_bytes_of("t");
    start.default_context_id = {};
    EXPECT_EQ(CX_OK, cx_session_new(&start, &sessions_[1]));
  }
  ~TrackedTest() override {
    for (cx_session *session : sessions_) {
      while (session->activation_newest != nullptr) EndOne(session->activation_newest);
      cx_session_unref(session);
    }
    for (cx_context *context : contexts_) cx_context_unref(context);
  }

  cx_activation *BeginOne(int session, char context, uint64_t fence = 0) {
    auto *activation = static_cast<cx_activation *>(cx_calloc(sizeof(cx_activation)));
    activation->session = sessions_[session];
    activation->context = contexts_[context - 'a'];
    activation->fence = fence;
    cx_activation_begin(activation->context->tracked, activation);
    return activation;
  }

  static void EndOne(cx_activation *activation) {
    cx_activation_end(activation->context->tracked, activation);
  }

  // The contexts of a session and its current one, as letters; both lists lead both ways.
  std::string Shown(int session) {
    std::string there, back;
    const cx_session *found = sessions_[session];
    for (auto *each = found->activation_oldest; each != nullptr; each = each->session_next) {
      there += Text(cx_context_id(each->context));
    }
    for (auto *each = found->activation_newest; each != nullptr; each = each->session_previous) {
      back = Text(cx_context_id(each->context)) + back;
    }
    EXPECT_EQ(there, back);
    EXPECT_EQ(there.size(), found->activation_count);
    if (found->current == nullptr) return there;
    return there + ">" + Text(cx_context_id(found->current->context));
  }

  // The sessions of a context, and which has it exclusively with which fence.
  std::string Who(char context) {
    std::string there, back;
    const cx_tracked *tracked = contexts_[context - 'a']->tracked;
    for (auto *each = tracked->activation_oldest; each != nullptr; each = each->context_next) {
      there += Text(cx_session_id(each->session));
    }
    for (auto *each = tracked->activation_newest; each != nullptr; each = each->context_previous) {
      back = Text(cx_session_id(each->session)) + back;
    }
    EXPECT_EQ(there, back);
    EXPECT_EQ(there.size(), tracked->activation_count);
    if (tracked->exclusive == nullptr) return there;
    EXPECT_EQ(tracked->fence, tracked->exclusive->fence);
    return there + "!" + Text(cx_session_id(tracked->exclusive->session));
  }

  cx_context *contexts_[4] = {};
  cx_session *sessions_[2] = {};
};

TEST_F(TrackedTest, BeginsActivationsInBothListsAndTheFirstIsTheCurrentOne) {
  BeginOne(0, 'a');
  BeginOne(0, 'b');
  BeginOne(1, 'a');
  EXPECT_EQ("ab>a", Shown(0));
  EXPECT_EQ("a>a", Shown(1));
  EXPECT_EQ("st", Who('a'));
  EXPECT_EQ("s", Who('b'));
}

TEST_F(TrackedTest, AnActivationTakesThePlaceOfTheOneBeforeIt) {
  BeginOne(0, 'a', 1);
  BeginOne(1, 'a');
  BeginOne(0, 'b');
  BeginOne(0, 'a', 2);
  EXPECT_EQ("ba>a", Shown(0)) << "it is the newest, and still the current one";
  EXPECT_EQ("ts!s", Who('a'));
  EXPECT_EQ(2u, contexts_[0]->tracked->fence);
  BeginOne(0, 'a');
  EXPECT_EQ("ts", Who('a')) << "nobody has it exclusively any more,";
  EXPECT_EQ(2u, contexts_[0]->tracked->fence) << "and the fence never goes back";
  EXPECT_EQ("ba>a", Shown(0));
}

TEST_F(TrackedTest, EndsWhicheverOfTheActivations) {
  for (const char *order : {"abc", "acb", "bac", "bca", "cab", "cba"}) {
    cx_activation *activations[3];
    for (char id : {'a', 'b', 'c'}) activations[id - 'a'] = BeginOne(1, id, 1);
    std::string left = "abc";
    for (const char *at = order; *at != '\0'; at++) {
      EndOne(activations[*at - 'a']);
      left.erase(left.find(*at), 1);
      EXPECT_EQ(left, Shown(1).substr(0, left.size()));
      EXPECT_EQ("", Who(*at));
    }
    EXPECT_EQ("", Shown(1));
  }
}

TEST_F(TrackedTest, EndsWhicheverOfTheSessionsOfAContext) {
  for (int first : {0, 1}) {
    cx_activation *activations[2] = {BeginOne(0, 'a'), BeginOne(1, 'a', 1)};
    EndOne(activations[first]);
    EXPECT_EQ(first == 0 ? "t!t" : "s", Who('a'));
    EndOne(activations[1 - first]);
    EXPECT_EQ("", Who('a'));
  }
}

TEST_F(TrackedTest, TheDefaultContextFollowsTheCurrentOneIfItIsActive) {
  cx_activation *a = BeginOne(0, 'a');
  cx_activation *b = BeginOne(0, 'b');
  BeginOne(0, 'c');
  EndOne(a);
  EXPECT_EQ("bc>b", Shown(0));
  EndOne(b);
  EXPECT_EQ("c>c", Shown(0)) << "else the newest";
}

TEST_F(TrackedTest, TheNewestFollowsTheCurrentOneWithoutADefaultContext) {
  cx_activation *a = BeginOne(1, 'a');
  cx_activation *b = BeginOne(1, 'b');
  BeginOne(1, 'c');
  EndOne(b);
  EXPECT_EQ("ac>a", Shown(1)) << "another one's end does not matter";
  EndOne(a);
  EXPECT_EQ("c>c", Shown(1));
}

TEST_F(TrackedTest, AreFreedWithAllThatTheyKnowButWhatIsHeld) {
  cx_tracked *tracked = cx_tracked_new();
  ASSERT_NE(nullptr, tracked);
  EXPECT_EQ(cx_tracked_mix(0, nullptr), cx_tracked_mix(0, tracked)) << "nothing yet";
  cx_tracked_free(tracked);
  cx_tracked_free(nullptr);
  struct fail_nth fail;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(nullptr, cx_tracked_new());
  fail_nth_end(&fail);
}

TEST_F(TrackedTest, FenceAndSequenceStayWhenTheStatesAreDropped) {
  Create("x");
  Begin("y");
  Activate("y", "x", Exclusive);
  Acquire("y", "x", "tool");
  Record("x", Activity().File("path", "read"));
  cx_tracked *bare = cx_tracked_bare(Find("x")->tracked);
  ASSERT_NE(nullptr, bare);
  EXPECT_EQ(1u, bare->fence);
  EXPECT_EQ(2u, bare->last_sequence);
  bare->fence = bare->last_sequence = 0;
  EXPECT_EQ(cx_tracked_mix(0, nullptr), cx_tracked_mix(0, bare)) << "and nothing else";
  cx_tracked_free(bare);
  struct fail_nth fail;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(nullptr, cx_tracked_bare(Find("x")->tracked));
  fail_nth_end(&fail);
}

TEST_F(TrackedTest, TellsWhatItKnowsApartByTheDigest) {
  std::vector<uint64_t> digests;
  cx_tracked *tracked = contexts_[0]->tracked;
  auto note = [&] { digests.push_back(cx_tracked_mix(0, tracked)); };
  note();
  cx_activation *shared = BeginOne(0, 'a');
  note();
  shared->time_us++;
  note();
  BeginOne(1, 'a');
  note();
  BeginOne(0, 'a');
  note();  // In another order.
  cx_activation *exclusive = BeginOne(0, 'a', 1);
  note();
  exclusive->guard = true;
  note();
  for (uint64_t *number : {&tracked->fence, &tracked->last_sequence, &tracked->history_count,
                           &tracked->history_bytes, &tracked->history_revision}) {
    ++*number;
    note();
  }
  tracked->usage_count++;
  note();
  for (size_t i = 0; i < digests.size(); i++) {
    for (size_t j = 0; j < i; j++) EXPECT_NE(digests[i], digests[j]) << i << " and " << j;
  }
}

TEST_F(TrackedTest, CountsEveryTreeInTheDigest) {
  Create("x");
  Begin("y");
  WriteTo("x",
          Mutations().Record(Activity().File("path", "read")).Record(Activity().Model("m", 1, 1)));
  Acquire("y", "x", "tool");
  cx_tracked *tracked = Find("x")->tracked;
  uint64_t digest = cx_tracked_mix(0, tracked);
  for (cx_tree cx_tracked::*tree :
       {&cx_tracked::history, &cx_tracked::files, &cx_tracked::usage, &cx_tracked::resources}) {
    cx_tree kept = tracked->*tree;
    ASSERT_NE(nullptr, kept.root);
    tracked->*tree = {};
    EXPECT_NE(digest, cx_tracked_mix(0, tracked));
    tracked->*tree = kept;
  }
  EXPECT_EQ(digest, cx_tracked_mix(0, tracked));
}

}  // namespace
