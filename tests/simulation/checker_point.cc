// Reads of recovery points.

#include <algorithm>

#include "tests/simulation/checker.h"

namespace simulation {

void Checker::EndPoint(const std::shared_ptr<Call> &call, const std::string &id,
                       const ShownPoint &shown) {
  Name name = call->operation.name();
  EndRead(call, "point '" + id + "' of " + name.text(), [=](const Model &model) -> std::string {
    try {
      const Point &point = model.GetPoint(name, id, call->now_us);
      if (!call->answer.failure.empty()) return "it is there";
      return Difference(model.Find(name)->points(), point, shown);
    } catch (const Failure &failure) {
      return failure.text == call->answer.failure ? "" : failure.text;
    }
  });
}

void Checker::EndPoints(const std::shared_ptr<Call> &call, const PointQuery &query,
                        const ShownPoints &page) {
  Name name = call->operation.name();
  EndRead(call, "the points of " + name.text(), [=](const Model &model) -> std::string {
    try {
      bool more = false;
      auto points = model.ListPoints(name, query, call->now_us, &more);
      if (!call->answer.failure.empty()) return "they are there";
      if (points.size() != page.rows.size()) {
        return std::to_string(points.size()) + " points, not " + std::to_string(page.rows.size());
      }
      if (more != page.more) return more ? "there are more" : "there are no more";
      for (size_t i = 0; i < points.size(); i++) {
        std::string difference = Difference(model.Find(name)->points(), *points[i], page.rows[i]);
        if (!difference.empty()) return points[i]->id + ": " + difference;
      }
      return "";
    } catch (const Failure &failure) {
      return failure.text == call->answer.failure ? "" : failure.text;
    }
  });
}

void Checker::EndAllPoints(const std::shared_ptr<Call> &call, const PointQuery &query,
                           const ShownPoints &before, const ShownPoints &page) {
  Later(call, [this, call, query, before, page] { CheckAllPoints(*call, query, before, page); });
}

// Whether a list of the points of all contexts shows one, at a moment.
static bool Shows(const Model &model, const Name &name, uint64_t sequence, uint64_t revision,
                  const PointQuery &query, int64_t now_us) {
  const Context *context = model.Find(name);
  if (!IsLive(context) || Model::IsExpired(*context, now_us)) return false;
  const Point *point = context->points().At(sequence);
  if (point == nullptr || point->revision != revision || point->IsExpired(now_us)) return false;
  for (const auto &[key, value] : query.labels) {
    auto found = point->labels.find(key);
    if (found == point->labels.end() || found->second != value) return false;
  }
  return true;
}

// The newest first. The rows need not be of one moment.
void Checker::CheckAllPoints(const Call &call, const PointQuery &query, const ShownPoints &before,
                             const ShownPoints &page) {
  uint64_t last = std::min(call.last, call.wait_for);
  uint64_t revision = before.last_revision != 0 ? before.last_revision : UINT64_MAX;
  std::set<std::pair<Name, uint64_t>> seen;
  if (IsStarved(call, call.answer.failure)) return;
  if (!call.answer.failure.empty()) Fail(call, "a list of points fails");
  if (page.rows.size() > query.count_max) Fail(call, "a page holds too many points");
  for (const ShownPoint &row : page.rows) {
    const Name &name = row.state.name;
    std::string difference = "it is in no list";
    if (row.point.revision > revision) Fail(call, "points are not in order");
    revision = row.point.revision;
    if (!seen.insert({name, row.point.sequence}).second) Fail(call, "a point is listed twice");
    for (uint64_t at = last + 1; at > call.first && !difference.empty(); at--) {
      const Model &model = At(at - 1);
      if (!Shows(model, name, row.point.sequence, row.point.revision, query, call.now_us)) continue;
      const Recovery &recovery = model.Find(name)->points();
      difference = Difference(recovery, *recovery.At(row.point.sequence), row);
    }
    if (!difference.empty())
      Fail(call,
           "point " + row.point.id + " of " + name.text() + " is listed wrongly: " + difference);
  }
  for (const auto &[name, context] : At(call.last).contexts()) {
    if (name.namespace_id != call.operation.namespace_id) continue;
    for (const auto &[sequence, point] : context->points().points) {
      bool in_page = (before.last_revision == 0 || point->revision < before.last_revision) &&
                     (!page.more || point->revision > page.last_revision);
      if (!in_page || seen.count({name, sequence}) > 0) continue;
      bool always = true;
      for (uint64_t at = call.first; at <= call.last && always; at++) {
        always = Shows(At(at), name, sequence, point->revision, query, call.now_us);
      }
      if (always) Fail(call, "a list of points lacks " + point->id + " of " + name.text());
    }
  }
}

}  // namespace simulation
