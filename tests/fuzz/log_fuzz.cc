// A log as it was written, and then damaged in one place.
//
//  - Undamaged, it reads back as what was appended.
//  - Damaged, it is refused, or reads back as a prefix of that: never as something else.
//  - Damage to what a later frame proves, to a header or to a segment in hand is refused.
//  - A refused log is left as it was.
//
// The input writes the log (batches, stops, starts), then says what is damaged.

#include "tests/fuzz/log_support.h"

namespace {

constexpr uint64_t kStepsMax = 24;
constexpr uint64_t kPayloadMax = 400;

// One frame as it lies on the disk.
struct Frame {
  std::string file;
  uint64_t offset;
  uint64_t size;
  cx_record record;
};

class Writer {
 public:
  Writer(FuzzDisk *disk, uint64_t segment_size) : log_(disk->disk, segment_size) {}

  // Follows the input's steps. All that is acknowledged is in `written`.
  void Write(Input *input) {
    Open();
    for (uint64_t i = 0, count = input->Below(kStepsMax); i < count; i++) {
      uint8_t step = input->Byte();
      if (step < 0x20) {
        log_.Close((step & 1) != 0);
        Open();
      } else if (step < 0x30) {
        (void)log_.log->ops->prepare(log_.log);
      } else {
        Append(input, 1 + step % 4);
      }
    }
    log_.Close(input->Flag());
  }

  Records written;

 private:
  void Open() {
    FUZZ_REQUIRE(log_.Open() == CX_OK, "a log that was left well: %s", log_.error.message);
    FUZZ_REQUIRE(log_.ReadAll() == written, "the log reads back as something else");
    FUZZ_REQUIRE(log_.report.torn_bytes == 0, "a log that was left well is torn");
  }

  bool Admit(size_t frame_size) {
    if (log_.log->ops->admit(log_.log, frame_size) == CX_REASON_NONE) return true;
    (void)log_.log->ops->prepare(log_.log);
    return log_.log->ops->admit(log_.log, frame_size) == CX_REASON_NONE;
  }

  void Append(Input *input, size_t count) {
    cx_log_position prev = log_.log->ops->tail(log_.log);
    std::string frames;
    Records added;
    for (size_t i = 0; i < count; i++) {
      std::string payload(input->Below(kPayloadMax), static_cast<char>('a' + written.size() % 26));
      std::string start = input->Take(input->Below(8));
      payload.replace(0, std::min(start.size(), payload.size()), start, 0, payload.size());
      size_t frame_size = cx_log_frame_size(payload.size());
      FUZZ_REQUIRE(Admit(frame_size), "no room on a disk without a limit");
      std::string frame(frame_size, '\xee');
      frame.replace(CX_LOG_HEADER_SIZE, payload.size(), payload);
      uint64_t revision = prev.revision + 1 + i;
      cx_log_frame_begin(reinterpret_cast<uint8_t *>(&frame[0]), revision,
                         static_cast<int64_t>(revision), payload.size());
      frames += frame;
      added.push_back(payload);
    }
    cx_log_batch batch = {reinterpret_cast<uint8_t *>(&frames[0]), frames.size(), prev.revision + 1,
                          count};
    cx_log_position tail;
    FUZZ_REQUIRE(log_.log->ops->append(log_.log, prev, &batch, &tail) == CX_OK, "not appended");
    written.insert(written.end(), added.begin(), added.end());
  }

  FuzzLog log_;
};

// The frames of a log that nobody has damaged, in their order.
std::vector<Frame> FramesOf(const Files &files) {
  std::vector<Frame> frames;
  for (uint64_t number = 1; files.count(LogName(number)) > 0; number++) {
    const std::string &content = files.at(LogName(number));
    uint64_t offset = CX_SEGMENT_HEADER_SIZE;
    while (offset + CX_LOG_HEADER_SIZE <= content.size()) {
      Frame frame = {LogName(number), offset, 0, {}};
      cx_record_decode(reinterpret_cast<const uint8_t *>(&content[offset]), &frame.record);
      if (static_cast<int>(frame.record.kind) == 0) break;
      frame.size = cx_log_frame_size(frame.record.payload_size);
      offset += frame.size;
      frames.push_back(frame);
    }
  }
  return frames;
}

// What is to come of damage.
enum class Verdict { kRefused, kWhole, kCut, kEither };

struct Damaged {
  std::string file;
  uint64_t offset;
  uint64_t size;
};

size_t CountData(const std::vector<Frame> &frames, size_t count) {
  size_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += frames[i].record.kind == CX_RECORD_DATA ? 1 : 0;
  return sum;
}

bool Overlaps(const Frame &frame, const Damaged &damaged) {
  return frame.file == damaged.file && frame.offset < damaged.offset + damaged.size &&
         damaged.offset < frame.offset + frame.size;
}

// Whether a frame behind the one at `hit` shows that this one was durable.
bool IsProven(const std::vector<Frame> &frames, size_t hit) {
  uint64_t good = CountData(frames, hit);
  for (size_t i = hit + 1; i < frames.size(); i++) {
    const cx_record &later = frames[i].record;
    if (later.durable_upto > good || frames[i].file != frames[hit].file ||
        (later.kind == CX_RECORD_DATA && later.revision == good + 1)) {
      return true;
    }
  }
  return false;
}

// What must come of a change to one place that a CRC-32C finds for sure.
Verdict Judge(const std::vector<Frame> &frames, const Damaged &damaged, size_t *ret_kept) {
  const std::string last = frames.empty() ? LogName(1) : frames.back().file;
  if (damaged.offset < CX_SEGMENT_HEADER_SIZE || damaged.file > last) return Verdict::kRefused;
  for (size_t i = 0; i < frames.size(); i++) {
    if (!Overlaps(frames[i], damaged)) continue;
    if (i + 1 < frames.size() && Overlaps(frames[i + 1], damaged)) return Verdict::kEither;
    *ret_kept = CountData(frames, i);
    return IsProven(frames, i) ? Verdict::kRefused : Verdict::kCut;
  }
  *ret_kept = CountData(frames, frames.size());
  return Verdict::kWhole;  // In the zeros behind the last frame of a file.
}

// Changes a run of up to 32 bits, as a CRC-32C finds them all.
Damaged DamageRun(Input *input, FuzzDisk *disk, const Files &files) {
  auto file = files.begin();
  std::advance(file, input->Below(files.size()));
  uint64_t offset = input->Number(2) % file->second.size();
  std::string bytes = file->second.substr(offset, 1 + input->Below(4));
  for (char &byte : bytes) byte = static_cast<char>(byte ^ input->Byte());
  bytes[0] = static_cast<char>(bytes[0] ^ (bytes[0] == file->second[offset] ? 1 : 0));
  while (bytes.back() == file->second[offset + bytes.size() - 1]) bytes.pop_back();
  sim_disk_damage(disk->disk, file->first.c_str(), offset, FuzzBytes(bytes));
  return {file->first, offset, bytes.size()};
}

// Damage without a verdict: zeros, a cut, a piece of elsewhere, a file that is gone.
void DamageMore(Input *input, FuzzDisk *disk, const Files &files) {
  auto file = files.begin();
  std::advance(file, input->Below(files.size()));
  const std::string &content = file->second;
  uint64_t offset = input->Number(2) % content.size() & ~UINT64_C(7);
  std::string bytes(std::min<size_t>(input->Number(2), content.size() - offset), '\0');
  uint64_t from = input->Number(2) % content.size();
  switch (input->Below(5)) {
    case 0:
      sim_disk_damage(disk->disk, file->first.c_str(), offset, FuzzBytes(bytes));
      break;
    case 1:
      bytes = content.substr(from, std::min<size_t>(bytes.size(), content.size() - offset));
      sim_disk_damage(disk->disk, file->first.c_str(), offset, FuzzBytes(bytes));
      break;
    case 2:
      sim_disk_put(disk->disk, file->first.c_str(), FuzzBytes(content.substr(0, offset)));
      break;
    case 3:
      sim_disk_put(disk->disk, LogName(1 + input->Below(files.size())).c_str(), FuzzBytes(content));
      break;
    default:
      sim_disk_remove(disk->disk, file->first.c_str());
  }
}

bool IsPrefix(const Records &part, const Records &whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

void OpenDamaged(FuzzDisk *disk, uint64_t segment_size, const Records &written, Verdict verdict,
                 size_t kept) {
  FuzzLog log(disk->disk, segment_size);
  Files before = disk->Content();
  cx_status status = log.Open();
  if (status != CX_OK) {
    FUZZ_REQUIRE(status == CX_DATA_LOSS || status == CX_FAILED_PRECONDITION, "status %d", status);
    FUZZ_REQUIRE(verdict == Verdict::kRefused || verdict == Verdict::kEither,
                 "refused, though nothing that is proven was hit: %s", log.error.message);
    FUZZ_REQUIRE(disk->Content() == before, "a refused log was changed");
    return;
  }
  Records records = log.ReadAll();
  FUZZ_REQUIRE(IsPrefix(records, written), "the log reads as something that it never was");
  FUZZ_REQUIRE(verdict != Verdict::kRefused, "damage in what was proven durable is accepted");
  FUZZ_REQUIRE(verdict == Verdict::kEither || records.size() == kept, "%zu records, not %zu",
               records.size(), kept);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input(data, size);
  NoLeaks no_leaks;
  FuzzDisk disk;
  uint64_t segment_size = 4 * cx_log_frame_size(kPayloadMax) + 8 * input.Below(256);
  Writer writer(&disk, segment_size);
  writer.Write(&input);

  Files files = disk.Content();
  Verdict verdict = Verdict::kEither;
  size_t kept = 0;
  if (input.Below(4) > 0) {
    verdict = Judge(FramesOf(files), DamageRun(&input, &disk, files), &kept);
  } else {
    DamageMore(&input, &disk, files);
  }
  OpenDamaged(&disk, segment_size, writer.written, verdict, kept);
  return 0;
}
