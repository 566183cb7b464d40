// What a request asks for, as a number: equal for the same request, and part of the log,
// so that it stays the same over releases.

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

  EXPECT_EQ(0x584382432e0af66aull, cx_delete_request_hash(&remove));
  EXPECT_EQ(0x1d26da303348a64cull, cx_request_id_hash(&key, cx_bytes_of("request-1")).low);
}

TEST(RequestHashTest, KeepsIdsApartByContext) {
  cx_name_key a = NameKey("a");
  cx_name_key b = NameKey("b");
  struct cx_hash128 of_a = cx_request_id_hash(&a, cx_bytes_of("request-1"));
  struct cx_hash128 of_b = cx_request_id_hash(&b, cx_bytes_of("request-1"));

  EXPECT_FALSE(of_a.low == of_b.low && of_a.high == of_b.high);
}

}  // namespace
