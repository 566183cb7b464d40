// What a request asks for, as a number: equal for the same request, and part of the log,
// so that it stays the same over releases.

#include "tests/unit/state/activity_fixture.h"
#include "tests/unit/state/state_fixture.h"

namespace {

struct Request {
  Mutations mutations = Mutations().Put("k", "v", "text/plain");
  cx_precondition precondition = {CX_PRECONDITION_ENTRY_VERSION, cx_bytes_of("k"), 3};
  cx_label label = {cx_bytes_of("team"), cx_bytes_of("red")};
  cx_new_context create = {};
  cx_update_request update = {};

  Request() {
    create.labels = &label;
    create.label_count = 1;
    update.name = {cx_bytes_of("default"), cx_bytes_of("a")};
    update.precondition_count = 1;
  }

  uint64_t Hash() {
    update.mutations = mutations.list().data();
    update.mutation_count = mutations.list().size();
    update.preconditions = &precondition;
    update.create_if_missing = &create;
    return cx_update_request_hash(&update, 1);
  }
};

TEST(RequestHashTest, IsTheSameForTheSameRequest) { EXPECT_EQ(Request().Hash(), Request().Hash()); }

TEST(RequestHashTest, LeavesTheRequestIdOut) {
  Request request;
  request.update.request_id = cx_bytes_of("an id");
  EXPECT_EQ(Request().Hash(), request.Hash());
}

TEST(RequestHashTest, DiffersWhereverTheRequestsDiffer) {
  std::vector<uint64_t> hashes = {Request().Hash()};
  auto add = [&](void (*change)(Request *)) {
    Request request;
    change(&request);
    hashes.push_back(request.Hash());
  };
  add([](Request *r) { r->update.name.id = cx_bytes_of("b"); });
  add([](Request *r) { r->update.name.namespace_id = cx_bytes_of("other"); });
  add([](Request *r) { r->mutations.Delete("x"); });
  add([](Request *r) { r->mutations = Mutations().Put("k", "w", "text/plain"); });
  add([](Request *r) { r->mutations = Mutations().Put("kv", "", "text/plain"); });
  add([](Request *r) { r->mutations = Mutations().Put("k", "v", ""); });
  add([](Request *r) { r->mutations = Mutations().Append("k", "v"); });
  add([](Request *r) { r->mutations = Mutations().AppendAt("k", "v", 0); });
  add([](Request *r) { r->precondition.version = 4; });
  add([](Request *r) { r->precondition.kind = CX_PRECONDITION_CONTEXT_VERSION; });
  add([](Request *r) { r->update.precondition_count = 0; });
  add([](Request *r) { r->create.ttl_us = 1; });
  add([](Request *r) { r->create.sliding = true; });
  add([](Request *r) { r->create.type = cx_bytes_of("chat"); });
  add([](Request *r) { r->create.parent_id = cx_bytes_of("p"); });
  add([](Request *r) { r->create.create_parent = true; });
  add([](Request *r) { r->label.value = cx_bytes_of("blue"); });
  for (size_t i = 0; i < hashes.size(); i++) {
    for (size_t j = 0; j < i; j++) EXPECT_NE(hashes[i], hashes[j]) << i << " and " << j;
  }
}

TEST(RequestHashTest, TellsTheKindsOfRequestsApart) {
  cx_create_request create = {};
  cx_update_request update = {};
  cx_delete_request remove = {};
  create.name = update.name = remove.name = {cx_bytes_of("default"), cx_bytes_of("a")};

  EXPECT_NE(cx_create_request_hash(&create), cx_update_request_hash(&update, 1));
  EXPECT_NE(cx_create_request_hash(&create), cx_delete_request_hash(&remove));
  uint64_t before = cx_delete_request_hash(&remove);
  remove.purge = true;
  EXPECT_NE(before, cx_delete_request_hash(&remove));
}

TEST(RequestHashTest, StaysTheSameOverReleases) {
  cx_delete_request remove = {};
  remove.name = {cx_bytes_of("default"), cx_bytes_of("a")};
  cx_name_key key = NameKey("a");
  cx_session_start_request start = {};
  cx_session_end_request end = {};
  cx_truncate_request truncate = {};
  cx_optimize_request optimize = {};
  cx_activation_request activation = {};
  cx_resource_request resource = {};
  start.name = end.name = {cx_bytes_of("default"), cx_bytes_of("s")};
  truncate.name = optimize.name = activation.name = resource.name = remove.name;
  EXPECT_EQ(0x06ec2a297cfe150bull, cx_session_start_request_hash(&start));
  EXPECT_EQ(0x4b731bd10b73ee8eull, cx_session_end_request_hash(&end));
  EXPECT_EQ(0x4910ce39077bb083ull, cx_truncate_request_hash(&truncate));
  EXPECT_EQ(0x888e9b9e89532dcfull, cx_optimize_request_hash(&optimize));
  EXPECT_EQ(0xaa5e82ba38a4ba42ull, cx_activation_request_hash(&activation, CX_WAY_SWITCH));
  EXPECT_EQ(0x0a52e83cb15a0bfdull, cx_resource_request_hash(&resource, CX_WAY_RELEASE));

  EXPECT_EQ(0x584382432e0af66aull, cx_delete_request_hash(&remove));
  EXPECT_EQ(0x1d26da303348a64cull, cx_request_id_hash(&key, cx_bytes_of("request-1")).low);
}

// All hashes of a list differ.
void ExpectDistinct(const std::vector<uint64_t> &hashes) {
  for (size_t i = 0; i < hashes.size(); i++) {
    for (size_t j = 0; j < i; j++) EXPECT_NE(hashes[i], hashes[j]) << i << " and " << j;
  }
}

TEST(RequestHashTest, TellsActivitiesApart) {
  std::vector<uint64_t> hashes;
  auto add = [&](const Activity &activity) {
    Mutations mutations = Mutations().Record(activity);
    cx_update_request update = {};
    update.name = {cx_bytes_of("default"), cx_bytes_of("a")};
    update.mutations = mutations.list().data();
    update.mutation_count = 1;
    hashes.push_back(cx_update_request_hash(&update, 1));
    update.wants_sequence = true;
    hashes.push_back(cx_update_request_hash(&update, 1));
  };
  auto add_detail = [&](const cx_detail &detail) {
    Activity activity;
    const_cast<cx_activity_content &>(activity.content()).detail = detail;
    add(activity);
  };
  add(Activity("t", "data"));
  add(Activity("td", "ata"));
  add(Activity("t", "other"));
  add(Activity("t", "data").Label("k", "v"));
  add(Activity("t", "data").Label("k", "w"));
  for (const char *part : {"x", "y"}) {
    add_detail(FileDetail(part, "b", "c"));
    add_detail(FileDetail("a", part, "c"));
    add_detail(FileDetail("a", "b", part));
    add_detail(ModelDetail(part, "m", "o", "USD"));
    add_detail(ModelDetail("p", part, "o", "USD"));
    add_detail(ModelDetail("p", "m", part, "USD"));
    add_detail(ModelDetail("p", "m", "o", part));
    add_detail(ResourceDetail(part, "t", CX_RESOURCE_ACQUIRED));
    add_detail(ResourceDetail("n", part, CX_RESOURCE_ACQUIRED));
  }
  add_detail(ResourceDetail("n", "t", CX_RESOURCE_RELEASED));
  for (int number = 0; number < 5; number++) {
    cx_detail detail = ModelDetail("p", "m", "o", "USD");
    uint64_t *const numbers[] = {&detail.model.input_tokens, &detail.model.output_tokens,
                                 &detail.model.cached_tokens, &detail.model.cost_micros};
    if (number < 4) {
      *numbers[number] = 99;
    } else {
      detail.model.latency_us = 99;
    }
    add_detail(detail);
  }
  ExpectDistinct(hashes);
}

TEST(RequestHashTest, TellsTheRequestsOfSessionsApart) {
  std::vector<uint64_t> hashes;
  cx_new_context create = {};
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  cx_session_start_request start = {};
  auto add = [&] { hashes.push_back(cx_session_start_request_hash(&start)); };
  start.name = {cx_bytes_of("default"), cx_bytes_of("s")};
  add();
  start.owner = cx_bytes_of("o");
  add();
  start.labels = &label;
  start.label_count = 1;
  add();
  start.ttl_us = 5;
  add();
  start.default_context_id = cx_bytes_of("a");
  add();
  start.create_if_missing = &create;
  add();
  create.type = cx_bytes_of("t");
  add();
  start.max_active_contexts = 5;
  add();
  uint64_t before = hashes.back();
  start.request_id = cx_bytes_of("id");
  EXPECT_EQ(before, cx_session_start_request_hash(&start));
  cx_session_end_request end = {};
  end.name = {cx_bytes_of("default"), cx_bytes_of("s")};
  hashes.push_back(cx_session_end_request_hash(&end));
  end.name.id = cx_bytes_of("t");
  hashes.push_back(cx_session_end_request_hash(&end));
  ExpectDistinct(hashes);
}

TEST(RequestHashTest, TellsTheRequestsOfHistoriesApart) {
  std::vector<uint64_t> hashes;
  cx_truncate_request truncate = {};
  cx_optimize_request optimize = {};
  truncate.name = optimize.name = {cx_bytes_of("default"), cx_bytes_of("a")};
  hashes.push_back(cx_truncate_request_hash(&truncate));
  truncate.from_sequence = 5;
  hashes.push_back(cx_truncate_request_hash(&truncate));
  truncate.from_sequence = 0;
  truncate.from_time_us = 5;
  hashes.push_back(cx_truncate_request_hash(&truncate));
  hashes.push_back(cx_optimize_request_hash(&optimize));
  optimize.max_bytes = 5;
  hashes.push_back(cx_optimize_request_hash(&optimize));
  optimize.max_bytes = 0;
  optimize.max_count = 5;
  hashes.push_back(cx_optimize_request_hash(&optimize));
  optimize.deduplicate = true;
  hashes.push_back(cx_optimize_request_hash(&optimize));
  optimize.dry_run = true;
  hashes.push_back(cx_optimize_request_hash(&optimize));
  uint64_t before = hashes.back();
  optimize.request_id = cx_bytes_of("id");
  optimize.author = {cx_bytes_of("s"), 7};
  EXPECT_EQ(before, cx_optimize_request_hash(&optimize)) << "who asks is not what is asked";
  ExpectDistinct(hashes);
}

TEST(RequestHashTest, TellsWaysAndFieldsOfActivationsAndResourcesApart) {
  std::vector<uint64_t> hashes;
  cx_activation_request activation = {};
  cx_resource_request resource = {};
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  activation.name = resource.name = {cx_bytes_of("default"), cx_bytes_of("a")};
  for (cx_activation_way way : {CX_WAY_ACTIVATE, CX_WAY_SWITCH, CX_WAY_DEACTIVATE}) {
    hashes.push_back(cx_activation_request_hash(&activation, way));
  }
  auto add = [&] { hashes.push_back(cx_activation_request_hash(&activation, CX_WAY_ACTIVATE)); };
  activation.session_id = cx_bytes_of("s");
  add();
  activation.exclusive = true;
  add();
  activation.takeover = true;
  add();
  activation.guard = true;
  add();
  for (cx_resource_way way : {CX_WAY_ACQUIRE, CX_WAY_RELEASE}) {
    hashes.push_back(cx_resource_request_hash(&resource, way));
  }
  auto add_resource = [&] {
    hashes.push_back(cx_resource_request_hash(&resource, CX_WAY_ACQUIRE));
  };
  resource.session_id = cx_bytes_of("s");
  add_resource();
  resource.resource = cx_bytes_of("r");
  add_resource();
  resource.type = cx_bytes_of("t");
  add_resource();
  resource.labels = &label;
  resource.label_count = 1;
  add_resource();
  ExpectDistinct(hashes);
}

TEST(RequestHashTest, KeepsIdsApartByContext) {
  cx_name_key a = NameKey("a");
  cx_name_key b = NameKey("b");
  struct cx_hash128 of_a = cx_request_id_hash(&a, cx_bytes_of("request-1"));
  struct cx_hash128 of_b = cx_request_id_hash(&b, cx_bytes_of("request-1"));

  EXPECT_FALSE(of_a.low == of_b.low && of_a.high == of_b.high);
}

}  // namespace
