#include "tests/simulation/view.h"

namespace simulation {

std::map<std::string, std::string> ShowLabels(const cx_label *labels, size_t count) {
  std::map<std::string, std::string> shown;
  for (size_t i = 0; i < count; i++) shown[Text(labels[i].key)] = Text(labels[i].value);
  return shown;
}

// ---- Sessions. ----------------------------------------------------------------

Activation ShowActivation(const cx_activation_view &view) {
  Activation shown;
  shown.context_id = Text(view.context_id);
  shown.exclusive = view.exclusive;
  shown.fence = view.fence;
  shown.time_us = view.time_us;
  return shown;
}

ShownSession ShowSession(const cx_session_view *view) {
  ShownSession shown;
  if (view == nullptr) return shown;
  Session &session = shown.session;
  shown.is_there = true;
  shown.name = {Text(view->namespace_id), Text(view->id)};
  shown.expire_time_us = view->expire_time_us;
  session.terms.owner = Text(view->owner);
  session.terms.labels = ShowLabels(view->labels, view->label_count);
  session.create_time_us = view->create_time_us;
  session.start_revision = view->start_revision;
  session.current = Text(view->current_context_id);
  for (size_t i = 0; i < view->activation_count; i++) {
    session.activations.push_back(ShowActivation(view->activations[i]));
  }
  return shown;
}

ShownStatus ShowStatus(const cx_context_status &status) {
  ShownStatus shown;
  shown.exists = status.exists;
  shown.guarded = status.guarded;
  shown.version = status.version;
  shown.fence = status.fence;
  shown.exclusive_session_id = Text(status.exclusive_session_id);
  for (size_t i = 0; i < status.session_count; i++) {
    shown.session_ids.push_back(Text(status.session_ids[i]));
  }
  return shown;
}

// ---- Histories. ---------------------------------------------------------------

static UsageKey ShowUsageKey(cx_bytes provider, cx_bytes model, cx_bytes mode, cx_bytes currency) {
  return {Text(provider), Text(model), Text(mode), Text(currency)};
}

static void ShowDetail(const cx_detail &detail, Activity *activity) {
  const cx_model_usage &model = detail.model;
  switch (detail.kind) {
    case CX_DETAIL_FILE:
      activity->detail = DetailKind::kFile;
      activity->file = {Text(detail.file.path), Text(detail.file.operation),
                        Text(detail.file.source)};
      break;
    case CX_DETAIL_MODEL:
      activity->detail = DetailKind::kModel;
      activity->model = ShowUsageKey(model.provider, model.model, model.mode, model.currency);
      activity->usage = {1,
                         model.input_tokens,
                         model.output_tokens,
                         model.cached_tokens,
                         model.cost_micros,
                         static_cast<uint64_t>(model.latency_us)};
      break;
    case CX_DETAIL_RESOURCE:
      activity->detail = DetailKind::kResource;
      activity->resource = Text(detail.resource.name);
      activity->resource_type = Text(detail.resource.type);
      activity->step = static_cast<ResourceStep>(detail.resource.step);
      break;
    default:
      break;
  }
}

ShownHistory ShowActivities(const cx_activity_page &page) {
  ShownHistory shown;
  shown.more = page.more;
  shown.next_sequence = page.next_sequence;
  for (size_t i = 0; i < page.count; i++) {
    const cx_activity_view &view = page.rows[i];
    auto activity = std::make_shared<Activity>();
    activity->type = Text(view.type);
    activity->content_type = Text(view.content_type);
    activity->labels = ShowLabels(view.labels, view.label_count);
    activity->data.assign(view.data_size, '\0');
    cx_activity_data_copy(&view, reinterpret_cast<uint8_t *>(&activity->data[0]));
    ShowDetail(view.detail, activity.get());
    shown.rows.push_back({view.sequence, view.time_us, Text(view.session_id), activity});
  }
  return shown;
}

// ---- Tables. ------------------------------------------------------------------

ShownFiles ShowFiles(const cx_file_page &page) {
  ShownFiles shown;
  shown.more = page.more;
  for (size_t i = 0; i < page.count; i++) {
    const cx_file_view &view = page.rows[i];
    shown.rows.push_back({{Text(view.last.path), Text(view.last.operation), Text(view.last.source)},
                          view.time_us,
                          view.operation_count});
  }
  return shown;
}

ShownResources ShowResources(const cx_resource_page &page) {
  ShownResources shown;
  shown.more = page.more;
  for (size_t i = 0; i < page.count; i++) {
    const cx_resource_view &view = page.rows[i];
    Held held = {Text(view.session_id), Text(view.type), ShowLabels(view.labels, view.label_count),
                 view.time_us, 0};
    shown.rows.emplace_back(Text(view.name), held);
  }
  return shown;
}

Usage ShowUsage(const cx_usage_summary &summary) {
  Usage usage;
  for (size_t i = 0; i < summary.count; i++) {
    const cx_usage_total &total = summary.totals[i];
    usage[ShowUsageKey(total.provider, total.model, total.mode, total.currency)] = {
        total.call_count,    total.input_tokens, total.output_tokens,
        total.cached_tokens, total.cost_micros,  total.latency_us};
  }
  return usage;
}

}  // namespace simulation
