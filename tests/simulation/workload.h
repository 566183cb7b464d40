// What clients of a simulated server ask for.

#ifndef CX_TESTS_SIMULATION_WORKLOAD_H
#define CX_TESTS_SIMULATION_WORKLOAD_H

#include "tests/simulation/dice.h"
#include "tests/simulation/model.h"
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
  ListQuery NextQuery();

  // The version that a read asks for; 0: the newest.
  uint64_t NextVersion(const Model &model, const Name &name);

  Dice &dice() { return dice_; }

 private:
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
  uint64_t next_request_ = 0;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_WORKLOAD_H
