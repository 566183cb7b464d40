// Answers to writes: those that changed something, repeats, and those that changed nothing.

#include <algorithm>

#include "tests/simulation/checker.h"

namespace simulation {

namespace {

bool BeginsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

std::string Number(uint64_t number) { return std::to_string(number); }

// Of a context that is told of, or is not there any more.
std::string DifferenceOfContext(const Model &model, const Name &name, int64_t now_us,
                                const Shown &shown) {
  const Context *context = model.Find(name);
  bool is_there = IsLive(context) && !Model::IsExpired(*context, now_us);
  if (!is_there) return shown.state.create_time_us == 0 ? "" : "it is not there";
  if (!(shown.name == name)) return "it is called " + shown.name.id;
  return Difference(*context, shown, true);
}

std::string DifferenceOfActivation(const Model &model, const Operation &operation,
                                   const Returned &returned) {
  const Session *session = model.FindSession(operation.session());
  const Activation *found = session != nullptr && returned.session.is_there
                                ? session->Find(operation.name().id)
                                : nullptr;
  return Difference(found != nullptr ? *found : Activation(), returned.activation);
}

// Of a resource that is told of, or, to a repeat, that it is not held any more.
std::string DifferenceOfClaim(const Model &model, const Operation &operation,
                              const ShownResources &shown) {
  const Context *context = model.Find(operation.name());
  Work work;
  if (context != nullptr) {
    auto found = context->work->resources.find(operation.claim.name);
    if (found != context->work->resources.end() &&
        found->second.session_id == operation.session_id) {
      work.resources.insert(*found);
    }
  }
  return Difference(work, RowQuery(), shown);
}

// Of a point that was made or changed, or is not there any more. A repeat that made one is not told
// of another that has its id by now.
std::string DifferenceOfPoint(const Model &model, const Operation &operation, const Call &call,
                              const ShownPoint &shown) {
  const Context *context = model.Find(operation.name());
  const Point *point = context != nullptr ? context->points().Find(operation.point.id) : nullptr;
  bool is_another = point != nullptr && operation.kind == Kind::kMakePoint &&
                    call.answer.replayed && point->revision > call.answer.revision;
  if (point == nullptr || point->IsExpired(call.now_us) || is_another) {
    return shown.is_there ? "it is gone" : "";
  }
  return Difference(context->points(), *point, shown);
}

// Of a history that was optimized before: what it keeps now.
std::string DifferenceOfKept(const Model &model, const Name &name, const Call &call) {
  const Context *context = model.Find(name);
  Kept now;
  if (IsLive(context) && !Model::IsExpired(*context, call.now_us)) {
    now.kept_count = context->work->history.size();
    now.kept_bytes = context->work->history_bytes;
  }
  return call.answer.kept == now ? "" : "it keeps " + Number(now.kept_count);
}

}  // namespace

void Checker::EndWrite(const std::shared_ptr<Call> &call, const Returned &returned) {
  Later(call, [this, call, returned] {
    CheckWrite(call);
    if (call->answer.failure.empty()) CheckReturned(*call, returned);
  });
}

// What is returned besides is as it was at some moment of the call.
void Checker::CheckReturned(const Call &call, const Returned &returned) {
  std::string last;
  auto is_true = [&](const Model &model) {
    std::string difference = DifferenceOf(call, model, returned);
    if (last.empty()) last = difference; /* Of the newest. */
    return difference.empty();
  };
  if (!CheckExplained(call, is_true)) Fail(call, "what it shows is wrong: " + last);
  const ShownSession &session = returned.session;
  if (session.is_there) CheckTerm(call, session.name, session.expire_time_us);
}

std::string Checker::DifferenceOf(const Call &call, const Model &model,
                                  const Returned &returned) const {
  Operation named = WithId(call.operation);
  ShownSession session = returned.session;
  std::string difference;
  if (named.kind == Kind::kStart && !call.answer.replayed) named.session_id = call.id;
  bool is_new = named.kind == Kind::kCreate || named.kind == Kind::kFork;
  if (is_new && !call.answer.replayed) named.parts[0].id = call.id;
  if (!call.point_id.empty()) named.point.id = call.point_id;
  switch (named.kind) {
    case Kind::kActivate:
      difference = DifferenceOfActivation(model, named, returned);
      [[fallthrough]];
    case Kind::kStart:
    case Kind::kSwitch:
    case Kind::kDeactivate:
      if (session.is_there && !(session.name == named.session())) return "another session";
      session.name = named.session();
      if (difference.empty()) difference = Difference(model, session);
      if (named.kind != Kind::kActivate || !difference.empty()) return difference;
      [[fallthrough]];
    case Kind::kCreate:
    case Kind::kFork:
      return DifferenceOfContext(model, named.name(), call.now_us, returned.context);
    case Kind::kMakePoint:
    case Kind::kChangePoint:
      return DifferenceOfPoint(model, named, call, returned.point);
    case Kind::kRestore:
      return call.answer.replayed
                 ? ""
                 : DifferenceOfContext(model, named.name(), call.now_us, returned.context);
    case Kind::kAcquire:
      return DifferenceOfClaim(model, named, returned.resource);
    case Kind::kOptimize:
      return call.answer.replayed ? DifferenceOfKept(model, named.name(), call) : "";
    default:
      return "";
  }
}

void Checker::CheckWrite(const std::shared_ptr<Call> &call) {
  const Answer &answer = call->answer;
  const Answer &expected = call->expected;
  if (answer.replayed) return CheckReplay(call);
  if (!answer.failure.empty() || answer.revision == 0) return CheckUnchanged(call);
  if (call->changes == 0 || !call->complete) return Fail(*call, "nothing was changed");
  if (answer.revision != expected.revision || answer.versions != expected.versions ||
      answer.sequence != expected.sequence || answer.count != expected.count ||
      !(answer.kept == expected.kept) || !(answer.joined == expected.joined)) {
    Fail(*call, "the model says " + expected.Describe());
  }
  if (call->wait_for < answer.revision) Fail(*call, "told before it is durable");
}

void Checker::CheckReplay(const std::shared_ptr<Call> &call) {
  const Request *request = FindRequest(call->operation, call->last);
  const Answer &answer = call->answer;
  if (call->changes > 0) Fail(*call, "a repeat has changed something");
  if (request == nullptr) return Fail(*call, "there was no such request");
  if (request->content != call->operation.Content()) Fail(*call, "another request had this id");
  const Answer &before = request->answer;
  bool same = answer.revision == request->revision && answer.sequence == before.sequence;
  for (size_t i = 0; i < answer.versions.size(); i++) {
    same = same && (answer.versions[i] == before.versions[i] || (i > 0 && answer.versions[i] == 0));
  }
  if (!same) Fail(*call, "the request was answered with " + before.Describe());
  if (call->wait_for < request->revision) Fail(*call, "told before it is durable");
}

// ---- Answers that changed nothing. --------------------------------------------

// What a request may weigh in the log, generously.
bool Checker::MayWeigh(const Operation &operation) const {
  uint64_t weight = 1000;
  if (operation.kind >= Kind::kRestore && operation.kind <= Kind::kMerge) return true;
  for (const auto &[key, value] : operation.point.attachments) weight += 100 + value.size();
  for (const auto &[key, value] : operation.point.add_attachments) weight += 100 + value.size();
  for (const Part &part : operation.parts) {
    weight += 8000; /* Labels, before and after. */
    for (const Mutation &each : part.mutations) {
      weight += 100 + each.key.size() + each.value.size() + each.content_type.size();
      if (each.activity != nullptr) weight += each.activity->Content().size();
    }
  }
  return weight > weather.change_size_max;
}

// Whether a request may take more memory than it gives back.
bool Checker::MayGrow(const Operation &operation) {
  switch (operation.kind) {
    case Kind::kDelete:
    case Kind::kTruncate:
    case Kind::kOptimize:
    case Kind::kEnd:
    case Kind::kDeactivate:
    case Kind::kRelease:
    case Kind::kDropPoint:
    case Kind::kPrune:
      return false;
    case Kind::kRestore:
      return operation.point.safety;
    case Kind::kUpdate:
      break;
    default:
      return true;
  }
  const Part &part = operation.parts[0];
  return part.may_create ||
         std::any_of(part.mutations.begin(), part.mutations.end(), [](const Mutation &each) {
           return each.step == Step::kPut || each.step == Step::kAppend ||
                  each.step == Step::kSetLabel || each.step == Step::kRecord;
         });
}

bool Checker::IsStarved(const Call &call, const std::string &failure) {
  return failure == "LIMIT_REACHED limit=memory" && call.starved;
}

// Whether it is not about the contexts, but about what goes on around the engine.
bool Checker::IsExcused(const Call &call) const {
  const std::string &failure = call.answer.failure;
  bool has_moved = BeginsWith(failure, "HEAD_MOVED") && call.last > call.first + 1;
  return failure == "OVERLOADED" || has_moved ||
         (failure == "STORAGE_FULL" && weather.disk_may_be_full) ||
         (failure == "STORAGE_FAILED" && weather.disk_has_failed) || IsStarved(call, failure) ||
         (BeginsWith(failure, "LIMIT_REACHED limit=memory_limit") && weather.memory_limit != 0 &&
          MayGrow(call.operation)) ||
         (BeginsWith(failure, "LIMIT_REACHED limit=change_size_max") && MayWeigh(call.operation));
}

// Whether a request for an exclusive activation is told rightly that the one it made, or any of
// this session, is not in force any more.
bool Checker::IsStaleRepeat(const Call &call, const Model &model, const Request &request) const {
  const Operation &operation = call.operation;
  const Context *context = model.Find(operation.name());
  uint64_t fence = context != nullptr ? context->fence : 0;
  if (operation.kind != Kind::kActivate || !operation.exclusive ||
      request.content != operation.Content()) {
    return false;
  }
  for (const Model::Holder &holder : model.HoldersOf(operation.name())) {
    if (holder.activation->exclusive && holder.name == operation.session()) return false;
  }
  return call.answer.failure == "STALE_FENCE current_fence=" + Number(fence);
}

// Whether the answer to a write that changed nothing is right for a model.
bool Checker::IsTrue(const Call &call, const Model &model) const {
  const Request *request = nullptr;
  int64_t time_us = At(call.last).time_us();
  Known known = Knows(call.operation, model.revision(), time_us, &request);
  if (call.answer.failure == "REQUEST_ID_REUSED" && known != Known::kNo &&
      request->content != call.operation.Content()) {
    return true;
  }
  if (known != Known::kNo && IsStaleRepeat(call, model, *request)) return true;
  if (known == Known::kMust) return false;
  Answer answer;
  switch (model.Try(WithId(call.operation), call.changes == 0, call.now(), &answer)) {
    case Model::Outcome::kFailure:
      return answer.failure == call.answer.failure;
    case Model::Outcome::kNothing:
      return call.answer.failure.empty() && answer.kept == call.answer.kept &&
             answer.joined == call.answer.joined;
    default:
      return false;
  }
}

// Whether an answer is true at some moment of its call. It must then also be true of what is
// durable when it is told: at such a moment, or at the revision that it waits for.
bool Checker::CheckExplained(const Call &call,
                             const std::function<bool(const Model &)> &is_true) const {
  uint64_t durable = std::max(call.wait_for, call.told);
  bool explained = false;
  for (uint64_t revision = call.last + 1; revision > call.first; revision--) {
    if (!is_true(At(revision - 1))) continue;
    if (revision - 1 <= durable) return true;
    explained = true;
  }
  if (!explained) return false;
  for (uint64_t revision : {call.wait_for, durable}) {
    if (revision > newest()) Fail(call, "waits for what nobody has made");
    if (revision >= oldest_ ? is_true(At(revision)) : revision == durable) return true;
  }
  Fail(call, "told before it is durable");
  return true;
}

void Checker::CheckUnchanged(const std::shared_ptr<Call> &call) {
  bool in_rounds = call->operation.recursive || call->operation.kind == Kind::kEnd;
  if (call->changes > 0 && !(in_rounds && !call->complete)) {
    Fail(*call, "it has failed and changed something");
  }
  if (IsExcused(*call)) return;
  /* Between two rounds of a delete somebody else may have deleted the rest. */
  if (call->changes > 0 && BeginsWith(call->answer.failure, "CONTEXT_NOT_FOUND")) return;
  if (CheckExplained(*call, [&](const Model &model) { return IsTrue(*call, model); })) return;
  Answer answer;
  Model::Outcome outcome =
      At(call->last).Try(WithId(call->operation), call->changes == 0, call->now(), &answer);
  Fail(*call, "the model says " + (outcome == Model::Outcome::kFailure   ? answer.failure
                                   : outcome == Model::Outcome::kNothing ? answer.Describe()
                                                                         : "it is a change"));
}

}  // namespace simulation
