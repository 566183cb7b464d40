// Writes and changes scripts of the target `requests` (script.h): whole steps, and fields
// of their requests by name and type, so that most of what is tried is understood by the
// server. Now and then it leaves all that to libFuzzer's own mutations.

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <random>

#include "tests/fuzz/messages.h"
#include "tests/fuzz/script.h"

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

namespace {

constexpr int kDepthMax = 6;
constexpr size_t kStepsMax = 24;

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  void MutateSteps(std::vector<ScriptStep> *steps) {
    size_t count = steps->size();
    uint32_t pick = Below(16);
    if (count == 0 || (pick < 4 && count < kStepsMax)) {
      steps->insert(steps->begin() + Below(count + 1), NewStep());
    } else if (pick == 4) {
      steps->erase(steps->begin() + Below(count));
    } else if (pick == 5 && count < kStepsMax) {
      ScriptStep copy = (*steps)[Below(count)];
      steps->insert(steps->begin() + Below(count + 1), copy);
    } else if (pick == 6) {
      std::swap((*steps)[Below(count)], (*steps)[Below(count)]);
    } else {
      MutateStep(&(*steps)[Below(count)]);
    }
  }

 private:
  uint32_t Below(size_t count) { return static_cast<uint32_t>(random_() % count); }

  ScriptStep NewStep() {
    // Of those that do something, mostly.
    constexpr uint8_t kTracker = 0xa0, kRecovery = 0xc0;
    uint32_t pick = Below(12);
    uint32_t name = pick < 4    ? Below(11)
                    : pick < 7  ? kTracker + Below(18)
                    : pick < 11 ? kRecovery + Below(12)
                                : Below(256);
    ScriptStep step = {static_cast<uint8_t>(name), ""};
    for (uint32_t i = 0, count = 1 + Below(4); i < count; i++) MutateStep(&step);
    return step;
  }

  void MutateStep(ScriptStep *step) {
    ScriptMeaning meaning = ScriptMeaningOf(step->name);
    ScriptList list = ScriptListOf(meaning.kind);
    if (list.name != nullptr) {
      MutateRequest("contextd.v1." + std::string(list.name) + "Request", &step->bytes);
    } else if (meaning.kind != ScriptKind::kCall || Below(16) == 0) {
      step->bytes = MutateBytes(step->bytes);
    } else {
      MutateRequest(meaning.method.declared->input->name, &step->bytes);
    }
  }

  void MutateRequest(const std::string &type, std::string *bytes) {
    std::unique_ptr<Message> message = NewMessage(type);
    if (!message->ParsePartialFromString(*bytes)) message->Clear();
    for (uint32_t i = 0, count = 1 + Below(3); i < count; i++) MutateMessage(message.get(), 0);
    // A string that is no UTF-8 is written all the same: the server has to refuse it.
    *bytes = message->SerializePartialAsString();
  }

  void MutateMessage(Message *message, int depth) {
    const auto *descriptor = message->GetDescriptor();
    const Reflection *reflection = message->GetReflection();
    if (descriptor->field_count() == 0) return;
    const FieldDescriptor *field = descriptor->field(Below(descriptor->field_count()));
    std::vector<const FieldDescriptor *> set;
    reflection->ListFields(*message, &set);
    // What is there already is changed more often, and what is inside of it.
    if (!set.empty() && Below(2) == 0) field = set[Below(set.size())];
    if (field->is_repeated()) {
      MutateRepeated(message, field, depth);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (depth < kDepthMax && Below(8) > 0) {
        MutateMessage(reflection->MutableMessage(message, field), depth + 1);
      } else {
        reflection->ClearField(message, field);
      }
    } else if (Below(8) == 0) {
      reflection->ClearField(message, field);
    } else {
      SetField(message, field);
    }
  }

  void MutateRepeated(Message *message, const FieldDescriptor *field, int depth) {
    const Reflection *reflection = message->GetReflection();
    int count = reflection->FieldSize(*message, field);
    uint32_t pick = Below(8);
    if (count > 0 && pick == 0) {
      reflection->SwapElements(message, field, static_cast<int>(Below(count)), count - 1);
      reflection->RemoveLast(message, field);
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      AddField(message, field);
    } else if (depth < kDepthMax && (count == 0 || pick < 3)) {
      Message *added = reflection->AddMessage(message, field);
      for (int i = 0; i < 3; i++) MutateMessage(added, depth + 1);
    } else if (depth < kDepthMax) {
      MutateMessage(
          reflection->MutableRepeatedMessage(message, field, static_cast<int>(Below(count))),
          depth + 1);
    }
  }

  void SetField(Message *message, const FieldDescriptor *field) {
    const Reflection *reflection = message->GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        reflection->SetString(message, field, Text(field, reflection->GetString(*message, field)));
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(message, field, Below(2) == 0);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(message, field, static_cast<int32_t>(Number()));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(message, field, static_cast<int64_t>(Number()));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(message, field, static_cast<uint32_t>(Number()));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection->SetUInt64(message, field, Number());
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection->SetEnumValue(message, field, static_cast<int>(Below(5)) - (Below(9) == 0));
        break;
      default:
        break;
    }
  }

  void AddField(Message *message, const FieldDescriptor *field) {
    const Reflection *reflection = message->GetReflection();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection->AddString(message, field, Text(field, ""));
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      reflection->AddEnumValue(message, field, static_cast<int>(Below(5)));
    }
  }

  // Small ones, those around the limits and the moments of the script's clock, any.
  uint64_t Number() {
    static const uint64_t kKnown[] = {
        100,          1000,     1001,       1700000000,     1700000001,
        315360000000, 1u << 31, UINT64_MAX, UINT64_MAX - 1, 999999999};
    switch (Below(4)) {
      case 0:
        return kKnown[Below(sizeof kKnown / sizeof kKnown[0])];
      case 1:
        return random_() >> Below(64);
      default:
        return Below(8);
    }
  }

  std::string Text(const FieldDescriptor *field, const std::string &before) {
    static const char *const kNames[] = {"a", "b", "c", "k", "k1", "k2", "default", "r1", "r2"};
    bool is_value = field->name() == "value" || field->name() == "data";
    uint32_t pick = Below(16);
    if (pick < 10 && field->name() == "session_id") return Below(3) > 0 ? "s1" : "s2";
    if (pick < 10 && !is_value) return kNames[Below(sizeof kNames / sizeof kNames[0])];
    if (pick < 12) return MutateBytes(before);
    if (pick == 12) return "\xff";
    if (pick == 13) return std::string(1, '\0');
    // Long: around the limits of names, of texts, and of values that lie in chunks.
    static const size_t kSizes[] = {63,  64,  65,   128,  129,  256,  257,
                                    512, 513, 1024, 1025, 4096, 4097, 6000};
    std::string text(kSizes[Below(sizeof kSizes / sizeof kSizes[0])], 'x');
    if (is_value && Below(2) == 0) return before + text.substr(0, Below(text.size()));
    for (uint32_t i = Below(4); i > 0; i--) text[Below(text.size())] = static_cast<char>('a' + i);
    return text;
  }

  std::string MutateBytes(std::string bytes) {
    size_t size = bytes.size();
    bytes.resize(size + 64);
    bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(&bytes[0]), size, bytes.size()));
    return bytes;
  }

  std::mt19937_64 random_;
};

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                                          unsigned seed) {
  if (seed % 16 == 0) return LLVMFuzzerMutate(data, size, size_max);
  std::vector<ScriptStep> steps = ScriptRead(data, size);
  Mutator(seed).MutateSteps(&steps);
  std::string text = ScriptWrite(steps);
  if (text.size() > size_max) return LLVMFuzzerMutate(data, size, size_max);
  std::copy(text.begin(), text.end(), data);
  return text.size();
}
