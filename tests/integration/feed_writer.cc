#include "tests/integration/feed_writer.h"

#include <memory>

namespace {

constexpr size_t kSessionsMax = 4;
constexpr size_t kDocumentSizeMax = 96 * 1024;
constexpr uint64_t kTtlMsMax = 3000;

void SetMilliseconds(uint64_t ms, google::protobuf::Duration *duration) {
  duration->set_seconds(static_cast<int64_t>(ms / 1000));
  duration->set_nanos(static_cast<int32_t>(ms % 1000 * 1000000));
}

}  // namespace

FeedWriter::FeedWriter(int number, uint64_t seed, const std::string &namespace_id, FeedWorld *world)
    : number_(number), random_(seed + number), namespace_(namespace_id), world_(world) {}

void FeedWriter::Run() {
  for (int life = 0; wrong_.empty();) {
    FeedWorld::Place place = world_->Await(life, FeedWorld::Phase::kQuiet);
    if (place.phase >= FeedWorld::Phase::kQuiet) return;
    life = place.life;
    GrpcClient client(place.address);
    client_ = &client;
    while (world_->phase() == FeedWorld::Phase::kLoad && Step()) {
    }
  }
}

bool FeedWriter::Step() {
  if (pending_) {
    std::function<bool()> send;
    send.swap(pending_);
    return send();
  }
  uint64_t dice = Random(1000);
  if (dice < 40) return Create();
  if (dice < 430) return Update();
  if (dice < 500) return Batch();
  if (dice < 600) return GrowDocument();
  if (dice < 604) return PutMuch();
  if (dice < 625) return Expire();
  if (dice < 640) return Spread();
  if (dice < 670) return Grow();
  if (dice < 700) return Delete();
  if (dice < 770) return History();
  if (dice < 810) return Recover();
  if (dice < 840) return StartSession();
  return WorkInSession();
}

// ---- Sending. -----------------------------------------------------------------------------

// Whether the server is there still.
bool FeedWriter::Judge(const std::string &method, const GrpcOutcome &outcome) {
  switch (outcome.code) {
    case GRPC_STATUS_OK:
    case GRPC_STATUS_NOT_FOUND:
    case GRPC_STATUS_ALREADY_EXISTS:
    case GRPC_STATUS_ABORTED:
    case GRPC_STATUS_FAILED_PRECONDITION:
    case GRPC_STATUS_RESOURCE_EXHAUSTED:
      return true;
    default:
      if (FeedIsGone(outcome)) return false;
      wrong_ = method + " is answered " + std::to_string(outcome.code) + " " + outcome.Reason() +
               ": " + outcome.message;
      return false;
  }
}

template <typename Response, typename Request>
bool FeedWriter::Write(const std::string &method, Request request,
                       const std::vector<std::string> &names, Response *ret_response) {
  if (request.write().request_id().empty() && OneIn(2)) {
    request.mutable_write()->set_request_id(std::to_string(random_()));
  }
  GrpcOutcome outcome = FeedCall(client_, method, request, ret_response);
  bool is_there = Judge(method, outcome);
  if (FeedIsGone(outcome) && !request.write().request_id().empty()) {
    pending_ = [=] {
      Response response;
      return Write(method, request, names, &response);
    };
  }
  uint64_t revision = outcome.code == GRPC_STATUS_OK ? ret_response->write().revision() : 0;
  for (const std::string &name : names) {
    if (revision != 0) world_->Acknowledge(namespace_, name, revision);
  }
  return is_there;
}

// ---- What is written. ---------------------------------------------------------------------

std::string FeedWriter::Words(size_t size) {
  std::string words(size, ' ');
  for (char &c : words) c = static_cast<char>('a' + Random(26));
  return words;
}

std::string FeedWriter::Value() {
  return OneIn(10) ? std::string(Random(8000), static_cast<char>('a' + Random(26)))
                   : Words(Random(60));
}

std::string FeedWriter::Key() {
  static const char *const kKeys[] = {"k-1", "k-2", "k-3", "l-1", "l-2", "doc", "k"};
  return kKeys[Random(7)];
}

void FeedWriter::FillNew(api::NewContext *context) {
  static const char *const kTypes[] = {"", "chat", "task"};
  context->set_type(kTypes[Random(3)]);
  if (OneIn(2)) (*context->mutable_metadata())["team"] = OneIn(2) ? "red" : "blue";
  if (OneIn(20)) {
    SetMilliseconds(500 + Random(kTtlMsMax - 500), context->mutable_expiry()->mutable_ttl());
    context->mutable_expiry()->set_sliding(OneIn(2));
  }
}

void FeedWriter::FillActivity(api::Activity *activity) {
  switch (Random(3)) {
    case 0:
      activity->mutable_file()->set_path("/" + Words(2));
      activity->mutable_file()->set_operation("write");
      break;
    case 1:
      activity->mutable_model()->set_model("m");
      activity->mutable_model()->set_cost_micros(Random(100));
      SetMilliseconds(1 + Random(3000), activity->mutable_model()->mutable_latency());
      break;
    default:
      activity->set_type("message");
      (*activity->mutable_metadata())["role"] = "user";
  }
  activity->set_data(Value());
}

void FeedWriter::FillMutation(api::Mutation *mutation) {
  uint64_t dice = Random(100);
  if (dice < 45) {
    mutation->mutable_put_entry()->set_key(Key());
    mutation->mutable_put_entry()->set_value(Value());
    if (OneIn(3)) mutation->mutable_put_entry()->set_content_type("text/" + Words(1));
  } else if (dice < 65) {
    mutation->mutable_append_entry()->set_key(Key());
    mutation->mutable_append_entry()->set_value(Words(Random(40)));
    mutation->mutable_append_entry()->set_content_type("text/a");
  } else if (dice < 73) {
    mutation->mutable_delete_entry()->set_key(Key());
  } else if (dice < 77) {
    mutation->mutable_delete_entries()->set_prefix(OneIn(4) ? "" : OneIn(2) ? "k" : "l-");
  } else if (dice < 85) {
    mutation->mutable_set_metadata()->set_key(OneIn(2) ? "team" : "note");
    mutation->mutable_set_metadata()->set_value(OneIn(2) ? "red" : "blue");
  } else if (dice < 90) {
    mutation->mutable_delete_metadata()->set_key(OneIn(2) ? "team" : "note");
  } else if (dice < 94) {
    mutation->mutable_set_expiry()->set_sliding(false);  // For ever.
  } else {
    FillActivity(mutation->mutable_record_activity());
  }
}

void FeedWriter::FillAuthor(const std::string &id, api::WriteOptions *write) {
  for (const Session &session : sessions_) {
    if (session.context_id != id) continue;
    write->set_session_id(session.id);
    write->set_fence(session.fence);
  }
}

void FeedWriter::FillUpdate(const std::string &id, api::UpdateContextRequest *request) {
  request->set_namespace_(namespace_);
  request->set_context_id(id);
  for (uint64_t i = 1 + Random(OneIn(10) ? 30 : 4); i > 0; i--) {
    FillMutation(request->add_mutations());
  }
  if (!OneIn(4)) FillNew(request->mutable_create_if_missing());
  FillAuthor(id, request->mutable_write());
}

// ---- Contexts. ----------------------------------------------------------------------------

bool FeedWriter::Create() {
  api::CreateContextRequest request;
  api::CreateContextResponse response;
  std::string id = OneIn(2) ? SharedId() : OwnId("own");
  request.set_namespace_(namespace_);
  request.set_context_id(id);
  FillNew(request.mutable_properties());
  for (uint64_t i = Random(4); i > 0; i--) FillMutation(request.add_mutations());
  return Write("ContextManager/CreateContext", request, {id}, &response);
}

bool FeedWriter::Update() {
  api::UpdateContextRequest request;
  api::UpdateContextResponse response;
  std::string id = OneIn(3) ? OwnId("own") : SharedId();
  FillUpdate(id, &request);
  return Write("ContextManager/UpdateContext", request, {id}, &response);
}

bool FeedWriter::Batch() {
  api::BatchUpdateContextsRequest request;
  api::BatchUpdateContextsResponse response;
  std::vector<std::string> names;
  uint64_t first = Random(10);
  for (uint64_t i = 0; i < 2 + Random(4); i++) {
    names.push_back("c-" + std::to_string((first + i) % 10));
    FillUpdate(names.back(), request.add_requests());
  }
  request.set_atomic(true);
  request.mutable_write()->set_request_id(std::to_string(random_()));
  GrpcOutcome outcome = FeedCall(client_, "ContextManager/BatchUpdateContexts", request, &response);
  for (int i = 0; outcome.code == GRPC_STATUS_OK && i < response.results_size(); i++) {
    uint64_t revision = response.results(i).response().write().revision();
    if (revision != 0) world_->Acknowledge(namespace_, names[static_cast<size_t>(i)], revision);
  }
  return Judge("BatchUpdateContexts", outcome);
}

// A large value is put back whole, with a little more at its end.
bool FeedWriter::GrowDocument() {
  api::UpdateContextRequest request;
  api::UpdateContextResponse response;
  std::string id = OneIn(2) ? OwnId("own") : "c-0";
  std::string key = OwnId("doc");
  std::string *document = &documents_[id];
  if (document->size() < 8000 || document->size() > kDocumentSizeMax) *document = Words(8000);
  *document += Words(1 + Random(2000));
  request.set_namespace_(namespace_);
  request.set_context_id(id);
  request.mutable_create_if_missing();
  api::PutEntry *put = request.add_mutations()->mutable_put_entry();
  put->set_key(key);
  put->set_value(*document);
  put->set_content_type(OneIn(5) ? "text/b" : "text/a");
  if (OneIn(2)) FillMutation(request.add_mutations());
  FillAuthor(id, request.mutable_write());
  return Write("ContextManager/UpdateContext", request, {id}, &response);
}

// More than an event tells in one part, or at all.
bool FeedWriter::PutMuch() {
  api::UpdateContextRequest request;
  api::UpdateContextResponse response;
  std::string id = OneIn(2) ? OwnId("own") : SharedId();
  bool too_much = OneIn(5);
  request.set_namespace_(namespace_);
  request.set_context_id(id);
  request.mutable_create_if_missing();
  for (uint64_t i = 0; i < (too_much ? 2 : 4 + Random(8)); i++) {
    api::PutEntry *put = request.add_mutations()->mutable_put_entry();
    put->set_key((too_much ? "k-huge-" : "k-large-") + std::to_string(i));
    put->set_value(std::string(too_much ? 600000 : Random(40000), static_cast<char>(random_())));
    if (OneIn(3)) FillMutation(request.add_mutations());
  }
  FillAuthor(id, request.mutable_write());
  return Write("ContextManager/UpdateContext", request, {id}, &response);
}

// Many small contexts, so that a snapshot takes its time.
bool FeedWriter::Spread() {
  api::BatchUpdateContextsRequest request;
  api::BatchUpdateContextsResponse response;
  for (int i = 0; i < 30; i++) {
    api::UpdateContextRequest *each = request.add_requests();
    each->set_namespace_(namespace_);
    each->set_context_id("m-" + std::to_string(Random(1500)));
    FillMutation(each->add_mutations());
    FillNew(each->mutable_create_if_missing());
  }
  return Judge("BatchUpdateContexts",
               FeedCall(client_, "ContextManager/BatchUpdateContexts", request, &response));
}

bool FeedWriter::Expire() {
  api::UpdateContextRequest request;
  api::UpdateContextResponse response;
  std::string id = "brief-" + std::to_string(Random(5));
  FillUpdate(id, &request);
  api::SetExpiry *expiry = request.add_mutations()->mutable_set_expiry();
  SetMilliseconds(1 + Random(OneIn(2) ? kTtlMsMax : 100), expiry->mutable_ttl());
  expiry->set_sliding(OneIn(3));
  return Write("ContextManager/UpdateContext", request, {id}, &response);
}

// A child below a parent that may have to be created too.
bool FeedWriter::Grow() {
  api::UpdateContextRequest request;
  api::UpdateContextResponse response;
  std::string id = OwnId("tree") + "-" + std::to_string(Random(4));
  FillUpdate(id, &request);
  request.mutable_create_if_missing()->set_parent_id(OwnId("tree"));
  request.mutable_create_if_missing()->set_create_parent(true);
  return Write("ContextManager/UpdateContext", request, {id}, &response);
}

bool FeedWriter::Delete() {
  api::DeleteContextRequest request;
  api::DeleteContextResponse response;
  std::string id = OneIn(3) ? OwnId("tree") : OneIn(2) ? OwnId("own") : SharedId();
  request.set_namespace_(namespace_);
  request.set_context_id(id);
  request.set_recursive(!OneIn(4));
  FillAuthor(id, request.mutable_write());
  // No purges: they hide what was before, which the views here would miss.
  return Write("ContextManager/DeleteContext", request, {id}, &response);
}

bool FeedWriter::History() {
  std::string id = OneIn(2) ? SharedId() : OwnId("own");
  if (OneIn(6)) {
    api::TruncateHistoryRequest request;
    api::TruncateHistoryResponse response;
    request.set_namespace_(namespace_);
    request.set_context_id(id);
    request.set_from_sequence(1 + Random(200));
    FillAuthor(id, request.mutable_write());
    return Write("Tracker/TruncateHistory", request, {id}, &response);
  }
  if (OneIn(8)) {
    api::OptimizeHistoryRequest request;
    api::OptimizeHistoryResponse response;
    request.set_namespace_(namespace_);
    request.set_context_id(id);
    request.set_max_count(1 + Random(30));
    request.set_deduplicate(OneIn(2));
    FillAuthor(id, request.mutable_write());
    return Write("Tracker/OptimizeHistory", request, {id}, &response);
  }
  api::RecordActivitiesRequest request;
  api::RecordActivitiesResponse response;
  request.set_namespace_(namespace_);
  request.set_context_id(id);
  for (uint64_t i = 1 + Random(5); i > 0; i--) FillActivity(request.add_activities());
  if (OneIn(2)) FillNew(request.mutable_create_if_missing());
  FillAuthor(id, request.mutable_write());
  return Write("Tracker/RecordActivities", request, {id}, &response);
}

// ---- Earlier states. ----------------------------------------------------------------------

// Points have few ids, so that they are replaced, and those that are asked for are there.
bool FeedWriter::Recover() {
  std::string id = OneIn(2) ? SharedId() : OwnId("own");
  uint64_t dice = Random(100);
  if (dice < 50) return Keep(id);
  if (dice < 70) return Restore(id);
  return dice < 85 ? Fork(id) : Merge(id);
}

bool FeedWriter::Keep(const std::string &id) {
  api::CreateRecoveryPointRequest request;
  api::CreateRecoveryPointResponse response;
  request.set_namespace_(namespace_);
  request.set_context_id(id);
  request.set_recovery_point_id("p-" + std::to_string(Random(4)));
  request.set_replace(!OneIn(4));
  request.set_move_head(OneIn(2));
  if (OneIn(3)) request.set_from_recovery_point_id("p-" + std::to_string(Random(4)));
  if (OneIn(2)) {
    request.add_mutations()->mutable_put_entry()->set_key(Key());
    request.mutable_mutations(0)->mutable_put_entry()->set_value(Value());
  }
  FillAuthor(id, request.mutable_write());
  return Write("Recovery/CreateRecoveryPoint", request, {id}, &response);
}

bool FeedWriter::Restore(const std::string &id) {
  api::RestoreContextRequest request;
  api::RestoreContextResponse response;
  request.set_namespace_(namespace_);
  request.set_context_id(id);
  if (!OneIn(3)) request.set_recovery_point_id("p-" + std::to_string(Random(4)));
  request.set_safety_point(OneIn(2));
  request.set_undelete(OneIn(3));
  FillAuthor(id, request.mutable_write());
  return Write("Recovery/RestoreContext", request, {id}, &response);
}

// Two forks for each writer: most of the time they are there.
bool FeedWriter::Fork(const std::string &id) {
  api::ForkContextRequest request;
  api::ForkContextResponse response;
  std::string fork = OwnId(OneIn(2) ? "fork-a" : "fork-b");
  request.mutable_source()->set_namespace_(namespace_);
  request.mutable_source()->set_context_id(id);
  request.set_context_id(fork);
  request.set_with_history(OneIn(2));
  request.set_with_recovery_points(OneIn(2));
  return Write("Recovery/ForkContext", request, {fork}, &response);
}

bool FeedWriter::Merge(const std::string &id) {
  api::MergeContextRequest request;
  api::MergeContextResponse response;
  request.mutable_source()->set_namespace_(namespace_);
  request.mutable_source()->set_context_id(OwnId(OneIn(2) ? "fork-a" : "fork-b"));
  request.set_namespace_(namespace_);
  request.set_target_context_id(id);
  request.set_on_conflict(OneIn(2) ? api::MergeContextRequest::ON_CONFLICT_SOURCE
                                   : api::MergeContextRequest::ON_CONFLICT_TARGET);
  request.set_safety_point(OneIn(2));
  FillAuthor(id, request.mutable_write());
  return Write("Recovery/MergeContext", request, {id}, &response);
}

// ---- Sessions. ----------------------------------------------------------------------------

FeedWriter::Session *FeedWriter::AnySession() { return &sessions_[Random(sessions_.size())]; }

bool FeedWriter::StartSession() {
  api::StartSessionRequest request;
  api::StartSessionResponse response;

  // One that is forgotten is lost.
  if (sessions_.size() == kSessionsMax) sessions_.erase(sessions_.begin());
  request.set_namespace_(namespace_);
  request.set_owner(OwnId("writer"));
  (*request.mutable_metadata())["team"] = "red";
  SetMilliseconds(1000 + Random(kTtlMsMax - 1000), request.mutable_ttl());
  FillNew(request.mutable_create_if_missing());
  if (OneIn(2)) request.set_default_context_id(SharedId());
  request.mutable_write()->set_request_id(std::to_string(random_()));
  bool is_there = Write("Tracker/StartSession", request, {}, &response);
  if (response.has_session()) {
    sessions_.push_back({response.session().id(), request.default_context_id(), 0});
    world_->Acknowledge(namespace_, response.session().id(), response.write().revision());
  }
  return is_there;
}

bool FeedWriter::WorkInSession() {
  if (sessions_.empty()) return StartSession();
  Session *session = AnySession();
  uint64_t dice = Random(100);
  if (dice < 35) return Activate(session);
  if (dice < 50) return HoldResource(session);
  if (dice < 60) return EndSession(session);
  if (dice < 75) {
    api::SwitchContextRequest request;
    api::SwitchContextResponse response;
    request.set_namespace_(namespace_);
    request.set_session_id(session->id);
    request.set_context_id(SharedId());
    return Write("Tracker/SwitchContext", request, {session->id}, &response);
  }
  if (dice < 90) {
    api::DeactivateContextRequest request;
    api::DeactivateContextResponse response;
    request.set_namespace_(namespace_);
    request.set_session_id(session->id);
    request.set_context_id(session->context_id.empty() ? SharedId() : session->context_id);
    std::string id = request.context_id();
    return Write("Tracker/DeactivateContext", request, {id}, &response);
  }
  api::RenewSessionRequest request;
  api::RenewSessionResponse response;
  request.set_namespace_(namespace_);
  request.set_session_id(session->id);
  return Judge("RenewSession", FeedCall(client_, "Tracker/RenewSession", request, &response));
}

bool FeedWriter::Activate(Session *session) {
  api::ActivateContextRequest request;
  api::ActivateContextResponse response;
  request.set_namespace_(namespace_);
  request.set_session_id(session->id);
  request.set_context_id(OneIn(4) ? OwnId("tree") : SharedId());
  request.set_exclusive(OneIn(2));
  request.set_takeover(request.exclusive() && OneIn(2));
  request.set_guard(request.exclusive() && OneIn(6));
  bool is_there = Write("Tracker/ActivateContext", request, {request.context_id()}, &response);
  if (response.has_activation()) {
    session->context_id = request.context_id();
    session->fence = response.activation().fence();
  }
  return is_there;
}

bool FeedWriter::HoldResource(Session *session) {
  std::string id = session->context_id.empty() ? SharedId() : session->context_id;
  std::string name = "r-" + std::to_string(Random(3));
  if (OneIn(2)) {
    api::AcquireResourceRequest request;
    api::AcquireResourceResponse response;
    request.set_namespace_(namespace_);
    request.set_session_id(session->id);
    request.set_context_id(id);
    request.set_name(name);
    request.mutable_write()->set_fence(session->fence);
    return Write("Tracker/AcquireResource", request, {id}, &response);
  }
  api::ReleaseResourceRequest request;
  api::ReleaseResourceResponse response;
  request.set_namespace_(namespace_);
  request.set_session_id(session->id);
  request.set_context_id(id);
  request.set_name(name);
  return Write("Tracker/ReleaseResource", request, {id}, &response);
}

bool FeedWriter::EndSession(Session *session) {
  api::EndSessionRequest request;
  api::EndSessionResponse response;
  std::string id = session->id;
  request.set_namespace_(namespace_);
  request.set_session_id(id);
  sessions_.erase(sessions_.begin() + (session - sessions_.data()));
  return Write("Tracker/EndSession", request, {id}, &response);
}
