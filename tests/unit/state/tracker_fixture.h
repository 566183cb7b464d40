// A state with sessions: what the tracker's requests are made of, and looks at what they left.

#ifndef CX_TESTS_UNIT_STATE_TRACKER_FIXTURE_H
#define CX_TESTS_UNIT_STATE_TRACKER_FIXTURE_H

#include "tests/unit/state/activity_fixture.h"
#include "tests/unit/state/state_fixture.h"

extern "C" {
#include "core/state/file.h"
#include "core/state/tracked.h"
#include "tests/support/fail_nth.h"
}

#include <deque>
#include <functional>

// What a change does to a request before it is planned.
template <typename Request>
using Set = std::function<void(Request *)>;

class TrackerFixture : public StateFixture {
 protected:
  using Start = cx_session_start_request;
  using Activation = cx_activation_request;
  using Resource = cx_resource_request;
  using Write = cx_update_request;

  // Bytes that live as long as the test.
  cx_bytes Keep(const std::string &text) {
    kept_.push_back(text);
    return Bytes(kept_.back());
  }

  // ---- Requests, planned. They live until the next one.

  cx_plan_result PlanStart(const std::string &id, const Set<Start> &set = {}) {
    start_ = {};
    start_.name = {cx_bytes_of("default"), Keep(id)};
    start_.owner = cx_bytes_of("owner");
    start_.ttl_us = CX_SESSION_TTL_US_DEFAULT;
    start_.max_active_contexts = 5;
    if (set) set(&start_);
    cx_plan_begin(&plan_);
    return cx_plan_start_session(&plan_, &start_);
  }

  cx_plan_result PlanEnd(const std::string &id, const std::string &request_id = "") {
    cx_session_end_request request = {};
    request.name = {cx_bytes_of("default"), Keep(id)};
    request.request_id = Keep(request_id);
    cx_plan_begin(&plan_);
    return cx_plan_end_session(&plan_, &request);
  }

  cx_plan_result PlanLapse(const std::string &id) {
    cx_name_key key = NameKey(id);
    cx_plan_begin(&plan_);
    return cx_plan_lapse(&plan_, &key);
  }

  using ActivationPlan = cx_plan_result (*)(cx_plan *, const cx_activation_request *);

  cx_plan_result Plan(ActivationPlan plan, const std::string &session, const std::string &context,
                      const Set<Activation> &set = {}) {
    activation_ = {};
    activation_.name = {cx_bytes_of("default"), Keep(context)};
    activation_.session_id = Keep(session);
    if (set) set(&activation_);
    cx_plan_begin(&plan_);
    return plan(&plan_, &activation_);
  }

  using ResourcePlan = cx_plan_result (*)(cx_plan *, const cx_resource_request *);

  cx_plan_result Plan(ResourcePlan plan, const std::string &session, const std::string &context,
                      const std::string &resource, const Set<Resource> &set = {}) {
    resource_ = {};
    resource_.name = {cx_bytes_of("default"), Keep(context)};
    resource_.session_id = Keep(session);
    resource_.resource = Keep(resource);
    if (set) set(&resource_);
    cx_plan_begin(&plan_);
    return plan(&plan_, &resource_);
  }

  cx_plan_result PlanWrite(const std::string &context, const Mutations &mutations,
                           const Set<Write> &set = {}) {
    size_t index;
    mutations_ = mutations;
    write_ = {};
    write_.name = {cx_bytes_of("default"), Keep(context)};
    write_.mutations = mutations_.list().data();
    write_.mutation_count = mutations_.list().size();
    if (set) set(&write_);
    cx_plan_begin(&plan_);
    return cx_plan_update(&plan_, &write_, 1, false, write_.request_id, &index);
  }

  // ---- The same, logged and applied.

  cx_plan_result Begin(const std::string &id, const Set<Start> &set = {}) {
    return Finish(PlanStart(id, set));
  }
  cx_plan_result End(const std::string &id, const std::string &request_id = "") {
    return Finish(PlanEnd(id, request_id));
  }
  cx_plan_result Lapse(const std::string &id) { return Finish(PlanLapse(id)); }

  cx_plan_result Activate(const std::string &session, const std::string &context,
                          const Set<Activation> &set = {}) {
    return Finish(Plan(cx_plan_activate, session, context, set));
  }
  cx_plan_result Switch(const std::string &session, const std::string &context,
                        const Set<Activation> &set = {}) {
    return Finish(Plan(cx_plan_switch, session, context, set));
  }
  cx_plan_result Deactivate(const std::string &session, const std::string &context,
                            const Set<Activation> &set = {}) {
    return Finish(Plan(cx_plan_deactivate, session, context, set));
  }
  cx_plan_result Acquire(const std::string &session, const std::string &context,
                         const std::string &resource, const Set<Resource> &set = {}) {
    return Finish(Plan(cx_plan_acquire, session, context, resource, set));
  }
  cx_plan_result Release(const std::string &session, const std::string &context,
                         const std::string &resource, const Set<Resource> &set = {}) {
    return Finish(Plan(cx_plan_release, session, context, resource, set));
  }
  cx_plan_result WriteTo(const std::string &context, const Mutations &mutations,
                         const Set<Write> &set = {}) {
    return Finish(PlanWrite(context, mutations, set));
  }
  cx_plan_result Record(const std::string &context, const Activity &activity,
                        const Set<Write> &set = {}) {
    return WriteTo(context, Mutations().Record(activity), set);
  }

  static void Exclusive(Activation *request) { request->exclusive = true; }
  static void Guarding(Activation *request) { request->exclusive = request->guard = true; }
  static void Taking(Activation *request) { request->exclusive = request->takeover = true; }
  static Set<Write> By(const char *session, uint64_t fence = 0) {
    return [=](Write *write) { write->author = {cx_bytes_of(session), fence}; };
  }

  // ---- Looks.

  cx_session *Session(const std::string &id) {
    cx_name_key key = NameKey(id);
    return cx_state_find_session(&state_, &key);
  }

  // Its term is over from now on.
  void LetLapse(const std::string &id) { Session(id)->deadline_us = plan_.lease_now_us; }

  const cx_tracked &Tracked(const std::string &context) {
    static const cx_tracked nothing = {};
    const cx_context *found = Find(context);
    return found != nullptr && found->tracked != nullptr ? *found->tracked : nothing;
  }

  using List = std::vector<std::string>;

  // The contexts of a session, oldest activation first: an exclusive one with its fence
  // behind it, the current one with a star.
  List Active(const std::string &session) {
    List list;
    const cx_session *found = Session(session);
    const cx_activation *last = nullptr;
    if (found == nullptr) return {"no session"};
    for (cx_activation *each = found->activation_oldest; each != nullptr;
         each = each->session_next) {
      std::string fence = each->fence != 0 ? ":" + std::to_string(each->fence) : "";
      list.push_back(Text(cx_context_id(each->context)) + fence +
                     (each == found->current ? "*" : ""));
      EXPECT_EQ(last, each->session_previous);
      last = each;
    }
    EXPECT_EQ(last, found->activation_newest);
    EXPECT_EQ(list.size(), found->activation_count);
    return list;
  }

  // The sessions of a context, oldest activation first, the exclusive one with its fence.
  List Sessions(const std::string &context) {
    List list;
    const cx_tracked &tracked = Tracked(context);
    const cx_activation *last = nullptr, *exclusive = nullptr;
    for (cx_activation *each = tracked.activation_oldest; each != nullptr;
         each = each->context_next) {
      std::string fence = each->fence != 0 ? ":" + std::to_string(each->fence) : "";
      list.push_back(Text(cx_session_id(each->session)) + fence);
      if (each->fence != 0) exclusive = each;
      EXPECT_EQ(last, each->context_previous);
      EXPECT_FALSE(each->staged);
      last = each;
    }
    EXPECT_EQ(last, tracked.activation_newest);
    EXPECT_EQ(exclusive, tracked.exclusive);
    EXPECT_EQ(list.size(), tracked.activation_count);
    return list;
  }

  // A history: sequence, type, session, and data or what its detail says.
  List History(const std::string &context) {
    List list;
    cx_tree_cursor cursor;
    uint64_t bytes = 0;
    const cx_tracked &tracked = Tracked(context);
    cx_tree_item *item = cx_tree_seek(&cx_activity_class, &tracked.history, {}, &cursor);
    for (; item != nullptr; item = cx_tree_next(&cursor)) {
      list.push_back(Line(cx_activity_of(item)));
      bytes += cx_activity_weight(cx_activity_of(item));
    }
    EXPECT_EQ(list.size(), tracked.history_count);
    EXPECT_EQ(bytes, tracked.history_bytes);
    return list;
  }

  // What is held of a context: name and holder.
  List Held(const std::string &context) {
    List list;
    cx_tree_cursor cursor;
    cx_tree_item *item = cx_tree_seek(&cx_resource_class, &Tracked(context).resources, {}, &cursor);
    for (; item != nullptr; item = cx_tree_next(&cursor)) {
      struct cx_resource_view view;
      cx_resource_view(cx_resource_of(item), &view);
      EXPECT_FALSE(cx_resource_of(item)->staged);
      list.push_back(Text(view.name) + " " + Text(view.session_id));
    }
    return list;
  }

  // The files of a context: path, last operation, time, count.
  List Files(const std::string &context) {
    List list;
    cx_tree_cursor cursor;
    cx_tree_item *item = cx_tree_seek(&cx_file_class, &Tracked(context).files, {}, &cursor);
    for (; item != nullptr; item = cx_tree_next(&cursor)) {
      struct cx_file_view view;
      cx_file_view(cx_file_of(item), &view);
      list.push_back(Text(view.last.path) + " " + Text(view.last.operation) + " " +
                     std::to_string(view.time_us) + " " + std::to_string(view.operation_count));
    }
    return list;
  }

  // The totals of a context, or with "" of the namespace: model, calls, input tokens.
  List Usage(const std::string &context) {
    List list;
    cx_usage_summary summary = {};
    EXPECT_EQ(CX_OK, context.empty() ? cx_namespaces_summarize_usage(
                                           &state_.namespaces, cx_bytes_of("default"), &summary)
                                     : cx_usage_summarize(&Tracked(context).usage, &summary));
    for (size_t i = 0; i < summary.count; i++) {
      const cx_usage_total &total = summary.totals[i];
      list.push_back(Text(total.model) + " " + std::to_string(total.call_count) + " " +
                     std::to_string(total.input_tokens));
    }
    cx_usage_summary_done(&summary);
    return list;
  }

  std::string detail(const char *key) { return Text(cx_error_detail_get(&error_, key)); }

  // Plans with every allocation failing in turn: each time it says so and leaves no trace,
  // and in the end it is a change.
  void ExpectNoTraceWithoutMemory(const std::function<cx_plan_result()> &plan) {
    uint64_t digest = cx_state_digest(&state_);
    for (size_t nth = 1;; nth++) {
      struct fail_nth fail;
      cx_arena_done(&arena_);
      fail_nth_begin(&fail, nth);
      cx_plan_result result = plan();
      cx_plan_end(&plan_);
      bool failed = fail_nth_end(&fail);
      EXPECT_EQ(digest, cx_state_digest(&state_)) << nth;
      if (!failed) {
        EXPECT_EQ(CX_PLAN_CHANGE, result);
        EXPECT_GT(nth, 1u) << "it allocates something";
        return;
      }
      EXPECT_EQ(CX_PLAN_FAILED, result) << nth;
      EXPECT_EQ("memory", detail("limit")) << nth;
    }
  }

  // Applies what was planned, and expects it to take no memory.
  void ApplyWithoutMemory(cx_plan_result result) {
    struct fail_nth fail;
    cx_buffer encoded = {};
    cx_undo *garbage = nullptr;
    ASSERT_EQ(CX_PLAN_CHANGE, result) << reason();
    ASSERT_EQ(CX_OK, cx_change_encode(&plan_.change, &encoded));
    log_.push_back({Text(cx_buffer_bytes(&encoded)), ++revision_, plan_.now_us});
    cx_buffer_done(&encoded);
    fail_nth_begin(&fail, 1);
    cx_apply(&plan_.stage, &plan_.change, revision_, plan_.now_us, &garbage);
    EXPECT_FALSE(fail_nth_end(&fail)) << "it asked for memory";
    cx_plan_end(&plan_);
    cx_undo_free_list(garbage);
  }

  // ---- Changes that nobody planned, staged as a replay does.

  static cx_change_item Touch(const char *id) {
    cx_change_item item = {};
    item.kind = CX_ITEM_TOUCH;
    item.id = cx_bytes_of(id);
    return item;
  }

  // The same with activities, which the test keeps.
  cx_change_item Touch(const char *id, const std::vector<Activity> &activities,
                       const char *session = "") {
    cx_change_item item = Touch(id);
    std::vector<cx_op> ops(activities.size());
    for (size_t i = 0; i < ops.size(); i++) {
      ops[i].kind = CX_MUTATION_RECORD;
      ops[i].activity = &activities[i].content();
    }
    kept_ops_.push_back(ops);
    item.ops = kept_ops_.back().data();
    item.op_count = ops.size();
    item.first_sequence = ops.empty() ? 0 : Tracked(id).last_sequence + 1;
    item.session_id = cx_bytes_of(session);
    return item;
  }

  cx_change_item Touch(const char *id, const std::vector<cx_activation_step> &steps) {
    cx_change_item item = Touch(id);
    kept_steps_.push_back(steps);
    item.activations = kept_steps_.back().data();
    item.activation_count = steps.size();
    return item;
  }

  static cx_activation_step Step(const char *session, bool active, uint64_t fence = 0) {
    return {cx_bytes_of(session), active, false, fence};
  }

  static cx_session_change SessionChange(cx_session_step step, const char *id) {
    cx_session_change change = {};
    change.step = step;
    change.start.name = {cx_bytes_of("default"), cx_bytes_of(id)};
    return change;
  }

  // Whether it fits, told as a plan would (and then as `set` says); nothing of it is left.
  cx_status Stage(const cx_session_change &session, std::vector<cx_change_item> items,
                  const Set<cx_session_change> &set = {}) {
    cx_change change = {};
    cx_stage stage;
    std::vector<cx_name_key> keys(items.size());
    uint64_t digest = cx_state_digest(&state_);
    cx_status status = cx_stage_begin(&stage, &state_, &arena_, nullptr, items.size());
    change.kind = CX_CHANGE_CONTEXTS;
    change.namespace_id = cx_bytes_of("default");
    change.session = session;
    change.items = items.data();
    change.item_count = items.size();
    TellChange(&state_, &change);
    if (set) set(&change.session);
    if (status == CX_OK) status = cx_stage_session(&stage, &change.session);
    for (size_t i = 0; i < items.size() && status == CX_OK; i++) {
      const cx_context *context = Find(Text(items[i].id));
      if (context != nullptr) items[i].version = context->version;
      keys[i] = NameKey(Text(items[i].id));
      status = cx_stage_item(&stage, cx_bytes_of("default"), &keys[i], &items[i]);
    }
    if (status == CX_OK) status = cx_stage_finish(&stage, &change);
    cx_stage_done(&stage);
    cx_arena_reset(&arena_);
    EXPECT_EQ(digest, cx_state_digest(&state_));
    return status;
  }
  cx_status Stage(const std::vector<cx_change_item> &items) { return Stage({}, items); }

  std::deque<std::string> kept_;
  std::deque<std::vector<cx_op>> kept_ops_;
  std::deque<std::vector<cx_activation_step>> kept_steps_;
  Start start_ = {};
  Activation activation_ = {};
  Resource resource_ = {};
  Write write_ = {};
  Mutations mutations_;

 private:
  static std::string Line(const cx_activity *activity) {
    struct cx_activity_view view;
    cx_activity_view(activity, &view);
    std::string line =
        std::to_string(view.sequence) + " " + Text(view.type) + " " + Text(view.session_id) + " ";
    if (view.detail.kind == CX_DETAIL_RESOURCE) {
      const char *steps[] = {"", "acquired", "released", "reclaimed"};
      return line + Text(view.detail.resource.name) + " " + steps[view.detail.resource.step];
    }
    std::string data(view.data_size, '\0');
    cx_activity_data_copy(&view, reinterpret_cast<uint8_t *>(&data[0]));
    return line + data;
  }
};

#endif  // CX_TESTS_UNIT_STATE_TRACKER_FIXTURE_H
