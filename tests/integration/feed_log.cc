#include "tests/integration/feed_log.h"

#include <algorithm>

extern "C" {
#include "core/base/arena.h"
#include "core/base/disk.h"
#include "core/base/random.h"
#include "core/log/wal.h"
#include "core/state/change.h"
}

namespace {

constexpr uint64_t kSegmentSize = 256 << 20;  // Of new segments: none is made.

std::string Text(cx_bytes bytes) {
  return std::string(reinterpret_cast<const char *>(bytes.data), bytes.size);
}

void SetTime(int64_t us, google::protobuf::Timestamp *time) {
  time->set_seconds(us / 1000000);
  time->set_nanos(static_cast<int32_t>(us % 1000000 * 1000));
}

void SetDuration(int64_t us, google::protobuf::Duration *duration) {
  duration->set_seconds(us / 1000000);
  duration->set_nanos(static_cast<int32_t>(us % 1000000 * 1000));
}

template <typename Map>
void SetLabels(const cx_label *labels, size_t count, Map *map) {
  for (size_t i = 0; i < count; i++) (*map)[Text(labels[i].key)] = Text(labels[i].value);
}

// The events of one change.
class Change {
 public:
  Change(const cx_change &change, const cx_log_record &record) : change_(change), record_(record) {}

  std::vector<LoggedEvent> Events() {
    if (change_.kind != CX_CHANGE_CONTEXTS) return {};
    if (change_.session.step == CX_SESSION_START) AddSession(api::EVENT_TYPE_SESSION_STARTED);
    for (size_t i = 0; i < change_.item_count; i++) AddItem(change_.items[i]);
    if (change_.session.step == CX_SESSION_SWITCH) AddSession(api::EVENT_TYPE_SESSION_SWITCHED);
    if (change_.session.step == CX_SESSION_END) AddSession(api::EVENT_TYPE_SESSION_ENDED);
    if (change_.session.step == CX_SESSION_LOSE) AddSession(api::EVENT_TYPE_SESSION_LOST);
    return std::move(events_);
  }

 private:
  api::Event *Add(api::EventType type) {
    events_.emplace_back();
    api::Event *event = &events_.back().event;
    event->set_type(type);
    event->set_namespace_(Text(change_.namespace_id));
    event->set_revision(record_.revision);
    SetTime(record_.time_us, event->mutable_time());
    return event;
  }

  int64_t TimeOr(int64_t time_us) const { return time_us != 0 ? time_us : record_.time_us; }

  void AddSession(api::EventType type) {
    const cx_session_change &change = change_.session;
    api::Event *event = Add(type);
    api::Session *session = event->mutable_session();
    bool starts = change.step == CX_SESSION_START;

    session->set_namespace_(event->namespace_());
    session->set_id(Text(change.start.name.id));
    session->set_owner(Text(change.start.owner));
    SetLabels(change.start.labels, change.start.label_count, session->mutable_metadata());
    SetTime(TimeOr(change.create_time_us), session->mutable_create_time());
    if (starts) {
      SetTime(record_.time_us + change.start.ttl_us, session->mutable_expire_time());
      session->set_current_context_id(Text(change.start.default_context_id));
    } else {
      session->set_current_context_id(Text(change.current_id));
    }
    event->set_session_id(session->id());
  }

  // ---- Contexts. --------------------------------------------------------------------------

  api::Event *AddOfItem(api::EventType type, const cx_change_item &item) {
    api::Event *event = Add(type);
    api::Context *context = event->mutable_context();
    auto *before = &events_.back().metadata_before;

    event->set_session_id(Text(item.session_id));
    context->set_namespace_(event->namespace_());
    context->set_id(Text(item.id));
    context->set_type(Text(item.type));
    context->set_parent_id(Text(item.head.parent_id));
    SetLabels(item.labels.items, item.labels.count, context->mutable_metadata());
    context->set_version(item.version);
    context->set_revision(record_.revision);
    SetTime(TimeOr(item.head.create_time_us), context->mutable_create_time());
    SetTime(TimeOr(item.head.update_time_us), context->mutable_update_time());
    if (item.head.expire_us != 0) {
      SetTime(item.head.expire_us + (item.head.expires_from_now ? record_.time_us : 0),
              context->mutable_expire_time());
    }
    context->set_entry_count(item.head.entry_count);
    context->set_size_bytes(item.head.size_bytes);
    context->set_fence(item.head.fence);
    if (item.head.policy.is_set) SetPolicy(item.head.policy, context->mutable_recovery_policy());
    if (item.head.forked_from_id.size > 0) {
      context->mutable_forked_from()->set_namespace_(event->namespace_());
      context->mutable_forked_from()->set_context_id(Text(item.head.forked_from_id));
      context->mutable_forked_from()->set_version(item.head.forked_from_version);
    }
    const cx_label_list &labels = item.labels_changed ? item.labels_before : item.labels;
    SetLabels(labels.items, labels.count, before);
    if (item.kind == CX_ITEM_PURGE) context->clear_metadata();
    return event;
  }

  void AddItem(const cx_change_item &item) {
    if (!item.head.told) return;
    if (item.kind == CX_ITEM_EXPIRE || item.kind == CX_ITEM_DELETE || item.kind == CX_ITEM_PURGE) {
      AddActivations(item);
      AddOfItem(item.kind == CX_ITEM_EXPIRE ? api::EVENT_TYPE_EXPIRED : api::EVENT_TYPE_DELETED,
                item);
      return;
    }
    if (item.kind != CX_ITEM_TOUCH) {
      AddState(item);
    } else if (item.op_count > 0) {
      AddMutations(item, AddOfItem(api::EVENT_TYPE_ACTIVITY, item));
    }
    if (item.trimmed.count > 0) {
      api::Event *event = AddOfItem(api::EVENT_TYPE_HISTORY_TRIMMED, item);
      for (size_t i = 0; i < item.trimmed.count; i++) {
        api::SequenceRange *range = event->add_trimmed();
        range->set_first(item.trimmed.items[i].first);
        range->set_last(item.trimmed.items[i].last);
      }
    }
    AddActivations(item);
    AddPoints(item);
  }

  // That it has a new state. Where that is another's, or nobody knows what it came to, the
  // steps do not say.
  void AddState(const cx_change_item &item) {
    bool forks = item.source.id.size > 0;
    bool sets_back = item.kind == CX_ITEM_UNDELETE || item.base.kind != CX_BASE_NONE;
    api::EventType type = forks                         ? api::EVENT_TYPE_FORKED
                          : item.kind == CX_ITEM_CREATE ? api::EVENT_TYPE_CREATED
                          : sets_back                   ? api::EVENT_TYPE_RESTORED
                          : item.merged.id.size > 0     ? api::EVENT_TYPE_MERGED
                                                        : api::EVENT_TYPE_UPDATED;
    api::Event *event = AddOfItem(type, item);
    if (sets_back) event->set_recovery_point_id(Text(item.base_id));
    if (forks || item.untold) {
      event->set_reset(true);
    } else {
      AddMutations(item, event);
    }
  }

  void AddPoints(const cx_change_item &item) {
    for (size_t i = 0; i < item.point_count; i++) {
      const cx_point_step &step = item.points[i];
      if (step.kind == CX_POINT_PENDING) continue;
      AddOfItem(step.kind == CX_POINT_DROP     ? api::EVENT_TYPE_RECOVERY_POINT_DELETED
                : step.kind == CX_POINT_CHANGE ? api::EVENT_TYPE_RECOVERY_POINT_UPDATED
                                               : api::EVENT_TYPE_RECOVERY_POINT_CREATED,
                item)
          ->set_recovery_point_id(Text(step.id));
    }
  }

  void AddActivations(const cx_change_item &item) {
    for (size_t i = 0; i < item.activation_count; i++) {
      const cx_activation_step &step = item.activations[i];
      api::Event *event =
          AddOfItem(step.active ? api::EVENT_TYPE_ACTIVATED : api::EVENT_TYPE_DEACTIVATED, item);
      event->set_session_id(Text(step.session_id));
      event->mutable_activation()->set_context_id(Text(item.id));
      if (!step.active) continue;
      event->mutable_activation()->set_fence(step.fence);
      event->mutable_activation()->set_exclusive(step.fence != 0);
      SetTime(record_.time_us, event->mutable_activation()->mutable_time());
    }
  }

  // ---- Mutations. -------------------------------------------------------------------------

  void AddMutations(const cx_change_item &item, api::Event *event) {
    uint64_t sequence = item.first_sequence;
    for (size_t i = 0; i < item.op_count; i++) {
      const cx_op &op = item.ops[i];
      api::Mutation *mutation = event->add_mutations();
      if (op.kind == CX_MUTATION_RECORD) {
        SetActivity(*op.activity, sequence++, Text(item.session_id),
                    mutation->mutable_record_activity());
      } else {
        SetStep(op, mutation);
      }
    }
  }

  static void SetStep(const cx_op &op, api::Mutation *mutation) {
    auto set_entry = [&](auto *entry) {
      entry->set_key(Text(op.key));
      entry->set_value(Text(op.value));
      entry->set_content_type(Text(op.content_type));
    };
    switch (op.kind) {
      case CX_MUTATION_PUT:
        if (op.kept > 0) {
          set_entry(mutation->mutable_splice_entry());
          mutation->mutable_splice_entry()->set_kept_size(op.kept);
        } else {
          set_entry(mutation->mutable_put_entry());
        }
        break;
      case CX_MUTATION_APPEND:
        set_entry(mutation->mutable_append_entry());
        break;
      case CX_MUTATION_DELETE:
        mutation->mutable_delete_entry()->set_key(Text(op.key));
        break;
      case CX_MUTATION_DELETE_PREFIX:
        mutation->mutable_delete_entries()->set_prefix(Text(op.key));
        break;
      case CX_MUTATION_SET_LABEL:
        mutation->mutable_set_metadata()->set_key(Text(op.key));
        mutation->mutable_set_metadata()->set_value(Text(op.value));
        break;
      case CX_MUTATION_DELETE_LABEL:
        mutation->mutable_delete_metadata()->set_key(Text(op.key));
        break;
      case CX_MUTATION_SET_POLICY:
        mutation->mutable_set_recovery_policy();
        if (!op.policy->is_set) break;
        SetPolicy(*op.policy, mutation->mutable_set_recovery_policy()->mutable_policy());
        break;
      default:
        mutation->mutable_set_expiry()->set_sliding(op.sliding);
        if (op.ttl_us == 0) break;
        SetDuration(op.ttl_us, mutation->mutable_set_expiry()->mutable_ttl());
    }
  }

  static void SetPolicy(const cx_recovery_policy &policy, api::RecoveryPolicy *message) {
    const cx_retention &retention = policy.retention;
    message->set_point_every_changes(policy.point_every_changes);
    if (policy.point_every_us > 0) {
      SetDuration(policy.point_every_us, message->mutable_point_every());
    }
    if (retention.keep_last == 0 && retention.keep_every == 0 && retention.keep_within_us == 0) {
      return;
    }
    message->mutable_retention()->set_keep_last(retention.keep_last);
    message->mutable_retention()->set_keep_every(retention.keep_every);
    if (retention.keep_within_us > 0) {
      SetDuration(retention.keep_within_us, message->mutable_retention()->mutable_keep_within());
    }
  }

  void SetActivity(const cx_activity_content &content, uint64_t sequence,
                   const std::string &session_id, api::Activity *activity) const {
    const cx_detail &detail = content.detail;

    activity->set_sequence(sequence);
    SetTime(record_.time_us, activity->mutable_time());
    activity->set_type(Text(content.type));
    activity->set_data(Text(content.data));
    activity->set_content_type(Text(content.content_type));
    SetLabels(content.labels, content.label_count, activity->mutable_metadata());
    activity->set_session_id(session_id);
    if (detail.kind == CX_DETAIL_FILE) {
      activity->mutable_file()->set_path(Text(detail.file.path));
      activity->mutable_file()->set_operation(Text(detail.file.operation));
      activity->mutable_file()->set_source(Text(detail.file.source));
    } else if (detail.kind == CX_DETAIL_MODEL) {
      api::ModelUsage *model = activity->mutable_model();
      model->set_provider(Text(detail.model.provider));
      model->set_model(Text(detail.model.model));
      model->set_mode(Text(detail.model.mode));
      model->set_currency(Text(detail.model.currency));
      model->set_input_tokens(detail.model.input_tokens);
      model->set_output_tokens(detail.model.output_tokens);
      model->set_cached_tokens(detail.model.cached_tokens);
      model->set_cost_micros(detail.model.cost_micros);
      if (detail.model.latency_us > 0) {
        SetDuration(detail.model.latency_us, model->mutable_latency());
      }
    } else if (detail.kind == CX_DETAIL_RESOURCE) {
      activity->mutable_resource()->set_name(Text(detail.resource.name));
      activity->mutable_resource()->set_type(Text(detail.resource.type));
      activity->mutable_resource()->set_kind(
          static_cast<api::ResourceEvent_Kind>(detail.resource.step));
    }
  }

  const cx_change &change_;
  const cx_log_record &record_;
  std::vector<LoggedEvent> events_;
};

using Each = std::function<void(uint64_t revision, const std::vector<LoggedEvent> &)>;

struct Reading {
  const Each *each;
  FeedPurges *purges;
};

void NotePurges(const cx_change &change, uint64_t revision, FeedPurges *purges) {
  auto text = [](cx_bytes bytes) {
    return std::string(reinterpret_cast<const char *>(bytes.data), bytes.size);
  };
  for (size_t i = 0; i < change.item_count; i++) {
    if (change.items[i].kind == CX_ITEM_PURGE) {
      (*purges)[{text(change.namespace_id), text(change.items[i].id)}] = revision;
    }
  }
}

cx_status ReadRecord(void *arg, const cx_log_record *record) {
  const Reading *reading = static_cast<const Reading *>(arg);
  cx_arena arena = {};
  cx_change change = {};
  cx_status status = cx_change_decode(record->payload, &arena, &change);

  if (status == CX_OK) {
    NotePurges(change, record->revision, reading->purges);
    (*reading->each)(record->revision, Change(change, *record).Events());
  }
  cx_arena_done(&arena);
  return status;
}

std::string ReadFrom(cx_disk *disk, Reading *reading) {
  cx_wal_options options = {};
  cx_wal_report report = {};
  cx_error error = {};
  cx_log *log = nullptr;

  options.disk = disk;
  options.random = &cx_random_system;
  options.segment_size = kSegmentSize;
  if (cx_wal_open(&options, &log, &report, &error) != CX_OK) return error.message;
  cx_status status = log->ops->read(log, 1, report.tail.revision, ReadRecord, reading);
  log->ops->close(log, true);
  return status == CX_OK ? "" : "the log cannot be read: " + std::to_string(status);
}

}  // namespace

std::string FeedReadLog(const std::string &data_dir, const Each &each, FeedPurges *purges) {
  FeedPurges unused;
  Reading reading = {&each, purges != nullptr ? purges : &unused};
  cx_disk *disk = nullptr;
  cx_status status = cx_disk_posix_open(data_dir.c_str(), &disk);

  if (status != CX_OK) return cx_disk_error_text(status);
  std::string wrong = ReadFrom(disk, &reading);
  cx_disk_posix_close(disk);
  return wrong;
}
