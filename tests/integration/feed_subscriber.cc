#include "tests/integration/feed_subscriber.h"

#include <algorithm>

namespace {

constexpr int64_t kStreamTimeoutMs = 24 * 3600 * 1000;

}  // namespace

FeedSubscriber::FeedSubscriber(const FeedPlan &plan, uint64_t seed, FeedWorld *world,
                               FeedTexts *texts)
    : plan_(plan), filter_(plan.request), random_(seed), world_(world), texts_(texts) {
  Begin();
}

void FeedSubscriber::Wrong(const std::string &what) {
  if (wrong_.empty()) wrong_ = plan_.name + ": " + what;
}

void FeedSubscriber::Begin() {
  bool from_oldest = plan_.request.from_oldest();

  cursor_.clear();
  joiner_ = FeedJoiner();
  view_ = FeedView(filter_.scope(), plan_.request.key_prefix());
  record_ = FeedRecord();
  record_.name = plan_.name;
  record_.request = plan_.request;
  record_.not_before = from_oldest ? 0 : world_->last_acknowledged();
  record_.all_behind = from_oldest ? 0 : UINT64_MAX;
}

bool FeedSubscriber::Builds() const {
  return plan_.request.event_types_size() == 0 &&
         (plan_.request.from_oldest() || plan_.request.with_snapshot());
}

bool FeedSubscriber::IsDone() const {
  const auto &contexts = view_.contexts();

  if (!finishes_ || !caught_up_) return false;
  return !plan_.quiet || (view_.sessions().empty() &&
                          std::none_of(contexts.begin(), contexts.end(), [](const auto &pair) {
                            return pair.second.head.has_expire_time();
                          }));
}

std::vector<FeedRecord> FeedSubscriber::TakeRecords() {
  std::vector<FeedRecord> records = std::move(earlier_);
  records.push_back(std::move(record_));
  return records;
}

// ---- Streams. -----------------------------------------------------------------------------

void FeedSubscriber::Run() {
  if (plan_.late) world_->AwaitAcks(Random(4000), FeedWorld::Phase::kFinish);
  for (int life = 0; !done_ && wrong_.empty();) {
    FeedWorld::Place place = world_->Await(life, FeedWorld::Phase::kFinish);
    if (place.life == life && !client_) Wrong("the server is gone at the end");
    if (place.life > life) client_ = std::make_unique<GrpcClient>(place.address);
    life = place.life;
    while (client_ && !done_ && wrong_.empty()) {
      if (!Attach()) client_.reset();
    }
  }
}

bool FeedSubscriber::Attach() {
  api::SubscribeRequest request = plan_.request;

  finishes_ = plan_.quiet || world_->phase() == FeedWorld::Phase::kFinish;
  caught_up_ = false;
  joiner_.DropSnapshot();
  if (!ChooseStart(&request)) return false;
  std::unique_ptr<GrpcCall> call =
      client_->Open("/contextd.v1.Tracker/Subscribe", kStreamTimeoutMs);
  call->Send(request.SerializeAsString());
  call->SendsDone();
  return Read(call.get());
}

bool FeedSubscriber::ChooseStart(api::SubscribeRequest *request) {
  uint64_t interval_ms = 100 + Random(900);

  request->mutable_progress_interval()->set_nanos(static_cast<int32_t>(interval_ms * 1000000));
  if (!cursor_.empty()) {
    world_->resumes++;
    request->set_cursor(cursor_);
    return true;
  }
  Begin();
  if (!plan_.from_list) return true;
  api::ListContextsRequest list;
  api::ListContextsResponse response;
  list.set_namespace_(plan_.request.namespace_());
  if (FeedCall(client_.get(), "ContextManager/ListContexts", list, &response).code !=
      GRPC_STATUS_OK) {
    return false;
  }
  if (response.cursor().empty()) Wrong("a list without a cursor");
  cursor_ = response.cursor();
  request->set_cursor(cursor_);
  return true;
}

bool FeedSubscriber::Read(GrpcCall *call) {
  uint64_t rest = 1 + Random(OneIn(3) ? 5 : 200);
  std::string bytes;

  for (; wrong_.empty(); rest--) {
    if (plan_.slow && !finishes_) {
      world_->Dawdle(static_cast<int>(200 + Random(2800)), FeedWorld::Phase::kFinish);
    }
    if (!call->Receive(&bytes)) return Ended(call);
    api::SubscribeResponse response;
    if (!response.ParseFromString(bytes)) Wrong("a malformed message");
    Next next = Take(response, rest == 1 && !finishes_);
    if (next == Next::kServerGone) return false;
    if (IsDone()) {
      done_ = true;
      return true;
    }
    if (next == Next::kLeave) {
      // It may be away for a while: meanwhile things happen to what it was told of last.
      if (OneIn(3)) world_->AwaitAcks(Random(300), FeedWorld::Phase::kFinish);
      if (!plan_.anew || !OneIn(3)) return true;
      record_.complete = false;
      earlier_.push_back(record_);
      cursor_.clear();
      return true;
    }
    if (!finishes_ && world_->phase() == FeedWorld::Phase::kFinish) return true;
  }
  return true;
}

// A stream ends only when the server does.
bool FeedSubscriber::Ended(GrpcCall *call) {
  GrpcOutcome outcome = call->FinishUnread();

  if (!FeedIsGone(outcome)) {
    Wrong("the stream ends with " + std::to_string(outcome.code) + " " + outcome.Reason() + ": " +
          outcome.message);
  }
  return false;
}

// ---- Messages. ----------------------------------------------------------------------------

FeedSubscriber::Next FeedSubscriber::Take(const api::SubscribeResponse &response, bool leave) {
  switch (response.kind_case()) {
    case api::SubscribeResponse::kEvents:
      return TakeEvents(response.events(), leave);
    case api::SubscribeResponse::kCaughtUp:
      if (caught_up_) Wrong("has caught up twice");
      caught_up_ = true;
      return TakeMark(response.caught_up().cursor()) == Next::kServerGone ? Next::kServerGone
             : leave                                                      ? Next::kLeave
                                                                          : Next::kGoOn;
    case api::SubscribeResponse::kProgress:
      if (response.progress().cursor().empty()) Wrong("progress without a cursor");
      cursor_ = response.progress().cursor();
      return leave ? Next::kLeave : Next::kGoOn;
    default:
      Wrong("an empty message");
      return Next::kLeave;
  }
}

// From here on everything is told. What is written now is behind it.
FeedSubscriber::Next FeedSubscriber::TakeMark(const std::string &cursor) {
  if (cursor.empty()) Wrong("has caught up without a cursor");
  cursor_ = cursor;
  auto held = world_->HoldPhase();
  if (record_.all_behind != UINT64_MAX || world_->phase() != FeedWorld::Phase::kLoad) {
    return Next::kGoOn;
  }
  api::UpdateContextRequest request;
  api::UpdateContextResponse response;
  request.set_namespace_(plan_.request.namespace_());
  request.set_context_id("mark-" + plan_.name);
  request.mutable_create_if_missing();
  request.add_mutations()->mutable_put_entry()->set_key("k-mark");
  GrpcOutcome outcome = FeedCall(client_.get(), "ContextManager/UpdateContext", request, &response);
  if (outcome.code != GRPC_STATUS_OK) return Next::kServerGone;
  record_.all_behind = response.write().revision() - 1;
  world_->Acknowledge(request.namespace_(), request.context_id(), response.write().revision());
  return Next::kGoOn;
}

// One who leaves has had any of the events, and forgets the rest.
FeedSubscriber::Next FeedSubscriber::TakeEvents(const api::EventBatch &batch, bool leave) {
  int count = batch.events_size();

  if (count == 0) Wrong("a message of no events");
  if (leave) count = 1 + static_cast<int>(Random(static_cast<uint64_t>(count)));
  for (int i = 0; i < count && wrong_.empty(); i++) {
    if (TakeEvent(batch.events(i)) == Next::kServerGone) return Next::kServerGone;
  }
  return leave ? Next::kLeave : Next::kGoOn;
}

FeedSubscriber::Next FeedSubscriber::TakeEvent(const api::Event &part) {
  api::Event event;

  if (part.cursor().empty()) Wrong("an event without a cursor");
  if (part.reset() && Builds() && !ReadAnew(part.context().id())) return Next::kServerGone;
  world_->received++;
  if (joiner_.Add(part, &event)) {
    if (Builds() && !event.reset()) Build(event);
    Keep(event);
  }
  if (!joiner_.wrong().empty()) Wrong(joiner_.wrong());
  cursor_ = part.cursor();
  return Next::kGoOn;
}

// What was done is not told. False: the server is gone.
bool FeedSubscriber::ReadAnew(const std::string &id) {
  api::GetContextRequest request;
  api::GetContextResponse response;

  request.mutable_state()->set_namespace_(plan_.request.namespace_());
  request.mutable_state()->set_context_id(id);
  GrpcOutcome outcome = FeedCall(client_.get(), "ContextManager/GetContext", request, &response);
  if (outcome.code == GRPC_STATUS_NOT_FOUND) {
    view_.Forget(id);  // Its end is told later, and before that what was done to it.
  } else if (outcome.code == GRPC_STATUS_OK && !filter_.SelectsContext(response.context())) {
    view_.Drop(id);  // It has left the selection since: what follows is not told.
  } else if (outcome.code == GRPC_STATUS_OK) {
    view_.Replace(response.context());
  } else if (!FeedIsGone(outcome)) {
    Wrong("cannot read " + id + ": " + outcome.message);
  }
  return !FeedIsGone(outcome);
}

void FeedSubscriber::Build(const api::Event &event) {
  std::string wrong = view_.Apply(event);

  if (!wrong.empty()) Wrong(wrong + ", after " + FeedText(FeedCondense(event)));
  if (!event.has_session() && !filter_.SelectsContext(event.context())) {
    view_.Drop(event.context().id());  // It has left the selection.
  }
}

void FeedSubscriber::Keep(const api::Event &event) {
  api::Event kept = event;

  if (event.type() == api::EVENT_TYPE_SNAPSHOT) {
    kept.clear_time();
    record_.shown.push_back({record_.told.size(), event.context().id(), event.revision(),
                             texts_->Keep(FeedCondense(kept))});
  } else {
    record_.told.push_back({texts_->Keep(FeedCondense(kept)), event.revision()});
  }
}

// ---- What it built. -----------------------------------------------------------------------

std::string FeedSubscriber::CompareView(const FeedView &whole) const {
  bool some_keys = filter_.scope() == FeedScope::kSomeKeys;
  auto show = [&](const FeedView::Context &context) {
    api::Event event = FeedSnapshotOf(plan_.request.namespace_(), context);
    filter_.Cut(&event);
    if (some_keys) event.clear_context(), event.clear_revision();
    return event;
  };

  if (!Builds()) return "";
  for (const auto &pair : view_.contexts()) {
    const FeedView::Context *there = whole.Find(pair.first);
    if (whole.IsUnknown(pair.first)) continue;
    api::Event built = show(pair.second), logged = there != nullptr ? show(*there) : api::Event();
    FeedFillVersions(logged, &built);
    FeedFillVersions(built, &logged);
    if (there != nullptr && FeedCondense(built) == FeedCondense(logged)) continue;
    return plan_.name + " built\n  " + FeedText(FeedCondense(built)) + "\nof " + pair.first +
           ", which is\n  " + (there != nullptr ? FeedText(FeedCondense(logged)) : "nothing");
  }
  for (const auto &pair : whole.contexts()) {
    bool may_be_unknown = some_keys || plan_.request.metadata_size() > 0;
    if (may_be_unknown || !filter_.SelectsContext(pair.second.head)) continue;
    if (view_.Find(pair.first) == nullptr) return plan_.name + " does not know " + pair.first;
  }
  return "";
}
