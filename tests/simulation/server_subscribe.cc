// Subscriptions.

extern "C" {
#include "core/engine/engine_internal.h"
}

#include "tests/simulation/event_view.h"
#include "tests/simulation/scope.h"
#include "tests/simulation/server.h"

namespace simulation {

namespace {

Position Of(const cx_feed_position &position) { return {position.revision, position.index}; }

Place Of(const cx_snapshot_place &place) { return {place.shard, Text(place.id)}; }

Told::Kind KindOf(cx_told_kind kind) {
  switch (kind) {
    case CX_TOLD_EVENTS:
      return Told::kEvents;
    case CX_TOLD_SNAPSHOT:
      return Told::kSnapshot;
    case CX_TOLD_CAUGHT_UP:
      return Told::kCaughtUp;
    case CX_TOLD_PROGRESS:
      return Told::kProgress;
    case CX_TOLD_NOTHING:
      return Told::kNothing;
    case CX_TOLD_LATER:
      return Told::kLater;
    default:
      return Told::kEnd;
  }
}

// Borrows the filter.
struct AskedFilter {
  explicit AskedFilter(const Filter &filter) : labels(LabelsOf(filter.labels)) {
    for (const std::string &id : filter.ids) ids.push_back(Bytes(id));
    asked.namespace_id = Bytes(filter.namespace_id);
    asked.context_ids = ids.data();
    asked.context_id_count = ids.size();
    asked.id_prefix = Bytes(filter.id_prefix);
    asked.type = Bytes(filter.type);
    asked.labels = labels.data();
    asked.label_count = labels.size();
    for (int type : filter.event_types) asked.event_types |= 1u << type;
    asked.key_prefix = Bytes(filter.key_prefix);
  }

  std::vector<cx_bytes> ids;
  std::vector<cx_label> labels;
  cx_event_filter asked = {};
};

}  // namespace

// ---- The hand-over. -----------------------------------------------------------

// The linker puts this in front of cx_feed_hand_over(): now and then there is no memory for it.
extern "C" void __real_cx_feed_hand_over(cx_feed *feed, cx_buffer *frames, uint64_t first,
                                         size_t count);

extern "C" void __wrap_cx_feed_hand_over(cx_feed *feed, cx_buffer *frames, uint64_t first,
                                         size_t count) {
  Call call;
  if (!Server::LeavesOut()) return __real_cx_feed_hand_over(feed, frames, first, count);
  Scope scope(&call, 1);
  __real_cx_feed_hand_over(feed, frames, first, count);
}

static Server *serving = nullptr;

void Server::Serve(Server *server) { serving = server; }

bool Server::LeavesOut() {
  return serving != nullptr && serving->hand_over_dice_.OneIn(serving->left_out_in);
}

// ---- Subscriptions. -----------------------------------------------------------

uint64_t Server::durable() const { return cx_commit_durable(&engine_->commit); }
uint64_t Server::revision() const { return cx_commit_revision(&engine_->commit); }

std::string Server::Subscribe(Call *call, const Reader &reader, uint64_t no_memory_at,
                              Subscription *subscription) {
  const Reader::Mark &mark = subscription->mark;
  AskedFilter filter(reader.filter);
  cx_subscribe_request request = {};
  cx_error error = {};
  request.feed.filter = &filter.asked;
  request.feed.without_values = reader.without_values;
  request.feed.has_position = subscription->start != Subscription::kNow;
  request.feed.position = {mark.position.revision, mark.position.index};
  request.feed.progress_interval_us = subscription->progress_interval_us;
  request.with_snapshot = mark.in_snapshot;
  request.place = {mark.place.shard, Bytes(mark.place.id)};
  Scope scope(call, no_memory_at);
  cx_status status = cx_engine_subscribe(engine_, &request, &subscription->base, &error);
  return status == CX_OK ? "" : ErrorText(error);
}

Told Server::Next(Call *call, uint64_t size_max, uint64_t no_memory_at, Subscription *subscription,
                  const std::function<void()> &while_held) {
  Told told;
  auto raw = std::make_unique<cx_told>();
  cx_error error = {};
  subscription->waiter = std::make_unique<Waiter>();
  {
    Scope scope(call, no_memory_at);
    cx_engine_next(subscription->base, size_max, &subscription->waiter->base, raw.get(), &error);
  }
  told.kind = KindOf(raw->kind);
  told.at_us = scheduler_->now_us();
  told.newest = revision();
  told.purged_maybe = durable();
  if (told.kind == Told::kNothing) return told;
  subscription->waiter = nullptr;
  told.failure = told.kind == Told::kEnd ? ErrorText(error) : "";
  if (told.kind >= Told::kLater) return told;
  told.in_snapshot = raw->in_snapshot;
  told.next = Of(raw->next);
  told.place = Of(raw->place);
  if (told.kind == Told::kSnapshot) {
    told.before = Of(raw->before);
    told.context = Show(*raw->context, true);
  }
  if (told.kind != Told::kEvents) return told;
  while_held();
  for (size_t i = 0; i < raw->batch.count; i++) {
    const cx_feed_piece &piece = raw->batch.pieces[i];
    told.events.push_back({{piece.event->revision, piece.event->index},
                           Of(cx_feed_behind(piece.event)),
                           DigestOfEncoded(piece.encoded)});
  }
  cx_feed_batch_done(&raw->batch);
  return told;
}

bool Server::Await(Subscription *subscription, int64_t deadline_us) {
  Waiter *waiter = subscription->waiter.get();
  if (!waiter->done) scheduler_->Wait(waiter, deadline_us);
  return waiter->done;
}

void Server::Unsubscribe(Subscription *subscription) {
  Waiter *waiter = subscription->waiter.get();
  bool had_waiter = cx_engine_unsubscribe(subscription->base);
  subscription->base = nullptr;
  if (waiter == nullptr) return;
  if (had_waiter) {
    if (waiter->done) scheduler_->Stop("a waiter is given back that is completed already");
    given_back_.push_back(std::move(subscription->waiter));
    return;
  }
  while (!waiter->done) scheduler_->Wait(waiter, 0);
  subscription->waiter = nullptr;
}

}  // namespace simulation
