#include "tests/integration/crash_keeper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

using contextd::v1::CreateRecoveryPointRequest;
using contextd::v1::CreateRecoveryPointResponse;
using contextd::v1::DeleteContextRequest;
using contextd::v1::DeleteContextResponse;
using contextd::v1::DeleteRecoveryPointRequest;
using contextd::v1::DeleteRecoveryPointResponse;
using contextd::v1::ForkContextRequest;
using contextd::v1::ForkContextResponse;
using contextd::v1::GetContextRequest;
using contextd::v1::GetContextResponse;
using contextd::v1::ListRecoveryPointsRequest;
using contextd::v1::ListRecoveryPointsResponse;
using contextd::v1::MergeContextRequest;
using contextd::v1::MergeContextResponse;
using contextd::v1::Mutation;
using contextd::v1::RecoveryPoint;
using contextd::v1::RestoreContextRequest;
using contextd::v1::RestoreContextResponse;
using contextd::v1::UpdateContextRequest;
using contextd::v1::UpdateContextResponse;
using contextd::v1::UpdateRecoveryPointRequest;
using contextd::v1::UpdateRecoveryPointResponse;

namespace {

const char kTrunk[] = "trunk";
constexpr uint64_t kKeepLast = 8;  // Of every context.
constexpr int kKeys = 6;

std::string Path(const std::string &method) {
  bool manager = method == "UpdateContext" || method == "GetContext" || method == "DeleteContext";
  return std::string("/contextd.v1.") + (manager ? "ContextManager/" : "Recovery/") + method;
}

template <typename List>
std::map<std::string, std::string> Values(const List &list) {
  std::map<std::string, std::string> values;
  for (const auto &entry : list) values[entry.key()] = entry.value();
  return values;
}

std::string Text(const std::map<std::string, std::string> &entries) {
  std::string text;
  for (const auto &[key, value] : entries) {
    text += " " + key + "=" + value.substr(0, 3) + "(" + std::to_string(value.size()) + ")";
  }
  return text;
}

}  // namespace

const CrashKeeper::Point *CrashKeeper::Context::Find(const std::string &id) const {
  for (const auto &[sequence, point] : points) {
    if (point.id == id) return &point;
  }
  return nullptr;
}

void CrashKeeper::Context::AddSafety() {
  Point point;
  point.parent = head_point;
  point.version = version;
  point.entries = entries;
  point.safety = true;
  Add(point);
}

// Its children take its parent.
void CrashKeeper::Context::Drop(uint64_t sequence) {
  const Point gone = points.at(sequence);
  points.erase(sequence);
  for (auto &[other, point] : points) {
    if (point.parent == gone.id) point.parent = gone.parent;
  }
  if (head_point == gone.id) head_point = gone.parent;
}

std::vector<uint64_t> CrashKeeper::Context::Unkept() const {
  std::vector<uint64_t> unkept;
  uint64_t newer = 0;
  for (auto each = points.rbegin(); each != points.rend(); ++each, newer++) {
    if (newer >= kKeepLast && !each->second.pinned) unkept.push_back(each->first);
  }
  return unkept;
}

void CrashKeeper::Context::DropUnkept() {
  for (uint64_t sequence : Unkept()) Drop(sequence);
}

CrashKeeper::CrashKeeper(int number, uint64_t seed)
    : random_(seed + 2000 + number), namespace_("keeper-" + std::to_string(number)) {}

// ---- What is done. ------------------------------------------------------------------

std::string CrashKeeper::Value() {
  return std::string(1 + (Random(8) == 0 ? Random(5000) : Random(60)),
                     static_cast<char>('a' + Random(26)));
}

std::string CrashKeeper::AnyPoint(const std::string &context) {
  const auto &points = model_[context].points;
  if (points.empty()) return "";
  return std::next(points.begin(), static_cast<long>(Random(points.size())))->second.id;
}

template <typename Request>
void CrashKeeper::Set(Change *change, const std::string &method, Request *request) {
  request->mutable_write()->set_request_id(std::to_string(random_()));
  change->method = method;
  change->request = request->SerializeAsString();
}

void CrashKeeper::Decide() {
  for (bool decided = false; !decided;) {
    Change change;
    change.after = model_;
    uint64_t percent = Random(100);
    decided = !model_[kTrunk].there || percent < 25 ? DecideUpdate(&change, kTrunk)
              : percent < 40                        ? DecideUpdate(&change, AnyFork())
              : percent < 65                        ? DecidePoint(&change)
              : percent < 68                        ? DecidePin(&change)
              : percent < 73                        ? DecideDrop(&change)
              : percent < 83                        ? DecideRestore(&change)
              : percent < 90                        ? DecideFork(&change)
              : percent < 97                        ? DecideMerge(&change)
                                                    : DecidePurge(&change);
    if (decided) pending_ = std::make_unique<Change>(change);
  }
}

// The trunk comes into being with its first update.
bool CrashKeeper::DecideUpdate(Change *change, const std::string &context) {
  UpdateContextRequest request;
  Context *after = &change->after[context];
  if (context != kTrunk && !after->there) return false;
  std::string key = "key-" + std::to_string(Random(kKeys));
  request.set_namespace_(namespace_);
  request.set_context_id(context);
  if (Random(5) == 0 && after->entries.count(key) != 0) {
    request.add_mutations()->mutable_delete_entry()->set_key(key);
    after->entries.erase(key);
  } else {
    auto *put = request.add_mutations()->mutable_put_entry();
    put->set_key(key);
    put->set_value(after->entries[key] = Value());
  }
  request.mutable_create_if_missing()
      ->mutable_recovery_policy()
      ->mutable_retention()
      ->set_keep_last(kKeepLast);
  after->there = true;
  after->version = 0;
  after->DropUnkept();
  change->context = context;
  Set(change, "UpdateContext", &request);
  return true;
}

// Of the head, or of an earlier point with a change on top; some become the head.
bool CrashKeeper::DecidePoint(Change *change) {
  CreateRecoveryPointRequest request;
  change->context = Random(3) == 0 ? AnyFork() : kTrunk;
  Context *after = &change->after[change->context];
  std::string from = Random(3) == 0 ? AnyPoint(change->context) : "";
  if (!after->there) return false;
  Point point;
  point.id = "p" + std::to_string(++point_ids_);
  point.parent = after->head_point;
  point.version = after->version;
  point.entries = after->entries;
  point.metadata = std::to_string(Random(3));
  point.pinned = Random(20) == 0;
  if (!from.empty()) {
    point.parent = from;
    point.version = 0;
    point.entries = after->Find(from)->entries;
    std::string key = "key-" + std::to_string(Random(kKeys));
    auto *put = request.add_mutations()->mutable_put_entry();
    put->set_key(key);
    put->set_value(point.entries[key] = Value());
    request.set_from_recovery_point_id(from);
    request.set_move_head(Random(2) == 0);
  }
  if (from.empty() || request.move_head()) after->head_point = point.id;
  if (request.move_head()) {
    after->version = 0;
    after->entries = point.entries;
  }
  after->Add(point);
  after->DropUnkept();
  request.set_namespace_(namespace_);
  request.set_context_id(change->context);
  request.set_recovery_point_id(point.id);
  request.set_pinned(point.pinned);
  (*request.mutable_metadata())["m"] = point.metadata;
  Set(change, "CreateRecoveryPoint", &request);
  return true;
}

bool CrashKeeper::DecidePin(Change *change) {
  UpdateRecoveryPointRequest request;
  change->context = kTrunk;
  std::string id = AnyPoint(kTrunk);
  if (id.empty()) return false;
  for (auto &[sequence, point] : change->after[kTrunk].points) {
    if (point.id != id) continue;
    point.pinned = Random(4) == 0;
    point.metadata = "changed " + std::to_string(++point_ids_);
    request.set_pin(point.pinned ? UpdateRecoveryPointRequest::PIN_ON
                                 : UpdateRecoveryPointRequest::PIN_OFF);
    (*request.mutable_set_metadata())["m"] = point.metadata;
  }
  request.set_namespace_(namespace_);
  request.set_context_id(kTrunk);
  request.set_recovery_point_id(id);
  change->after[kTrunk].DropUnkept();
  Set(change, "UpdateRecoveryPoint", &request);
  return true;
}

// Where a point is still to be dropped by the policy, the drop of another one would keep it.
bool CrashKeeper::DecideDrop(Change *change) {
  DeleteRecoveryPointRequest request;
  change->context = Random(3) == 0 ? AnyFork() : kTrunk;
  std::string id = AnyPoint(change->context);
  if (id.empty() || !AwaitDrops(change->context)) return false;
  Context *after = &change->after[change->context];
  auto at = after->points.begin();
  while (at->second.id != id) ++at;
  after->Drop(at->first);
  request.set_namespace_(namespace_);
  request.set_context_id(change->context);
  request.set_recovery_point_id(id);
  Set(change, "DeleteRecoveryPoint", &request);
  return true;
}

bool CrashKeeper::DecideRestore(Change *change) {
  RestoreContextRequest request;
  change->context = Random(3) == 0 ? AnyFork() : kTrunk;
  Context *after = &change->after[change->context];
  std::string id = AnyPoint(change->context);
  if (id.empty() || after->Find(id)->entries == after->entries) return false;
  if (Random(2) == 0) {
    after->AddSafety();
    request.set_safety_point(true);
  }
  after->entries = after->Find(id)->entries;
  after->version = 0;
  after->head_point = id;
  after->DropUnkept();
  request.set_namespace_(namespace_);
  request.set_context_id(change->context);
  request.set_recovery_point_id(id);
  Set(change, "RestoreContext", &request);
  return true;
}

bool CrashKeeper::DecideFork(Change *change) {
  ForkContextRequest request;
  change->context = AnyFork();
  const Context trunk = model_[kTrunk];
  Context *after = &change->after[change->context];
  if (after->there || !trunk.there) return false;
  *after = Context();
  after->there = true;
  after->entries = after->ancestor = trunk.entries;
  if (Random(2) == 0) {
    after->points = trunk.points;
    after->last_sequence = trunk.last_sequence;
    after->head_point = trunk.head_point;
    request.set_with_recovery_points(true);
  }
  request.mutable_source()->set_namespace_(namespace_);
  request.mutable_source()->set_context_id(kTrunk);
  request.set_context_id(change->context);
  Set(change, "ForkContext", &request);
  return true;
}

// What a fork changed since, and has otherwise than the trunk, wins.
bool CrashKeeper::DecideMerge(Change *change) {
  MergeContextRequest request;
  const std::string id = AnyFork();
  Context *fork = &change->after[id], *after = &change->after[kTrunk];
  if (!fork->there) return false;
  Entries merged = after->entries;
  for (int i = 0; i < kKeys; i++) {
    std::string key = "key-" + std::to_string(i);
    auto of = [&](const Entries &entries) {
      auto found = entries.find(key);
      return found != entries.end() ? found->second : "";
    };
    if (of(fork->entries) == of(fork->ancestor)) continue;
    merged.erase(key);
    if (!of(fork->entries).empty()) merged[key] = of(fork->entries);
  }
  if (merged == after->entries) return false;
  if (Random(2) == 0) {
    after->AddSafety();
    request.set_safety_point(true);
  }
  after->entries = merged;
  after->version = 0;
  after->DropUnkept();
  fork->ancestor = fork->entries;
  request.mutable_source()->set_namespace_(namespace_);
  request.mutable_source()->set_context_id(id);
  request.set_namespace_(namespace_);
  request.set_target_context_id(kTrunk);
  request.set_on_conflict(MergeContextRequest::ON_CONFLICT_SOURCE);
  change->context = kTrunk;
  Set(change, "MergeContext", &request);
  return true;
}

bool CrashKeeper::DecidePurge(Change *change) {
  DeleteContextRequest request;
  change->context = AnyFork();
  if (!model_[change->context].there) return false;
  change->after[change->context] = Context();
  request.set_namespace_(namespace_);
  request.set_context_id(change->context);
  request.set_purge(true);
  Set(change, "DeleteContext", &request);
  return true;
}

template <typename Response>
Response CrashKeeper::Answer(const GrpcOutcome &outcome, bool *ret_replayed) {
  Response response;
  EXPECT_TRUE(response.ParseFromString(outcome.messages.at(0)));
  *ret_replayed = response.write().replayed();
  return response;
}

// What the server decides about the pending change.
void CrashKeeper::Learn(const GrpcOutcome &outcome, bool *ret_replayed) {
  const std::string &method = pending_->method;
  Context *after = &pending_->after[pending_->context];
  Point *last = after->points.empty() ? nullptr : &after->points.rbegin()->second;
  std::string safety_id;
  if (method == "UpdateContext") {
    after->version = Answer<UpdateContextResponse>(outcome, ret_replayed).version();
  } else if (method == "CreateRecoveryPoint") {
    auto response = Answer<CreateRecoveryPointResponse>(outcome, ret_replayed);
    after->version = response.version();
    last->version = response.recovery_point().version();
  } else if (method == "RestoreContext") {
    auto response = Answer<RestoreContextResponse>(outcome, ret_replayed);
    after->version = response.context().version();
    safety_id = response.safety_point_id();
  } else if (method == "MergeContext") {
    auto response = Answer<MergeContextResponse>(outcome, ret_replayed);
    EXPECT_TRUE(response.applied());
    after->version = response.version();
    safety_id = response.safety_point_id();
  } else if (method == "ForkContext") {
    after->version = Answer<ForkContextResponse>(outcome, ret_replayed).context().version();
  } else if (method == "UpdateRecoveryPoint") {
    (void)Answer<UpdateRecoveryPointResponse>(outcome, ret_replayed);
  } else if (method == "DeleteRecoveryPoint") {
    (void)Answer<DeleteRecoveryPointResponse>(outcome, ret_replayed);
  } else {
    (void)Answer<DeleteContextResponse>(outcome, ret_replayed);
  }
  if (last != nullptr && last->id.empty()) {
    EXPECT_NE("", safety_id);
    last->id = safety_id;
  }
}

// Sends the pending change. False: the server is gone.
bool CrashKeeper::Send(bool *ret_replayed) {
  const std::string &method = pending_->method;
  GrpcOutcome outcome = client_->Unary(Path(method), pending_->request);
  if (outcome.code != GRPC_STATUS_OK) {
    EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, outcome.code) << method << ": " << outcome.message;
    return false;
  }
  Learn(outcome, ret_replayed);
  return true;
}

void CrashKeeper::Acknowledge() {
  model_ = pending_->after;
  pending_.reset();
}

void CrashKeeper::Run(const std::string &address, const std::function<void()> &acknowledged) {
  bool replayed;
  client_ = std::make_unique<GrpcClient>(address);
  for (;;) {
    if (!pending_) Decide();
    if (!Send(&replayed)) break;
    EXPECT_FALSE(replayed) << pending_->method;
    Acknowledge();
    acknowledged();
  }
  client_.reset();
}

// ---- What is found. -----------------------------------------------------------------

void CrashKeeper::Check(const std::string &address) {
  client_ = std::make_unique<GrpcClient>(address);
  Model found = Read();
  std::string differences = Differences(model_, found);
  bool made = pending_ && !differences.empty();  // A version tells, if nothing else does.
  if (made) {
    EXPECT_EQ("", Differences(pending_->after, found))
        << namespace_ << ", or not made: " << differences;
  } else {
    EXPECT_EQ("", differences) << namespace_;
  }
  if (pending_) Repeat(made);
  client_.reset();
}

// Sends the pending change again: made once, whether or not it was made before.
void CrashKeeper::Repeat(bool made) {
  const std::string method = pending_->method;
  bool replayed = false;
  ASSERT_TRUE(Send(&replayed));
  EXPECT_EQ(made, replayed) << method;
  Acknowledge();
  EXPECT_EQ("", Differences(model_, Read())) << "after the repeat of " << method;
}

// A point that a change is about is dropped right behind it, if at all: waits for that.
CrashKeeper::Model CrashKeeper::Read() {
  auto has_unkept = [](const auto &context) { return !context.second.Unkept().empty(); };
  Model found = ReadOnce();
  while (!testing::Test::HasFailure() && std::any_of(found.begin(), found.end(), has_unkept)) {
    found = ReadOnce();
  }
  return ReadOnce();
}

CrashKeeper::Model CrashKeeper::ReadOnce() {
  Model found;
  for (const char *id : {kTrunk, "fork-0", "fork-1", "fork-2"}) {
    Context *context = &found[id];
    if (!ReadHead(id, context)) continue;
    EXPECT_TRUE(ReadPoints(id, context));
    std::map<uint64_t, Entries> states = {{context->version, context->entries}};
    for (const auto &[sequence, point] : context->points) {
      EXPECT_EQ(point.entries, states.insert({point.version, point.entries}).first->second)
          << id << ": one version of two states";
    }
  }
  return found;
}

bool CrashKeeper::ReadHead(const std::string &id, Context *found) {
  GetContextRequest request;
  GetContextResponse response;
  request.mutable_state()->set_namespace_(namespace_);
  request.mutable_state()->set_context_id(id);
  GrpcOutcome outcome = client_->Unary(Path("GetContext"), request.SerializeAsString());
  if (outcome.code != GRPC_STATUS_OK) {
    EXPECT_EQ("CONTEXT_NOT_FOUND", outcome.Reason()) << outcome.message;
    return false;
  }
  EXPECT_TRUE(response.ParseFromString(outcome.messages.at(0)));
  found->there = true;
  found->version = response.context().version();
  found->entries = Values(response.context().entries());
  return true;
}

// False: the server is gone.
bool CrashKeeper::AwaitDrops(const std::string &id) {
  Context found;
  do {
    found = Context();
    if (!ReadPoints(id, &found)) return false;
  } while (!found.Unkept().empty());
  return true;
}

// In pages, so that one that comes twice or is left out shows. False: it was not answered.
bool CrashKeeper::ReadPoints(const std::string &id, Context *found) {
  ListRecoveryPointsRequest request;
  ListRecoveryPointsResponse response;
  request.set_namespace_(namespace_);
  request.set_context_id(id);
  request.set_page_size(5);
  request.set_with_entries(true);
  do {
    GrpcOutcome outcome = client_->Unary(Path("ListRecoveryPoints"), request.SerializeAsString());
    if (outcome.code != GRPC_STATUS_OK) {
      EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, outcome.code) << outcome.message;
      return false;
    }
    EXPECT_TRUE(response.ParseFromString(outcome.messages.at(0)));
    for (const auto &row : response.recovery_points()) {
      const RecoveryPoint &told = row.recovery_point();
      auto metadata = told.metadata().find("m");
      Point point;
      point.id = told.id();
      point.parent = told.parent_id();
      point.metadata = metadata != told.metadata().end() ? metadata->second : "";
      point.version = told.version();
      point.entries = Values(row.entries());
      point.pinned = told.pinned();
      point.safety = told.origin() == RecoveryPoint::ORIGIN_SAFETY;
      EXPECT_EQ(nullptr, found->Find(point.id)) << point.id << " is there twice";
      EXPECT_TRUE(found->points.insert({told.sequence(), point}).second) << "one sequence twice";
    }
    request.set_page_token(response.next_page_token());
  } while (!response.next_page_token().empty());
  return true;
}

// "" where a point, or a context, is what it must be.
std::string CrashKeeper::Differences(const Point &expected, const Point &found) {
  bool is_same = (expected.id.empty() || expected.id == found.id) &&
                 (expected.version == 0 || expected.version == found.version) &&
                 expected.parent == found.parent && expected.metadata == found.metadata &&
                 expected.entries == found.entries && expected.pinned == found.pinned &&
                 expected.safety == found.safety;
  if (is_same) return "";
  std::ostringstream text;
  for (const Point *point : {&expected, &found}) {
    text << (point == &expected ? "is not " : ", but ") << point->id << " <" << point->parent
         << " v" << point->version << (point->pinned ? " pinned" : "")
         << (point->safety ? " safety" : "") << " '" << point->metadata << "'"
         << Text(point->entries);
  }
  return text.str();
}

std::string CrashKeeper::Differences(const Context &expected, const Context &found) {
  std::ostringstream text;
  if (expected.there != found.there ||
      (expected.version != 0 && expected.version != found.version) ||
      expected.entries != found.entries) {
    text << " is not v" << expected.version << Text(expected.entries) << ", but v" << found.version
         << Text(found.entries) << ";";
  }
  for (const auto &[sequence, point] : expected.points) {
    auto at = found.points.find(sequence);
    std::string difference =
        at != found.points.end() ? Differences(point, at->second) : "'" + point.id + "' is gone";
    if (!difference.empty()) text << " point " << sequence << " " << difference << ";";
  }
  for (const auto &[sequence, point] : found.points) {
    if (expected.points.count(sequence) == 0) text << " " << point.id << " is too many;";
  }
  return text.str();
}

std::string CrashKeeper::Differences(const Model &expected, const Model &found) {
  static const Context none;
  std::string text;
  for (const auto &[id, context] : found) {
    auto at = expected.find(id);
    std::string differences = Differences(at != expected.end() ? at->second : none, context);
    if (!differences.empty()) text += id + differences + "\n";
  }
  return text;
}
