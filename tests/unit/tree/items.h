// Items that count how many of them live, and what tests of trees need to use them.

#ifndef CX_TESTS_UNIT_TREE_ITEMS_H
#define CX_TESTS_UNIT_TREE_ITEMS_H

extern "C" {
#include "core/base/memory.h"
#include "core/tree/tree.h"
}

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>

namespace tree_items {

struct Item {
  cx_tree_item head;
  int value;
  char key[1];
};

inline std::atomic<int> live{0};

inline void FreeItem(cx_tree_item *item) {
  live--;
  free(item);
}

inline const cx_tree_class kKind = {offsetof(Item, key), FreeItem, false};
inline const cx_tree_class kShort = {offsetof(Item, key), FreeItem, true};

// An item with one reference. Not from the memory that tests make fail.
inline cx_tree_item *NewItem(const std::string &key, int value) {
  auto *item = static_cast<Item *>(malloc(sizeof(Item) + key.size()));
  live++;
  item->head.refs = 1;
  item->head.key_size = static_cast<uint16_t>(key.size());
  item->head.extra = 0;
  item->value = value;
  memcpy(item->key, key.data(), key.size());
  return &item->head;
}

inline cx_bytes Bytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

inline int ValueOf(const cx_tree_item *item) { return reinterpret_cast<const Item *>(item)->value; }

inline std::string KeyOf(const cx_tree_item *item) {
  return std::string(reinterpret_cast<const Item *>(item)->key, item->key_size);
}

inline cx_status Put(cx_tree *tree, const std::string &key, int value,
                     cx_tree_pool *pool = nullptr) {
  cx_tree_item *item = NewItem(key, value);
  cx_tree_item *old = nullptr;
  cx_status status = cx_tree_put(&kKind, tree, pool, item, &old);

  cx_tree_item_unref(&kKind, status == CX_OK ? old : item);
  return status;
}

inline cx_status Remove(cx_tree *tree, const std::string &key, cx_tree_pool *pool = nullptr) {
  cx_tree_item *old = nullptr;
  cx_status status = cx_tree_remove(&kKind, tree, pool, Bytes(key), &old);

  if (status == CX_OK) cx_tree_item_unref(&kKind, old);
  return status;
}

using Map = std::map<std::string, int>;

// What a tree holds, read from its beginning.
inline Map Content(const cx_tree &tree) {
  Map content;
  cx_tree_cursor cursor;

  for (cx_tree_item *item = cx_tree_seek(&kKind, &tree, {nullptr, 0}, &cursor); item != nullptr;
       item = cx_tree_next(&cursor)) {
    content.emplace_hint(content.end(), KeyOf(item), ValueOf(item));
  }
  return content;
}

// Keys as they occur: a few long beginnings, numbers behind them, and some that are
// the beginning of others or hold zeros.
inline std::string RandomKey(std::mt19937 *random, int range) {
  static const char *const kBegin[] = {"default", "default", "default", "tenant-with-a-long-name",
                                       "a",       ""};
  int number = static_cast<int>((*random)() % static_cast<unsigned>(range));
  std::string key = kBegin[(*random)() % 6];

  key += '\0';
  switch ((*random)() % 8) {
    case 0:
      return key + std::string(static_cast<size_t>(number % 12), '\0');
    case 1:
      return key + std::string(static_cast<size_t>(number % 300), 'x') + std::to_string(number);
    default:
      return key + "ctx-" + std::to_string(1000000 + number);
  }
}

}  // namespace tree_items

#endif  // CX_TESTS_UNIT_TREE_ITEMS_H
