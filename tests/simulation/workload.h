// What clients of a simulated server ask for.

#ifndef CX_TESTS_SIMULATION_WORKLOAD_H
#define CX_TESTS_SIMULATION_WORKLOAD_H

#include "tests/simulation/dice.h"
#include "tests/simulation/events.h"
#include "tests/simulation/swarm.h"

namespace simulation {

class Workload {
 public:
  Workload(const Swarm *swarm, Dice dice);

  // The next write, which looks at the model so as to be right about as often as wrong.
  Operation NextWrite(const Model &model);

  // One that was asked for before and says it again, or, now and then, says something else under
  // the same request id. False: there was none.
  bool NextRepeat(Operation *ret_operation);

  Name NextName();

  // The name of a session: mostly one that is there.
  Name NextSession(const Model &model);
  ListQuery NextQuery();

  // The version that a read asks for; 0: the newest.
  uint64_t NextVersion(const Model &model, const Name &name);

  ActivityQuery NextActivityQuery(const Model &model, const Name &name);
  RowQuery NextRowQuery(const std::string &prefix);

  // A point of a context, perhaps none, or "": the newest.
  std::string NextPointId(const Model &model, const Name &name);
  PointQuery NextPointQuery();

  Dice &dice() { return dice_; }

 private:
  Operation NextContextWrite(const Model &model);
  void Issue(Operation *operation);

  // ---- Work on contexts, in workload_work.cc.
  Operation NextWorkWrite(const Model &model);
  Operation NextStart(const Model &model);
  Operation NextActivation(const Model &model);
  Operation NextRecord(const Model &model);
  Operation NextCut(const Model &model);
  Operation NextClaim(const Model &model);
  std::string NextSessionId(const Model &model, const std::string &namespace_id);
  std::string NextContextOf(const Model &model, const Name &session);
  void SetAuthor(const Model &model, const Name &name, Part *part);
  uint64_t NextFence(const Model &model, const Name &name, const std::string &session_id);
  std::shared_ptr<const Activity> NextActivity();

  // ---- Recovery points and earlier states, in workload_point.cc.
  Operation NextPointWrite(const Model &model);
  Operation NextPoint(const Model &model);
  Operation NextPointChange(const Model &model);
  Operation NextRestore(const Model &model);
  Operation NextFork(const Model &model);
  Operation NextMerge(const Model &model);
  At NextAt(const Model &model, const Name &name);
  std::string NextLive(const Model &model, const std::string &namespace_id);
  Retention NextRetention();
  Policy NextPolicy();

  Part NextPart(const Model &model, Kind kind, const std::string &namespace_id,
                const std::string &id);
  Properties NextProperties(const std::string &id);
  std::string ParentOf(const std::string &id);
  std::vector<Precondition> NextPreconditions(const Model &model, const Name &name);
  Mutation NextMutation(const Context *context);
  void SetValue(Mutation *mutation);
  std::string NextValue();
  std::string NextId();
  std::string NextKey();
  std::string NextLabel();
  int64_t NextTtl();

  const Swarm *swarm_;
  Dice dice_;
  std::string text_;  // What long values begin with, so that they repeat what was there.
  std::vector<Operation> issued_;
  std::vector<Name> known_sessions_;  // Which are, or were there.
  uint64_t next_request_ = 0;
};

// What a subscriber asks for, in workload_subscribe.cc.
Filter NextFilter(const Swarm &swarm, Dice *dice);

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_WORKLOAD_H
