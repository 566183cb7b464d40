#include "tests/simulation/event_view.h"

extern "C" {
#include "core/state/table.h"
}

#include <algorithm>
#include <functional>

#include "tests/simulation/request.h"
#include "tests/simulation/view.h"

namespace simulation {

namespace {

// Of docs/events.md: where an event is cut into parts. What a mutation weighs beside what it
// holds is nowhere promised, but must stay as it is, since cursors count the parts.
constexpr uint64_t kPartWeight = 64 * 1024;
constexpr uint64_t kOpWeight = 16;

// ---- Bytes. -------------------------------------------------------------------

class Bundle {
 public:
  Bundle &Number(uint64_t number) {
    text_.append(reinterpret_cast<const char *>(&number), sizeof number);
    return *this;
  }
  Bundle &Text(cx_bytes bytes) {
    Number(bytes.size);
    text_.append(reinterpret_cast<const char *>(bytes.data), bytes.size);
    return *this;
  }
  Bundle &AddLabels(const cx_label *labels, size_t count) {
    Number(count);
    for (size_t i = 0; i < count; i++) Text(labels[i].key).Text(labels[i].value);
    return *this;
  }
  const std::string &text() const { return text_; }

 private:
  std::string text_;
};

void AddActivity(const cx_activity_content &content, bool without_values, Bundle *to) {
  const cx_detail &detail = content.detail;
  to->Text(content.type).Text(content.content_type);
  to->AddLabels(content.labels, content.label_count);
  to->Text(without_values ? cx_bytes{} : content.data).Number(detail.kind);
  if (detail.kind == CX_DETAIL_FILE) {
    to->Text(detail.file.path).Text(detail.file.operation).Text(detail.file.source);
  } else if (detail.kind == CX_DETAIL_MODEL) {
    const cx_model_usage &model = detail.model;
    to->Text(model.provider).Text(model.model).Text(model.mode).Text(model.currency);
    to->Number(model.input_tokens).Number(model.output_tokens).Number(model.cached_tokens);
    to->Number(model.cost_micros).Number(static_cast<uint64_t>(model.latency_us));
  } else if (detail.kind == CX_DETAIL_RESOURCE) {
    to->Text(detail.resource.name).Text(detail.resource.type).Number(detail.resource.step);
  }
}

void AddPolicy(const cx_recovery_policy &policy, Bundle *to) {
  to->Number(policy.is_set).Number(policy.retention.keep_last).Number(policy.retention.keep_every);
  to->Number(static_cast<uint64_t>(policy.retention.keep_within_us));
  to->Number(policy.point_every_changes).Number(static_cast<uint64_t>(policy.point_every_us));
}

void AddOp(const cx_op &op, bool without_values, Bundle *to) {
  to->Number(op.kind).Text(op.key).Text(op.content_type);
  to->Number(op.kept).Text(without_values ? cx_bytes{} : op.value);
  to->Number(static_cast<uint64_t>(op.ttl_us)).Number(op.sliding);
  if (op.kind == CX_MUTATION_RECORD) AddActivity(*op.activity, without_values, to);
  if (op.kind == CX_MUTATION_SET_POLICY) AddPolicy(*op.policy, to);
}

void AddItem(const cx_event &event, Bundle *to) {
  const cx_change_item &item = *event.item;
  const cx_change_head &head = item.head;
  to->Text(item.id).Number(item.version).Text(item.type).Text(head.parent_id);
  to->Number(static_cast<uint64_t>(head.create_time_us));
  to->Number(static_cast<uint64_t>(head.update_time_us));
  to->Number(static_cast<uint64_t>(head.expire_us)).Number(head.expires_from_now);
  to->Number(head.entry_count).Number(head.size_bytes).Number(head.fence);
  to->AddLabels(item.labels.items, item.labels.count).Text(item.session_id);
  to->Text(head.forked_from_id).Number(head.forked_from_version);
  AddPolicy(head.policy, to);
  if (event.type == CX_EVENT_RESTORED) to->Text(item.base_id);
}

void AddSession(const cx_session_change &session, Bundle *to) {
  const cx_session_start_request &start = session.start;
  to->Number(session.step).Text(start.name.id).Text(start.owner).Text(session.current_id);
  to->AddLabels(start.labels, start.label_count).Number(static_cast<uint64_t>(start.ttl_us));
  to->Number(static_cast<uint64_t>(session.create_time_us));
}

std::string Encode(const cx_event &event, bool without_values) {
  Bundle to;
  to.Number(event.type).Number(event.last).Number(event.more).Number(event.reset);
  to.Number(event.index).Number(event.revision).Number(static_cast<uint64_t>(event.time_us));
  to.Text(event.namespace_id).Number(event.hash);
  if (event.item != nullptr) AddItem(event, &to);
  if (event.session != nullptr) AddSession(*event.session, &to);
  if (event.activation != nullptr) {
    const cx_activation_step &step = *event.activation;
    to.Text(step.session_id).Number(step.active).Number(step.guard).Number(step.fence);
  }
  if (event.point != nullptr) to.Text(event.point->id);
  if (event.type == CX_EVENT_HISTORY_TRIMMED) {
    const cx_run_list &runs = event.item->trimmed;
    for (size_t i = 0; i < runs.count; i++) {
      to.Number(runs.items[i].first).Number(runs.items[i].last);
    }
  }
  to.Number(event.op_count).Number(event.first_sequence);
  for (size_t i = 0; i < event.op_count; i++) AddOp(event.ops[i], without_values, &to);
  return to.text();
}

cx_status OnEncode(void *arg, const cx_event *event, bool without_values, cx_buffer *buffer) {
  (void)arg;
  return cx_buffer_append(buffer, Bytes(Encode(*event, without_values)));
}

}  // namespace

cx_event_encoder EventEncoder() { return {OnEncode, nullptr}; }

uint64_t DigestOfEncoded(cx_bytes encoded) { return std::hash<std::string>()(Text(encoded)); }

// ---- What a change tells. -----------------------------------------------------

namespace {

Subject::Kind KindOf(const cx_change_item &item) {
  switch (item.kind) {
    case CX_ITEM_CREATE:
      return Subject::kBegins;
    case CX_ITEM_UPDATE:
      return Subject::kChanges;
    case CX_ITEM_UNDELETE:
      return Subject::kBegins;
    case CX_ITEM_TOUCH:
      return Subject::kIsTouched;
    default:
      return Subject::kEnds;
  }
}

EntryStep StepOf(const cx_op &op) {
  Step step = op.kind == CX_MUTATION_APPEND          ? Step::kAppend
              : op.kind == CX_MUTATION_DELETE        ? Step::kDelete
              : op.kind == CX_MUTATION_DELETE_PREFIX ? Step::kDeletePrefix
                                                     : Step::kPut;
  return {step, Text(op.key), Text(op.value), Text(op.content_type), op.kept};
}

std::shared_ptr<Subject> SubjectOf(const cx_change &change, const cx_change_item &item,
                                   uint64_t revision, int64_t time_us) {
  auto subject = std::make_shared<Subject>();
  const cx_change_head &head = item.head;
  Shown &shown = subject->shown;
  cx_name_key key;
  cx_name_key_init(&key, change.namespace_id, item.id);
  subject->shard = cx_name_shard(key.hash);
  subject->kind = KindOf(item);
  shown.name = {Text(change.namespace_id), Text(item.id)};
  shown.revision = revision;
  shown.fence = head.fence;
  shown.entry_count = head.entry_count;
  shown.size_bytes = head.size_bytes;
  shown.state.version = item.version;
  shown.state.type = Text(item.type);
  shown.state.parent_id = Text(head.parent_id);
  shown.state.labels = ShowLabels(item.labels.items, item.labels.count);
  shown.state.create_time_us = head.create_time_us != 0 ? head.create_time_us : time_us;
  shown.state.update_time_us = head.update_time_us != 0 ? head.update_time_us : time_us;
  shown.state.expire_time_us = head.expire_us;
  if (head.expires_from_now) shown.state.expire_time_us += time_us;
  subject->untold = item.untold || item.source.id.size > 0;
  subject->set_back = item.kind == CX_ITEM_UNDELETE || item.base.kind != CX_BASE_NONE;
  if (item.labels_changed) {
    subject->labels_before = ShowLabels(item.labels_before.items, item.labels_before.count);
  }
  for (size_t i = 0; i < item.op_count; i++) {
    if (item.ops[i].kind <= CX_MUTATION_DELETE_PREFIX) {
      subject->steps.push_back(StepOf(item.ops[i]));
    }
  }
  return subject;
}

uint64_t WeightOf(const cx_op &op) {
  if (op.kind != CX_MUTATION_RECORD) {
    return kOpWeight + op.key.size + op.content_type.size + op.value.size;
  }
  uint64_t weight = kOpWeight + op.activity->data.size;
  for (size_t i = 0; i < op.activity->label_count; i++) {
    weight += op.activity->labels[i].key.size + op.activity->labels[i].value.size;
  }
  return weight;
}

// Puts the events of one change together.
class Telling {
 public:
  Telling(const cx_change &change, uint64_t revision, int64_t time_us)
      : change_(change), revision_(revision), time_us_(time_us) {}

  Happened Tell() {
    const cx_session_change &session = change_.session;
    if (session.step == CX_SESSION_START) TellSession(event_type::kSessionStarted);
    for (size_t i = 0; i < change_.item_count; i++) {
      if (change_.items[i].kind == CX_ITEM_PURGE) {
        happened_.purged.push_back({Text(change_.namespace_id), Text(change_.items[i].id)});
      }
      if (change_.items[i].head.told) TellItem(change_.items[i]);
    }
    if (session.step == CX_SESSION_SWITCH) TellSession(event_type::kSessionSwitched);
    if (session.step == CX_SESSION_END) TellSession(event_type::kSessionEnded);
    if (session.step == CX_SESSION_LOSE) TellSession(event_type::kSessionLost);
    if (!events_.empty()) events_.back().last = true;
    for (size_t i = 0; i < events_.size(); i++) {
      const cx_event &event = events_[i];
      std::hash<std::string> hash;
      happened_.events.push_back({{revision_, event.index},
                                  event.type,
                                  event.last,
                                  Text(event.namespace_id),
                                  of_[i],
                                  hash(Encode(event, false)),
                                  hash(Encode(event, true))});
    }
    return std::move(happened_);
  }

 private:
  cx_event &Add(int type) {
    cx_event event = {};
    event.type = static_cast<cx_event_type>(type);
    event.index = static_cast<uint32_t>(events_.size());
    event.revision = revision_;
    event.time_us = time_us_;
    event.namespace_id = change_.namespace_id;
    if (item_ != nullptr) {
      cx_name_key key;
      cx_name_key_init(&key, change_.namespace_id, item_->id);
      event.hash = key.hash;
    }
    event.item = item_;
    events_.push_back(event);
    of_.push_back(item_ != nullptr ? happened_.subjects.back() : nullptr);
    return events_.back();
  }

  void TellSession(int type) {
    item_ = nullptr;
    Add(type).session = &change_.session;
  }

  // That there is a new state: with the mutations, unless they are another's or not known.
  void TellState(int type) {
    if (happened_.subjects.back()->untold) {
      Add(type).reset = true;
    } else {
      TellMutations(type);
    }
  }

  // The mutations, in parts that are not too large.
  void TellMutations(int type) {
    uint64_t sequence = item_->first_sequence;
    size_t begin = 0;
    do {
      uint64_t weight = 0;
      size_t end = begin;
      cx_event &event = Add(type);
      event.ops = item_->op_count > 0 ? item_->ops + begin : nullptr;
      uint64_t first = sequence;
      while (end < item_->op_count &&
             (end == begin || weight + WeightOf(item_->ops[end]) <= kPartWeight)) {
        bool records = item_->ops[end].kind == CX_MUTATION_RECORD;
        weight += WeightOf(item_->ops[end++]);
        sequence += sequence != 0 && records ? 1 : 0;
      }
      event.op_count = end - begin;
      event.first_sequence = sequence != first ? first : 0;
      event.more = end < item_->op_count;
      begin = end;
    } while (begin < item_->op_count);
  }

  void TellActivations() {
    for (size_t i = 0; i < item_->activation_count; i++) {
      const cx_activation_step *step = &item_->activations[i];
      Add(step->active ? event_type::kActivated : event_type::kDeactivated).activation = step;
    }
  }

  // What is kept for a point that is still to be made is not told, nor the end of one whose id
  // another takes in the same change.
  void TellPoints() {
    for (size_t i = 0; i < item_->point_count; i++) {
      const cx_point_step *step = &item_->points[i];
      if (step->kind == CX_POINT_PENDING) continue;
      const cx_point_step *points = item_->points;
      bool is_taken = std::any_of(points, step, [&](const cx_point_step &each) {
        return each.kind != CX_POINT_DROP && Text(each.id) == Text(step->id);
      });
      if (step->kind == CX_POINT_DROP && is_taken) continue;
      Add(step->kind == CX_POINT_DROP     ? event_type::kPointDeleted
          : step->kind == CX_POINT_CHANGE ? event_type::kPointUpdated
                                          : event_type::kPointCreated)
          .point = step;
    }
  }

  void TellItem(const cx_change_item &item) {
    item_ = &item;
    happened_.subjects.push_back(SubjectOf(change_, item, revision_, time_us_));
    switch (KindOf(item)) {
      case Subject::kEnds:
        TellActivations();
        Add(item.kind == CX_ITEM_EXPIRE ? event_type::kExpired : event_type::kDeleted);
        return;
      case Subject::kBegins:
        TellState(happened_.subjects.back()->set_back ? event_type::kRestored
                  : item.source.id.size > 0           ? event_type::kForked
                                                      : event_type::kCreated);
        break;
      case Subject::kChanges:
        TellState(happened_.subjects.back()->set_back ? event_type::kRestored
                  : item.merged.id.size > 0           ? event_type::kMerged
                                                      : event_type::kUpdated);
        break;
      case Subject::kIsTouched:
        if (item.op_count > 0) TellMutations(event_type::kActivity);
        break;
    }
    if (item.trimmed.count > 0) Add(event_type::kHistoryTrimmed);
    TellActivations();
    TellPoints();
  }

  const cx_change &change_;
  uint64_t revision_;
  int64_t time_us_;
  const cx_change_item *item_ = nullptr;
  std::vector<cx_event> events_;
  std::vector<std::shared_ptr<const Subject>> of_;
  Happened happened_;
};

}  // namespace

Happened HappenedIn(const cx_change &change, uint64_t revision, int64_t time_us) {
  Happened happened;
  if (change.kind == CX_CHANGE_FLOOR) happened.floor = change.floor;
  if (change.kind != CX_CHANGE_CONTEXTS) return happened;
  return Telling(change, revision, time_us).Tell();
}

}  // namespace simulation
