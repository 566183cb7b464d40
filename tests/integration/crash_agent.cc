#include "tests/integration/crash_agent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/support/text_message.h"

extern "C" {
#include "proto/contextd/v1/context_manager.pb-c.h"
#include "proto/contextd/v1/tracker.pb-c.h"
}

namespace {

constexpr int64_t kTtlSeconds = 86400;  // No session is lost: only kills end anything.
constexpr size_t kHistoryKept = 40;

std::string Path(const std::string &method) {
  bool manager = method == "UpdateContext" || method == "GetContext";
  return std::string("/contextd.v1.") + (manager ? "ContextManager/" : "Tracker/") + method;
}

// What an activity says, but for its number and its time.
std::string Describe(const std::string &session, const std::string &type, const std::string &data,
                     uint64_t cost_micros, int step, const std::string &resource) {
  return session + "/" + type + "/" + data + "/" + std::to_string(cost_micros) + "/" +
         std::to_string(step) + "/" + resource;
}

std::string DescribeStep(const std::string &session, int step, const std::string &resource) {
  return Describe(session, "resource", "", 0, step, resource);
}

std::string DescribeFound(const Contextd__V1__Activity &activity) {
  bool model = activity.detail_case == CONTEXTD__V1__ACTIVITY__DETAIL_MODEL;
  bool resource = activity.detail_case == CONTEXTD__V1__ACTIVITY__DETAIL_RESOURCE;
  std::string data(reinterpret_cast<char *>(activity.data.data), activity.data.len);
  return Describe(activity.session_id, activity.type, data, model ? activity.model->cost_micros : 0,
                  resource ? activity.resource->kind : 0, resource ? activity.resource->name : "");
}

}  // namespace

bool CrashAgent::Model::operator==(const Model &other) const {
  auto all = [](const Model &m) {
    return std::tie(m.sessions, m.holder, m.fence, m.version, m.value, m.last_sequence, m.history,
                    m.call_count, m.cost_micros);
  };
  return all(*this) == all(other);
}

CrashAgent::CrashAgent(int number, uint64_t seed)
    : random_(seed + 1000 + number), namespace_("agent-" + std::to_string(number)) {}

// ---- What is done. ------------------------------------------------------------------

std::string CrashAgent::Words() {
  return std::string(Random(8) == 0 ? Random(5000) : Random(60),
                     static_cast<char>('a' + Random(26)));
}

std::string CrashAgent::OnContext() const {
  return "namespace: '" + namespace_ + "' context_id: 'c' ";
}

// The options of a write by one of the sessions, or by nobody, under the fence in force.
std::string CrashAgent::WriteAs(int session) {
  std::string write = "write { request_id: '" + std::to_string(random_()) + "' ";
  if (session != kNobody) write += "session_id: '" + model_.sessions[session].id + "' ";
  if (model_.holder != kNobody) write += "fence: " + std::to_string(model_.fence) + " ";
  return write + "} ";
}

void CrashAgent::Decide() {
  Change change;
  change.after = model_;
  int session = static_cast<int>(Random(kSessions));
  uint64_t percent = Random(100);
  if (model_.sessions[session].id.empty()) {
    DecideStart(&change, session);
  } else if (percent < 15) {
    DecideTake(&change, session);
  } else if (percent < 20) {
    DecideEnd(&change, session);
  } else if (percent < 40 && model_.version > 0) {
    DecideResource(&change, session);
  } else if (percent < 70) {
    DecideWrite(&change);
  } else if (model_.history.size() > 2 * kHistoryKept) {
    DecideTruncate(&change);
  } else {
    DecideRecord(&change);
  }
  pending_ = std::make_unique<Change>(change);
}

void CrashAgent::DecideStart(Change *change, int session) {
  change->method = "StartSession";
  change->request =
      "namespace: '" + namespace_ + "' ttl { seconds: " + std::to_string(kTtlSeconds) +
      " } create_if_missing {} write { request_id: '" + std::to_string(random_()) + "' }";
  change->answer = "namespace: \"" + namespace_ + "\" ";
  change->starts = session;
}

// From whoever has it, oneself included.
void CrashAgent::DecideTake(Change *change, int session) {
  Model *after = &change->after;
  after->holder = session;
  after->fence++;
  after->version = std::max<uint64_t>(1, after->version);
  change->method = "ActivateContext";
  change->request = OnContext() + "session_id: '" + model_.sessions[session].id +
                    "' exclusive: true takeover: true guard: true write { request_id: '" +
                    std::to_string(random_()) + "' }";
  change->answer = "fence: " + std::to_string(after->fence) + " ";
}

void CrashAgent::DecideEnd(Change *change, int session) {
  Model *after = &change->after;
  const Session &ending = model_.sessions[session];
  if (!ending.resource.empty()) after->Add(DescribeStep(ending.id, 3, ending.resource));
  if (after->holder == session) after->holder = kNobody;
  after->sessions[session] = {};
  change->method = "EndSession";
  change->request = "namespace: '" + namespace_ + "' session_id: '" + ending.id +
                    "' write { request_id: '" + std::to_string(random_()) + "' }";
}

void CrashAgent::DecideResource(Change *change, int session) {
  const Session &before = model_.sessions[session];
  Session *after = &change->after.sessions[session];
  bool takes = before.resource.empty();
  if (takes) {
    after->resource = "resource-" + std::to_string(session);
    change->after.Add(DescribeStep(before.id, 1, after->resource));
  } else {
    after->resource = "";
    change->after.Add(DescribeStep(before.id, 2, before.resource));
  }
  change->method = takes ? "AcquireResource" : "ReleaseResource";
  change->request = OnContext() + "session_id: '" + before.id + "' name: '" +
                    (takes ? after->resource : before.resource) + "' " + WriteAs(session);
}

void CrashAgent::DecideWrite(Change *change) {
  Model *after = &change->after;
  after->version++;
  after->value = Words();
  change->method = "UpdateContext";
  change->request = OnContext() + "create_if_missing {} mutations { put_entry { key: 'k' value: '" +
                    after->value + "' } } " + WriteAs(model_.holder);
  change->answer = "version: " + std::to_string(after->version) + " ";
}

void CrashAgent::DecideRecord(Change *change) {
  Model *after = &change->after;
  std::string session = model_.holder != kNobody ? model_.sessions[model_.holder].id : "";
  after->version = std::max<uint64_t>(1, after->version);
  change->method = "RecordActivities";
  change->request = OnContext() + "create_if_missing {} " + WriteAs(model_.holder);
  for (uint64_t i = 0, count = 1 + Random(3); i < count; i++) {
    std::string data = Words();
    uint64_t cost = Random(1000);
    after->Add(Describe(session, "call", data, cost, 0, ""));
    after->call_count++;
    after->cost_micros += cost;
    change->request += "activities { type: 'call' data: '" + data +
                       "' model { model: 'm' cost_micros: " + std::to_string(cost) + " } } ";
  }
  change->answer = "last_sequence: " + std::to_string(after->last_sequence) + " ";
}

void CrashAgent::DecideTruncate(Change *change) {
  std::map<uint64_t, std::string> *history = &change->after.history;
  while (history->size() > kHistoryKept) history->erase(history->begin());
  change->method = "TruncateHistory";
  change->request = OnContext() + "from_sequence: " + std::to_string(history->begin()->first) +
                    " " + WriteAs(model_.holder);
}

// Sends the pending change. False: the server is gone.
bool CrashAgent::Send(bool *ret_replayed) {
  const std::string &method = pending_->method;
  GrpcOutcome outcome =
      client_->Unary(Path(method), TextEncode(method + "Request", pending_->request));
  if (outcome.code != GRPC_STATUS_OK) {
    EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, outcome.code)
        << pending_->method << " " << pending_->request << ": " << outcome.message;
    return false;
  }
  std::string answer = TextDecode(method + "Response", outcome.messages.at(0));
  EXPECT_NE(std::string::npos, answer.find(pending_->answer)) << answer;
  *ret_replayed = answer.find("replayed: true") != std::string::npos;
  if (pending_->starts != kNobody) {
    const std::string before_id = "id: \"";
    size_t at = answer.find(before_id);
    pending_->after.sessions[pending_->starts].id = answer.substr(at + before_id.size(), 32);
  }
  return true;
}

void CrashAgent::Acknowledge() {
  for (int i = 0; i < kSessions; i++) {
    const std::string &id = model_.sessions[i].id;
    if (!id.empty() && pending_->after.sessions[i].id.empty()) ended_.push_back(id);
  }
  model_ = pending_->after;
  pending_.reset();
}

void CrashAgent::Run(const std::string &address, const std::function<void()> &acknowledged) {
  bool replayed;
  client_ = std::make_unique<GrpcClient>(address);
  for (;;) {
    if (!pending_) Decide();
    if (!Send(&replayed)) break;
    EXPECT_FALSE(replayed) << pending_->request;
    Acknowledge();
    acknowledged();
  }
  client_.reset();
}

// ---- What is found. -----------------------------------------------------------------

void CrashAgent::Check(const std::string &address, int64_t started_s) {
  client_ = std::make_unique<GrpcClient>(address);
  Model found = Read(started_s);
  bool made = pending_ && found == pending_->after;
  if (pending_ && pending_->starts != kNobody) {
    // Its id is not known yet: it shows as a session that nobody was told of.
    std::string *id = &found.sessions[pending_->starts].id;
    made = !id->empty();
    id->clear();
  }
  if (!made || pending_->starts != kNobody) {
    EXPECT_TRUE(found.sessions == model_.sessions) << "sessions, or what they hold";
    EXPECT_EQ(model_.holder, found.holder);
    EXPECT_EQ(model_.fence, found.fence);
    EXPECT_EQ(model_.version, found.version);
    EXPECT_EQ(model_.value, found.value);
    EXPECT_EQ(model_.history, found.history);
    EXPECT_EQ(model_.call_count, found.call_count);
    EXPECT_EQ(model_.cost_micros, found.cost_micros);
  }
  if (pending_) Repeat(made);
  RefusesOthers();
  EndedStayEnded();
  client_.reset();
}

// Sends the pending change again: made once, whether or not it was made before.
void CrashAgent::Repeat(bool made) {
  bool replayed = false;
  ASSERT_TRUE(Send(&replayed));
  EXPECT_EQ(made, replayed) << pending_->request;
  Acknowledge();
  EXPECT_TRUE(model_ == Read(0)) << "a repeat changed something";
}

std::string CrashAgent::Reason(const std::string &method, const std::string &request) {
  return client_->Unary(Path(method), TextEncode(method + "Request", request)).Reason();
}

// Nobody writes without the fence that was told last.
void CrashAgent::RefusesOthers() {
  if (model_.holder == kNobody) return;
  std::string write = OnContext() + "mutations { put_entry { key: 'k' value: 'v' } } ";
  std::string older = std::to_string(model_.fence - 1), newer = std::to_string(model_.fence + 1);
  EXPECT_EQ("STALE_FENCE", Reason("UpdateContext", write));
  EXPECT_EQ("STALE_FENCE", Reason("UpdateContext", write + "write { fence: " + older + " }"));
  EXPECT_EQ("STALE_FENCE", Reason("UpdateContext", write + "write { fence: " + newer + " }"));
}

void CrashAgent::EndedStayEnded() {
  for (const std::string &id : ended_) {
    EXPECT_EQ("SESSION_NOT_FOUND",
              Reason("GetSession", "namespace: '" + namespace_ + "' session_id: '" + id + "'"));
  }
}

template <typename Message>
std::unique_ptr<Message, std::function<void(Message *)>> CrashAgent::Ask(
    const std::string &method, const std::string &request,
    Message *(*unpack)(ProtobufCAllocator *, size_t, const uint8_t *),
    void (*release)(Message *, ProtobufCAllocator *)) {
  GrpcOutcome outcome = client_->Unary(Path(method), TextEncode(method + "Request", request));
  auto free = [release](Message *message) { release(message, nullptr); };
  if (outcome.code != GRPC_STATUS_OK) {
    EXPECT_EQ("CONTEXT_NOT_FOUND", outcome.Reason()) << method << ": " << outcome.message;
    return {nullptr, free};
  }
  const std::string &bytes = outcome.messages.at(0);
  return {unpack(nullptr, bytes.size(), reinterpret_cast<const uint8_t *>(bytes.data())), free};
}

// The messages' functions are named alike.
#define ASK(method, name, request)                              \
  Ask(method, request, contextd__v1__##name##_response__unpack, \
      contextd__v1__##name##_response__free_unpacked)

CrashAgent::Model CrashAgent::Read(int64_t started_s) {
  Model found;
  ReadSessions(&found, started_s);
  ReadStatus(&found);
  ReadContext(&found);
  ReadHistory(&found);
  ReadUsage(&found);
  ReadResources(&found);
  return found;
}

// Each in the place where it is expected; one that nobody was told of, where it starts.
void CrashAgent::ReadSessions(Model *found, int64_t started_s) {
  auto list = ASK("ListSessions", list_sessions, "namespace: '" + namespace_ + "'");
  for (size_t i = 0; i < list->n_sessions; i++) {
    const Contextd__V1__Session *session = list->sessions[i];
    int place = pending_ ? pending_->starts : kNobody;
    for (int known = 0; known < kSessions; known++) {
      if (model_.sessions[known].id == session->id) place = known;
    }
    EXPECT_NE(kNobody, place) << "a session that nobody started";
    if (place == kNobody) continue;
    found->sessions[place].id = session->id;
    EXPECT_GE(session->expire_time->seconds, started_s + kTtlSeconds) << "less than a term";
    EXPECT_EQ(session->n_activations > 0 ? "c" : "", std::string(session->current_context_id));
  }
}

void CrashAgent::ReadStatus(Model *found) {
  auto status = ASK("GetContextStatus", get_context_status, OnContext());
  std::string holder = status->exclusive_session_id;
  for (int i = 0; i < kSessions && !holder.empty(); i++) {
    if (found->sessions[i].id == holder) found->holder = i;
  }
  found->fence = status->fence;
  EXPECT_EQ(holder.empty() ? 0u : 1u, status->n_session_ids);
  EXPECT_EQ(!holder.empty(), status->guarded != 0);
  EXPECT_EQ(holder.empty(), found->holder == kNobody) << "held by a session that is not there";
}

void CrashAgent::ReadContext(Model *found) {
  auto get = ASK("GetContext", get_context, "state { " + OnContext() + "}");
  if (get == nullptr) return;
  found->version = get->context->version;
  if (get->context->n_entries == 0) return;
  ProtobufCBinaryData value = get->context->entries[0]->value;
  found->value = std::string(reinterpret_cast<char *>(value.data), value.len);
}

void CrashAgent::ReadHistory(Model *found) {
  auto list = ASK("ListActivities", list_activities, OnContext() + "page_size: 1000");
  if (list == nullptr) return;
  EXPECT_STREQ("", list->next_page_token);
  for (size_t i = 0; i < list->n_activities; i++) {
    const Contextd__V1__Activity *activity = list->activities[i];
    found->history[activity->sequence] = DescribeFound(*activity);
    found->last_sequence = activity->sequence;
  }
}

// The namespace has one context, so that both add up to the same.
void CrashAgent::ReadUsage(Model *found) {
  for (const std::string &of : {OnContext(), "namespace: '" + namespace_ + "'"}) {
    auto sums = ASK("SummarizeUsage", summarize_usage, of);
    uint64_t call_count = 0, cost_micros = 0;
    for (size_t i = 0; sums != nullptr && i < sums->n_totals; i++) {
      call_count += sums->totals[i]->call_count;
      cost_micros += sums->totals[i]->cost_micros;
    }
    bool first = of == OnContext();
    EXPECT_TRUE(first || found->call_count == call_count) << call_count;
    EXPECT_TRUE(first || found->cost_micros == cost_micros) << cost_micros;
    found->call_count = call_count;
    found->cost_micros = cost_micros;
  }
}

void CrashAgent::ReadResources(Model *found) {
  auto list = ASK("ListResources", list_resources, OnContext());
  for (size_t i = 0; list != nullptr && i < list->n_resources; i++) {
    bool held = false;
    for (Session &session : found->sessions) {
      if (session.id != list->resources[i]->session_id) continue;
      session.resource = list->resources[i]->name;
      held = true;
    }
    EXPECT_TRUE(held) << "by a session that is not there";
  }
}
