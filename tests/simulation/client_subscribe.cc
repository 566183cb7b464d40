// Subscribers: they come, read as fast or as slowly as they like, leave, and go on later, also
// in the next life of the server.

#include "tests/simulation/simulation_internal.h"

namespace simulation {

namespace {

constexpr int64_t kQuietMaxUs = 2'000'000;  // How long a subscriber waits before it looks up.
constexpr uint64_t kLingerIn = 3;           // A snapshot is left for a while once in so many.
constexpr int64_t kAwayMaxUs = 500'000;     // How long it is away.
constexpr int64_t kHurryUs = 1'000'000;     // In which everything is told that there is.

bool BeginsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

}  // namespace

bool Simulation::Reading() const { return reading_ && !machine_.ended() && !server_.failed(); }

void Simulation::StartReaders() {
  reading_ = true;
  hurry_ = stopping_ = false;
  floor_seen_ = 0;
  while (subscribers_.size() < swarm_.readers) {
    subscribers_.push_back(std::make_unique<Subscriber>());
  }
  for (const auto &each : subscribers_) {
    Subscriber *subscriber = each.get();
    subscriber->fiber = scheduler_.Create("reader " + std::to_string(++reader_count_),
                                          [this, subscriber] { RunReader(subscriber); });
  }
}

void Simulation::StopReaders() {
  if (!machine_.ended() && reader_dice_.OneIn(3)) {
    stopping_ = true;
    server_.EndSubscriptions();
  }
  reading_ = false;
  WakeReaders();
  for (const auto &each : subscribers_) scheduler_.Join(each->fiber);
}

void Simulation::WakeReaders() {
  scheduler_.WakeAll(&reading_);
  for (const auto &each : subscribers_) {
    Waiter *waiter = each->subscription.waiter.get();
    if (waiter != nullptr) scheduler_.WakeAll(waiter);
  }
}

// Another log, or one that has lost something, does not know their positions.
void Simulation::ForgetReaders() {
  for (const auto &each : subscribers_) each->reader.Forget();
}

void Simulation::RunReader(Subscriber *subscriber) {
  while (Reading()) {
    if (Enter(subscriber)) {
      ReadOn(subscriber);
      Leave(subscriber);
    }
    Rest(static_cast<int64_t>(reader_dice_.Between(kAwayMaxUs / 10, kAwayMaxUs)));
    if (hurry_) scheduler_.Sleep(kHurryUs / 10);
  }
}

void Simulation::Rest(int64_t us) {
  int64_t deadline_us = scheduler_.now_us() + us;
  while (scheduler_.now_us() < deadline_us && Reading() && !hurry_) {
    scheduler_.Wait(&reading_, deadline_us);
  }
}

// ---- Coming and leaving. ------------------------------------------------------

// Chooses where to begin: anew, or where it was.
void Simulation::Choose(Subscriber *subscriber) {
  Reader &reader = subscriber->reader;
  Subscription &subscription = subscriber->subscription;
  Dice &dice = reader_dice_;
  subscription.start = Subscription::kPosition;
  subscription.progress_interval_us = swarm_.progress_interval_us;
  if (reader.has_begun() && !dice.OneIn(swarm_.new_filter_in)) {
    bool goes_back = !reader.marks().empty() && dice.OneIn(swarm_.go_back_in);
    subscription.mark =
        goes_back ? reader.marks()[dice.Below(reader.marks().size())] : reader.now();
    return;
  }
  reader.Forget();
  reader.filter = NextFilter(swarm_, &dice);
  reader.without_values = dice.OneIn(3);
  subscription.mark = {};
  if (dice.OneIn(swarm_.snapshot_in)) {
    subscription.start = Subscription::kNow;
    subscription.mark.in_snapshot = true;
  } else if (dice.OneIn(3)) {
    subscription.start = Subscription::kNow;
  } else if (dice.OneIn(3)) { /* One that it has made up. */
    uint64_t revision = 1 + dice.Below(server_.durable() + 4);
    subscription.mark.position = {revision, static_cast<uint32_t>(dice.Below(4))};
  }
}

void Simulation::CheckFloor() {
  uint64_t floor = server_.floor();
  uint64_t durable = server_.durable();
  if (floor < floor_seen_) scheduler_.Stop("the floor sinks");
  floor_seen_ = floor;
  if (checker_.newest() < durable) return;
  if (!checker_.events().HasFloor(floor, durable)) {
    scheduler_.Stop("the floor is " + std::to_string(floor) + " before that is durable");
  }
}

// Asks for a subscription, and sees whether it may be had.
bool Simulation::Enter(Subscriber *subscriber) {
  Subscription &subscription = subscriber->subscription;
  Call call;
  Choose(subscriber);
  CheckFloor();
  Asked asked = {server_.durable(), server_.floor(), ++maybe_open_, ++comings_};
  std::string failure = server_.Subscribe(&call, subscriber->reader, NoMemoryAt(), &subscription);
  if (trace_.on()) {
    Say(scheduler_.name(),
        "subscribes " + subscriber->reader.filter.Describe() + " from " +
            (subscription.start == Subscription::kNow ? "now" : subscription.mark.position.text()) +
            (subscription.mark.in_snapshot ? " in a snapshot at " + subscription.mark.place.text()
                                           : "") +
            " -> " + failure);
  }
  if (machine_.ended() || server_.failed()) {
    if (failure.empty()) open_++;
    if (failure.empty())
      Leave(subscriber);
    else
      maybe_open_--;
    return false;
  }
  if (!failure.empty()) {
    CheckRefused(*subscriber, asked, call.starved, failure);
    maybe_open_--;
    comings_++;
    if (BeginsWith(failure, "CURSOR_COMPACTED")) subscriber->reader.Forget();
    return false;
  }
  CheckEntered(subscriber, asked);
  return true;
}

void Simulation::CheckRefused(const Subscriber &subscriber, const Asked &asked, bool starved,
                              const std::string &failure) {
  const Position &position = subscriber.subscription.mark.position;
  uint64_t revision = position.revision;
  bool has_position = subscriber.subscription.start == Subscription::kPosition && revision != 0;
  Position end = {asked.durable + 1, 0};
  uint64_t open = std::max(asked.maybe_open, maybe_open_) - 1;
  bool is_true = starved;
  if (BeginsWith(failure, "CURSOR_COMPACTED"))
    is_true = has_position && revision <= server_.floor();
  if (BeginsWith(failure, "INVALID_FIELD")) is_true = has_position && end < position;
  if (BeginsWith(failure, "LIMIT_REACHED limit=subscriptions_max")) {
    is_true = open >= swarm_.subscriptions_max || comings_ > asked.comings + 1;
  }
  if (BeginsWith(failure, "STOPPING")) is_true = stopping_;
  if (BeginsWith(failure, "STORAGE_FAILED")) is_true = machine_.has_failed();
  if (!is_true) {
    scheduler_.Stop("a subscription from " + subscriber.subscription.mark.position.text() +
                    " is refused with " + failure);
  }
}

void Simulation::CheckEntered(Subscriber *subscriber, const Asked &asked) {
  const Subscription &subscription = subscriber->subscription;
  Reader::Mark mark = subscription.mark;
  Position sure_from;
  open_++;
  comings_++;
  if (open_ > swarm_.subscriptions_max) scheduler_.Stop("there are too many subscriptions");
  if (subscription.start == Subscription::kNow) {
    mark.position = {asked.durable + 1, 0};
    sure_from = {server_.durable() + 1, 0};
  } else if (mark.position.revision == 0) {
    mark.position = {asked.floor + 1, 0};
    sure_from = {server_.floor() + 1, 0};
  } else if (mark.position.revision <= asked.floor) {
    scheduler_.Stop("a subscription begins at " + mark.position.text() + ", below the floor");
  } else if (Position{server_.durable() + 1, 0} < mark.position) {
    scheduler_.Stop("a subscription begins at " + mark.position.text() + ", in the future");
  }
  subscriber->caught_up = false;
  subscriber->page_upto = 0;
  subscriber->durable = subscriber->durable_before = 0;
  /* The first progress may come a little early, so that not all come together. */
  subscriber->told_us = scheduler_.now_us() - swarm_.progress_interval_us / 4;
  subscriber->begun = asked.durable;
  subscriber->reader.Begin(mark, sure_from);
}

void Simulation::Leave(Subscriber *subscriber) {
  open_--;
  server_.Unsubscribe(&subscriber->subscription);
  maybe_open_--;
  comings_++;
  if (trace_.on()) Say(scheduler_.name(), "unsubscribes");
}

// ---- Reading. -----------------------------------------------------------------

void Simulation::ReadOn(Subscriber *subscriber) {
  while (Reading() && (hurry_ || !reader_dice_.OneIn(swarm_.leave_in))) {
    Call call;
    uint64_t floor = server_.floor();
    NoteDurable(subscriber);
    Told told = server_.Next(&call, swarm_.read_size, NoMemoryAt(), &subscriber->subscription,
                             [this] { RestNowAndThen(); });
    told.purged_surely = subscriber->durable_before;
    if (machine_.ended()) return; /* Nobody heard it any more. */
    if (trace_.on()) Say(scheduler_.name(), "is told " + told.Describe());
    if (told.kind == Told::kNothing) {
      if (!AwaitMore(subscriber)) return;
      continue;
    }
    if (told.kind == Told::kLater) {
      scheduler_.Pause();
      continue;
    }
    if (told.kind == Told::kEnd) return CheckEnd(subscriber, call.starved, told.failure);
    Hear(subscriber, floor, told);
    RestNowAndThen();
    if (told.in_snapshot && reader_dice_.OneIn(kLingerIn)) {
      Rest(static_cast<int64_t>(reader_dice_.Below(static_cast<uint64_t>(swarm_.think_us))));
      if (reader_dice_.OneIn(kLingerIn)) return;
    }
  }
}

// Remembers what was durable at an earlier time than now: by now the feed knows.
void Simulation::NoteDurable(Subscriber *subscriber) {
  if (scheduler_.now_us() != subscriber->noted_us) {
    subscriber->durable_before = subscriber->durable;
  }
  subscriber->noted_us = scheduler_.now_us();
  subscriber->durable = server_.durable();
}

void Simulation::RestNowAndThen() {
  if (!reader_dice_.OneIn(swarm_.read_rest_in)) return;
  Rest(static_cast<int64_t>(reader_dice_.Below(static_cast<uint64_t>(swarm_.read_rest_us))));
}

// What was told must be durable, and be what was to be told.
void Simulation::Hear(Subscriber *subscriber, uint64_t floor, const Told &told) {
  Reader &reader = subscriber->reader;
  uint64_t upto = told.next.revision - (told.next.index == 0 ? 1 : 0);
  std::string what = "a subscription " + reader.filter.Describe() + ", from " +
                     reader.now().position.text() + ", is told " + told.Describe() + ": ";
  if (upto > server_.durable()) scheduler_.Stop(what + "that is not durable");
  if (!told.events.empty() && told.events[0].at.revision <= floor) {
    scheduler_.Stop(what + "that lies below the floor");
  }
  CheckPage(subscriber, told, what);
  checker_.Told(upto);
  while (checker_.newest() < told.purged_maybe)
    scheduler_.Sleep(1); /* Somebody is about to say what it is. */
  std::string wrong = reader.Hear(checker_.events(), told);
  if (!wrong.empty()) scheduler_.Stop(what + wrong);
  if (told.kind == Told::kCaughtUp) {
    bool early = told.in_snapshot || upto < subscriber->begun;
    if (subscriber->caught_up || early) scheduler_.Stop(what + "it is not its time");
    subscriber->caught_up = true;
  }
  if (told.kind == Told::kProgress &&
      told.at_us < subscriber->told_us + swarm_.progress_interval_us) {
    scheduler_.Stop(what + "it has not been quiet for so long");
  }
  subscriber->told_us = told.at_us;
}

// Once events were told from a place of a snapshot, the contexts behind it have been looked at:
// what happens later is told behind them.
void Simulation::CheckPage(Subscriber *subscriber, const Told &told, const std::string &what) {
  const Place &page = subscriber->page;
  bool counts = told.kind == Told::kEvents && told.in_snapshot;
  bool same = subscriber->page_upto != 0 && !(told.place < page) && !(page < told.place);
  if (counts && same && told.events.back().at.revision > subscriber->page_upto) {
    scheduler_.Stop(what + "that comes behind the next context");
  }
  if (counts && !same) {
    subscriber->page = told.place;
    subscriber->page_upto = told.newest;
  }
  if (told.kind == Told::kSnapshot) subscriber->page_upto = 0;
}

void Simulation::CheckEnd(Subscriber *subscriber, bool starved, const std::string &failure) {
  bool is_true = starved;
  if (BeginsWith(failure, "CURSOR_COMPACTED")) {
    is_true = subscriber->reader.now().position.revision <= server_.floor();
    subscriber->reader.Forget();
  }
  if (BeginsWith(failure, "STOPPING")) is_true = stopping_;
  bool has_failed = machine_.has_failed() || server_.failed();
  if (BeginsWith(failure, "STORAGE_FAILED")) is_true = has_failed;
  if (BeginsWith(failure, "NOT_READY")) is_true = has_failed;
  /* A disk that says that it is full when a file is to be read is not believed to be. */
  if (failure == "LIMIT_REACHED limit=memory") is_true |= machine_.may_be_full();
  if (!is_true) scheduler_.Stop("a subscription ends with " + failure);
}

// Waits until there is more. False: the reader does not want to wait any longer.
bool Simulation::AwaitMore(Subscriber *subscriber) {
  Subscription &subscription = subscriber->subscription;
  uint64_t asked_at = server_.revision();
  for (;;) {
    uint64_t durable = server_.durable();
    int64_t us = 1 + static_cast<int64_t>(reader_dice_.Below(kQuietMaxUs));
    if (server_.Await(&subscription, scheduler_.now_us() + us)) {
      if (subscription.waiter->base.status != CX_OK) scheduler_.Stop("a reader's waiter fails");
      subscription.waiter = nullptr;
      return true;
    }
    if (!Reading() || machine_.has_failed()) return false;
    CheckNotForgotten(*subscriber, asked_at, durable);
    if (!hurry_ && reader_dice_.OneIn(swarm_.leave_in)) return false;
  }
}

// It waits, and time has passed since everything up to `durable` could be told.
void Simulation::CheckNotForgotten(const Subscriber &subscriber, uint64_t asked_at,
                                   uint64_t durable) {
  if (swarm_.stall_in != 0 || checker_.newest() < durable) return;
  const Reader &reader = subscriber.reader;
  const Event *untold = reader.FindUntold(checker_.events(), durable);
  std::string who = "a subscription " + reader.filter.Describe();
  if (untold != nullptr) scheduler_.Stop(who + " is not told of " + untold->at.text());
  if (reader.now().in_snapshot && asked_at <= durable) {
    scheduler_.Stop(who + " waits for its snapshot");
  }
}

// When nobody rests any more, everybody gets all there is.
void Simulation::CheckReaders() {
  hurry_ = true;
  uint64_t durable = server_.durable();
  WakeReaders();
  scheduler_.Sleep(kHurryUs);
  if (!Reading() || machine_.has_failed() || checker_.newest() < durable) return;
  for (const auto &each : subscribers_) {
    if (each->subscription.base == nullptr || !each->reader.has_begun()) continue;
    const Event *untold = each->reader.FindUntold(checker_.events(), durable);
    if (untold != nullptr) {
      scheduler_.Stop("in the end a subscription " + each->reader.filter.Describe() +
                      " was not told of " + untold->at.text());
    }
  }
  if (server_.floor() < checker_.events().FloorAt(durable)) {
    scheduler_.Stop("the floor has not risen");
  }
}

}  // namespace simulation
