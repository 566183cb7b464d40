// A data directory that nobody promises anything about: forged by somebody who knows the
// format and its checksums, or plain bytes.
//
//  - The log opens, or says why not.
//  - A log that opened can be read to its end, and opens again with the same records.
//  - One that was refused is left as it was, unless a loss was to be accepted.
//
// The input is a list of files, each a list of pieces: bytes, a header, frames, zeros.

#include "tests/fuzz/log_support.h"

namespace {

constexpr size_t kFilesMax = 6;
constexpr size_t kPiecesMax = 40;
constexpr size_t kFileSizeMax = 16384;

// What goes on from one file to the next.
struct Chain {
  uint64_t revision = 0;
  uint32_t crc = 0;
};

// What a file is made of, and what the checksums of its frames begin with.
class Forger {
 public:
  Forger(Input *input, Chain *chain, uint64_t number) : input_(input), chain_(chain) {
    segment_.identity.epoch = 1;
    segment_.number = number;
    segment_.salt = 7;
  }

  std::string Make() {
    size_t size = input_->Number(1) * 32;
    for (uint64_t i = 0, count = input_->Below(kPiecesMax); i < count; i++) {
      AddPiece(size);
      if (bytes_.size() > kFileSizeMax) break;
    }
    if (bytes_.size() < size && input_->Flag()) bytes_.resize(size, '\0');
    return bytes_;
  }

 private:
  void AddPiece(size_t size) {
    switch (input_->Below(5)) {
      case 0:
        bytes_ += input_->Run();
        break;
      case 1:
        bytes_.resize(bytes_.size() + input_->Below(16) * 8, '\0');
        break;
      case 2:
        AddHeader(size);
        break;
      default:
        AddFrame();
    }
  }

  // A header with a good checksum, in the fields' order of docs/disk-format.md.
  void AddHeader(size_t size) {
    uint8_t odd = input_->Byte();
    std::string header("CXLOG\r\n\x1a", 8);
    if (odd & 1) segment_.identity.epoch = input_->Number(1);
    if (odd & 2) segment_.number = input_->Number(1);
    if (odd & 4) segment_.salt = input_->Number(1);
    if (odd & 8) segment_.identity.log_id[0] = input_->Byte();
    AppendNumber(&header, odd & 16 ? input_->Byte() : uint64_t{CX_SEGMENT_FORMAT}, 4);
    AppendNumber(&header, 0, 4);
    header.append(reinterpret_cast<const char *>(segment_.identity.log_id), 16);
    AppendNumber(&header, segment_.identity.epoch, 8);
    AppendNumber(&header, segment_.number, 8);
    AppendNumber(&header, odd & 32 ? input_->Number(2) : size, 8);
    AppendNumber(&header, segment_.salt, 8);
    std::string crc;
    AppendNumber(&crc, cx_crc32c(0, header.data(), header.size()), 4);
    header.replace(12, 4, crc);
    bytes_ += header;
    SetSeed();
  }

  // The checksum of log id, number and salt.
  void SetSeed() {
    std::string place(reinterpret_cast<const char *>(segment_.identity.log_id), 16);
    AppendNumber(&place, segment_.number, 8);
    AppendNumber(&place, segment_.salt, 8);
    seed_ = cx_crc32c(0, place.data(), place.size());
  }

  // A sealed frame: the next one, but for what the input wants to be odd.
  void AddFrame() {
    uint8_t odd = input_->Byte();
    cx_record record = {};
    record.kind = static_cast<cx_record_kind>(CX_RECORD_DATA + (odd & 3) % 3);
    record.revision = chain_->revision + (record.kind == CX_RECORD_DATA ? 1 : 0);
    if (odd & 4) record.revision = input_->Number(1);
    if (odd & 8) chain_->crc = static_cast<uint32_t>(input_->Number(4));
    uint64_t durable_upto = odd & 16 ? input_->Number(1) : chain_->revision;
    if (odd & 32) record.time_us = static_cast<int64_t>(input_->Number());
    std::string payload = record.kind == CX_RECORD_DATA || (odd & 64) ? input_->Run() : "";
    record.payload_size = static_cast<uint32_t>(payload.size());

    std::string frame(CX_LOG_HEADER_SIZE, '\0');
    frame += payload;
    frame.resize(cx_log_frame_size(payload.size()), '\0');
    auto *data = reinterpret_cast<uint8_t *>(&frame[0]);
    cx_record_encode(&record, data);
    uint32_t crc = cx_record_seal(data, seed_, bytes_.size(), chain_->crc, durable_upto);
    bytes_ += frame;
    if (record.kind == CX_RECORD_DATA) {
      chain_->crc = crc;
      chain_->revision = record.revision;
    }
  }

  static void AppendNumber(std::string *text, uint64_t number, size_t size) {
    for (size_t i = 0; i < size; i++) text->push_back(static_cast<char>(number >> (8 * i)));
  }

  Input *input_;
  Chain *chain_;
  cx_segment segment_ = {};
  uint32_t seed_ = 0;
  std::string bytes_;
};

std::string FileName(Input *input, uint64_t number) {
  char name[CX_SEGMENT_NAME_SIZE];
  uint8_t kind = input->Byte();
  if (kind & 0x20) number = input->Byte();
  switch (kind & 7) {
    default:
      return LogName(number);
    case 5:
      cx_segment_name(CX_SEGMENT_NAME_NEW, number, name);
      return name;
    case 6:
      cx_segment_name(CX_SEGMENT_NAME_ACCEPT, number, name);
      return name;
    case 7:
      return "lo" + std::string(input->Take(input->Below(32)).c_str());
  }
}

// How often an earlier start had decided to set files aside: the next one goes on with
// that. No start decides twice.
size_t CountDecided(const Files &files) {
  size_t count = 0;
  for (const auto &file : files) count += file.first.compare(0, 7, "accept-") == 0 ? 1 : 0;
  return count;
}

void OpenTwice(FuzzDisk *disk, const cx_wal_options &wanted) {
  FuzzLog log(disk->disk, wanted.segment_size);
  log.options.accept_data_loss = wanted.accept_data_loss;
  log.options.sync = wanted.sync;
  Files before = disk->Content();
  cx_status status = log.Open();
  if (status != CX_OK) {
    bool may_change = wanted.accept_data_loss || CountDecided(before) > 0;
    FUZZ_REQUIRE(may_change || disk->Content() == before, "a refused directory was changed");
    return;
  }
  Records records = log.ReadAll();
  cx_log_identity identity = log.report.identity;
  log.Close(false);
  if (CountDecided(before) > 1) return;
  log.options.accept_data_loss = false;
  FUZZ_REQUIRE(log.Open() == CX_OK, "opens only once: %s", log.error.message);
  FUZZ_REQUIRE(log.ReadAll() == records, "the second start reads other records");
  FUZZ_REQUIRE(memcmp(identity.log_id, log.report.identity.log_id, sizeof identity.log_id) == 0,
               "the second start finds another log");
  FUZZ_REQUIRE(log.report.torn_bytes == 0, "the first start left something torn");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input(data, size);
  NoLeaks no_leaks;
  FuzzDisk disk;
  cx_wal_options options = {};
  uint8_t flags = input.Byte();
  options.accept_data_loss = (flags & 1) != 0;
  options.sync = (flags & 2) == 0;
  options.segment_size = 256 + (flags >> 2) * 8;
  Chain chain;
  for (uint64_t i = 0, count = input.Below(kFilesMax); i < count; i++) {
    std::string name = FileName(&input, i + 1);
    std::string content = Forger(&input, &chain, i + 1).Make();
    sim_disk_put(disk.disk, name.c_str(), FuzzBytes(content));
  }
  OpenTwice(&disk, options);
  return 0;
}
