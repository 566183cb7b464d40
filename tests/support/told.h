// Lets changes that nobody planned tell of their contexts and of their session what they would
// if somebody had.

#ifndef CX_TESTS_SUPPORT_TOLD_H
#define CX_TESTS_SUPPORT_TOLD_H

extern "C" {
#include "core/base/arena.h"
#include "core/state/stage.h"
#include "core/state/stage_head.h"
}

#include <vector>

// Sets the heads of the items, and what is told of the session, of a change whose names are
// names, as far as it fits the state. The state is as before afterwards.
inline void TellChange(cx_state *state, cx_change *change) {
  std::vector<cx_name_key> keys(change->item_count);
  cx_arena arena = {};
  cx_error error = {};
  cx_stage stage;
  cx_status status = cx_stage_begin(&stage, state, &arena, &error, change->item_count);
  if (status == CX_OK) status = cx_stage_session(&stage, &change->session);
  for (size_t i = 0; i < change->item_count && status == CX_OK; i++) {
    cx_change_item *item = &change->items[i], staged = *item;
    cx_name_key_init(&keys[i], change->namespace_id, item->id);
    stage.error = nullptr;  // Limits are for those who plan.
    status = cx_stage_item(&stage, change->namespace_id, &keys[i], &staged);
    if (status == CX_RESOURCE_EXHAUSTED || stage.items[i].context == nullptr) break;
    stage.error = &error;
    status = cx_stage_head(&stage, &stage.items[i], &staged);
    cx_bytes parent_id = item->head.parent_id;
    item->head = staged.head;
    if (item->kind == CX_ITEM_CREATE) item->head.parent_id = parent_id;  // Outlives the stage.
  }
  cx_stage_done(&stage);
  cx_arena_done(&arena);
}

#endif  // CX_TESTS_SUPPORT_TOLD_H
