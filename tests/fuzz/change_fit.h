// Makes a change fit a state: what an input draws of versions, sequences, fences, ends and what
// is told of contexts is seldom what would be logged, and a replay stops at the first change that
// is not.

#ifndef CX_TESTS_FUZZ_CHANGE_FIT_H
#define CX_TESTS_FUZZ_CHANGE_FIT_H

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/fuzz/change_support.h"
#include "tests/support/told.h"

extern "C" {
#include "core/state/point.h"
#include "core/state/replay.h"
#include "core/state/state.h"
#include "core/state/tracked.h"
}

// Changes as little of a change as it can. What still does not fit stays: changes that are
// too deep, or meet themselves.
class FitChange {
 public:
  // The state is as before afterwards.
  FitChange(cx_state *state, MadeChange *made)
      : state_(*state), made_(made), change_(made->mutable_change()) {
    if (change_->kind != CX_CHANGE_CONTEXTS) return;
    FitSession();
    std::vector<cx_change_item> items;
    std::set<std::string> seen;
    for (size_t i = 0; i < change_->item_count; i++) {
      if (!seen.insert(FuzzText(change_->items[i].id)).second) continue;
      items.push_back(change_->items[i]);
      FitItem(&items.back());
    }
    made_->SetItems(items);
    FitRequest();
    TellChange(state, change_);
  }

 private:
  static bool Ends(cx_item_kind kind) { return kind >= CX_ITEM_DELETE && kind <= CX_ITEM_FORGET; }

  cx_context *FindContext(cx_bytes id) const {
    cx_name_key key;
    cx_name_key_init(&key, change_->namespace_id, id);
    return cx_state_find(&state_, &key);
  }

  cx_session *FindSession(cx_bytes id) const {
    cx_name_key key;
    cx_name_key_init(&key, change_->namespace_id, id);
    return cx_state_find_session(&state_, &key);
  }

  bool IsLive(cx_bytes session_id) const {
    if (session_id.size == 0) return false;
    const cx_session_change &session = change_->session;
    bool ends = session.step == CX_SESSION_END || session.step == CX_SESSION_LOSE;
    if (session.step != CX_SESSION_NONE && cx_bytes_equal(session.start.name.id, session_id)) {
      return !ends;
    }
    return FindSession(session_id) != nullptr;
  }

  // One of those with the names that are drawn most, or nobody.
  cx_bytes SomeSession() const {
    for (const char *name : {"a", "bb", "c", "aa", "b", "cc"}) {
      cx_bytes id = made_->parts()->Keep(name);
      if (IsLive(id)) return id;
    }
    return {};
  }

  // ---- The session. ----

  void FitSession() {
    cx_session_change *session = &change_->session;
    if (session->step == CX_SESSION_NONE) return;
    cx_session *found = FindSession(session->start.name.id);
    if (found == nullptr && session->step != CX_SESSION_START) {
      session->step = CX_SESSION_START;
      session->start.ttl_us = CX_SESSION_TTL_US_DEFAULT;
    } else if (found != nullptr && session->step == CX_SESSION_START) {
      session->step = CX_SESSION_PART;
    }
    if (session->step == CX_SESSION_END || session->step == CX_SESSION_LOSE) EndSession(found);
    if (session->step != CX_SESSION_SWITCH) return;
    if (found->activation_oldest != nullptr) {
      session->current_id = Copy(cx_context_id(found->activation_oldest->context));
    } else {
      session->step = CX_SESSION_PART;
    }
  }

  // An item for each context that it has active, or of which it holds something.
  void EndSession(const cx_session *session) {
    std::map<std::string, const cx_context *> contexts;
    for (auto *each = session->activation_oldest; each != nullptr; each = each->session_next) {
      contexts[FuzzText(cx_context_id(each->context))] = each->context;
    }
    for (auto *each = session->resource_newest; each != nullptr; each = each->next) {
      contexts[FuzzText(cx_context_id(each->context))] = each->context;
    }
    std::vector<cx_change_item> items;
    for (const auto &each : contexts) items.push_back(EndOfSession(session, each.second));
    made_->SetItems(items);
  }

  cx_change_item EndOfSession(const cx_session *session, const cx_context *context) {
    cx_change_item item = {};
    item.kind = CX_ITEM_TOUCH;
    item.id = Copy(cx_context_id(context));
    item.session_id = change_->session.start.name.id;
    std::vector<cx_op> ops;
    for (auto *each = session->resource_newest; each != nullptr; each = each->next) {
      if (each->context != context) continue;
      struct cx_resource_view view;
      cx_resource_view(each, &view);
      cx_op op = {};
      op.kind = CX_MUTATION_RECORD;
      op.activity = made_->parts()->Reclaim(view.name, view.type);
      ops.push_back(op);
    }
    item.ops = made_->parts()->KeepOps(ops);
    item.op_count = ops.size();
    std::vector<cx_activation_step> steps;
    if (cx_session_find(session, context) != nullptr) steps.push_back({item.session_id, 0, 0, 0});
    item.activations = made_->parts()->KeepSteps(steps);
    item.activation_count = steps.size();
    return item;
  }

  // ---- Items. ----

  void FitItem(cx_change_item *item) {
    cx_context *context = FindContext(item->id);
    bool live = context != nullptr && context->life == CX_CONTEXT_LIVE;
    FitKind(item, context);
    bool makes_state = item->kind == CX_ITEM_CREATE || item->kind == CX_ITEM_UPDATE ||
                       item->kind == CX_ITEM_UNDELETE;
    item->version = context == nullptr ? 1 : context->version + (makes_state ? 1 : 0);
    FitRecovery(item, context);
    if (item->kind == CX_ITEM_CREATE && !IsThere(item->head.parent_id)) item->head.parent_id = {};
    const cx_tracked *tracked = context != nullptr ? context->tracked : nullptr;
    FitActivities(item, tracked);
    FitSteps(item, live ? tracked : nullptr, tracked != nullptr ? tracked->fence : 0);
  }

  bool IsThere(cx_bytes id) const {
    const cx_context *context = id.size > 0 ? FindContext(id) : nullptr;
    return context != nullptr && context->life == CX_CONTEXT_LIVE;
  }

  static void FitKind(cx_change_item *item, const cx_context *context) {
    bool gone = context == nullptr || context->life != CX_CONTEXT_LIVE;
    if (!Ends(item->kind)) {
      bool may_come_back = context != nullptr && context->life == CX_CONTEXT_DELETED;
      if (gone && !(may_come_back && item->kind == CX_ITEM_UNDELETE)) {
        item->kind = CX_ITEM_CREATE;
        item->labels_changed = true;
      } else if (!gone && (item->kind == CX_ITEM_CREATE || item->kind == CX_ITEM_UNDELETE)) {
        item->kind = CX_ITEM_UPDATE;
      }
      return;
    }
    if (context == nullptr || context->life == CX_CONTEXT_BARE) {
      item->kind = CX_ITEM_FORGET;
    } else if (gone && item->kind != CX_ITEM_PURGE) {
      item->kind = CX_ITEM_DROP_STATES;
    } else if (!gone && context->child_count > 0) {
      item->kind = CX_ITEM_UPDATE;
    } else if (!gone && item->kind >= CX_ITEM_DROP_STATES) {
      item->kind = CX_ITEM_DELETE;
    }
  }

  // From the head or the last state alone; steps on points that are there, or new ones.
  void FitRecovery(cx_change_item *item, const cx_context *context) {
    const cx_recovery *recovery = context != nullptr ? context->recovery : nullptr;
    uint64_t last = recovery != nullptr ? recovery->last_sequence : 0;
    std::vector<cx_point_step> points, dropped;
    std::set<std::string> seen;
    item->base = {};
    item->base_id = {};
    item->base_ops = nullptr;
    item->base_op_count = 0;
    item->untold = item->with_history = item->with_points = false;
    item->source = item->merged = {};
    for (size_t i = 0; i < item->point_count && !Ends(item->kind); i++) {
      cx_point_step step = item->points[i];
      if (!seen.insert(FuzzText(step.id)).second) continue;
      const cx_point *point = cx_recovery_find_id(recovery, step.id);
      if (step.kind == CX_POINT_DROP) {
        step.sequence = point != nullptr ? point->sequence : 0;
        if (point != nullptr) dropped.push_back(step);
        continue;
      }
      FitPoint(&step, point, item->version, &last);
      points.push_back(step);
    }
    std::sort(dropped.begin(), dropped.end(), [](const cx_point_step &a, const cx_point_step &b) {
      return a.sequence < b.sequence;
    });
    points.insert(points.end(), dropped.begin(), dropped.end());
    item->points = made_->parts()->KeepPoints(points);
    item->point_count = points.size();
  }

  static void FitPoint(cx_point_step *step, const cx_point *point, uint64_t version,
                       uint64_t *last) {
    if (point == nullptr && step->kind != CX_POINT_PENDING) step->kind = CX_POINT_MAKE;
    if (point != nullptr && step->kind != CX_POINT_REPLACE) step->kind = CX_POINT_CHANGE;
    bool makes = step->kind == CX_POINT_MAKE || step->kind == CX_POINT_REPLACE;
    step->aside = false;
    step->base = {};
    step->ops = nullptr;
    step->op_count = 0;
    step->state_labels = {};
    step->origin = makes ? CX_ORIGIN_CLIENT : 0;
    step->version = makes ? version : 0;
    if (step->kind != CX_POINT_PENDING)
      step->sequence = point != nullptr ? point->sequence : ++*last;
  }

  // Sequences go on, what is kept is there, and resources are taken when nobody has them.
  void FitActivities(cx_change_item *item, const cx_tracked *tracked) {
    std::vector<cx_op> ops(item->ops, item->ops + item->op_count);
    bool records = false;
    for (cx_op &op : ops) {
      op.kept = 0;
      if (op.kind != CX_MUTATION_RECORD) continue;
      records = true;
      cx_activity_content activity = *op.activity;
      if (activity.detail.kind == CX_DETAIL_RESOURCE) FitResource(item, tracked, &activity.detail);
      op.activity = made_->parts()->KeepActivity(activity);
    }
    item->ops = made_->parts()->KeepOps(ops);
    if (records) item->first_sequence = 1 + (tracked != nullptr ? tracked->last_sequence : 0);
  }

  void FitResource(cx_change_item *item, const cx_tracked *tracked, cx_detail *detail) {
    cx_resource_event *event = &detail->resource;
    cx_tree_item *found = tracked != nullptr
                              ? cx_tree_get(&cx_resource_class, &tracked->resources, event->name)
                              : nullptr;
    if (found != nullptr) {
      if (event->step == CX_RESOURCE_ACQUIRED) event->step = CX_RESOURCE_RELEASED;
      item->session_id = Copy(cx_session_id(cx_resource_of(found)->session));
      return;
    }
    event->step = CX_RESOURCE_ACQUIRED;
    if (!IsLive(item->session_id)) item->session_id = SomeSession();
    if (item->session_id.size == 0) *detail = {};
  }

  // Those of sessions that are there; at most one begins, as the last.
  void FitSteps(cx_change_item *item, const cx_tracked *tracked, uint64_t fence) {
    std::vector<cx_activation_step> steps;
    std::set<std::string> ending;
    auto end = [&](cx_bytes session_id) {
      if (ending.insert(FuzzText(session_id)).second) steps.push_back({Copy(session_id), 0, 0, 0});
    };
    auto *oldest = tracked != nullptr ? tracked->activation_oldest : nullptr;
    for (auto *each = oldest; each != nullptr; each = each->context_next) {
      if (Ends(item->kind) || IsAskedToEnd(*item, cx_session_id(each->session))) {
        end(cx_session_id(each->session));
      }
    }
    cx_activation_step begins = {};
    for (size_t i = 0; i < item->activation_count && !Ends(item->kind); i++) {
      if (item->activations[i].active) begins = item->activations[i];
    }
    if (!IsLive(begins.session_id)) begins.session_id = SomeSession();
    if (begins.active && begins.session_id.size > 0) {
      const cx_activation *other = tracked != nullptr ? tracked->exclusive : nullptr;
      if (begins.fence != 0 && other != nullptr) end(cx_session_id(other->session));
      if (begins.fence != 0) begins.fence = fence + 1;
      steps.push_back(begins);
    }
    item->activations = made_->parts()->KeepSteps(steps);
    item->activation_count = steps.size();
  }

  static bool IsAskedToEnd(const cx_change_item &item, cx_bytes session_id) {
    return std::any_of(item.activations, item.activations + item.activation_count,
                       [&](const cx_activation_step &step) {
                         return !step.active && cx_bytes_equal(step.session_id, session_id);
                       });
  }

  // Somebody keeps the mark.
  void FitRequest() {
    cx_request_mark *mark = &change_->request;
    if (mark->owner < change_->item_count || mark->of_session) return;
    mark->owner = 0;
    mark->of_session = change_->item_count == 0 && cx_request_mark_is_set(mark);
    mark->each = mark->each && !mark->of_session;
  }

  cx_bytes Copy(cx_bytes text) { return made_->parts()->Keep(FuzzText(text)); }

  const cx_state &state_;
  MadeChange *made_;
  cx_change *change_;
};

#endif  // CX_TESTS_FUZZ_CHANGE_FIT_H
