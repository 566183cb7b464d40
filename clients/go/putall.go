package contextd

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// What a piece of PutAll leaves free of a message for the rest of the request.
const pieceRoom = 64 << 10

// What is taken for message_size_max where the server does not tell it.
const messageSizeDefault = 4 << 20

// PutAll sets many entries, more than fit into a message: in pieces, in their order. It is not one
// step: others may see some of it. The options' conditions go with the first piece, and last, which
// makes what was written visible (such as SetMetadata), with the last one. One that broke is finished
// by calling it again. A value larger than a piece is put as its first part, and then appended to.
func (c *Context) PutAll(
	ctx context.Context, entries iter.Seq[PutEntry], last []Step, options ...WriteOption,
) (Written, error) {
	info, err := c.client.ServerInfo(ctx)
	if err != nil {
		return Written{}, err
	}
	writer := &pieceWriter{context: c, room: pieceSize(info), options: writeOptionsOf(options)}
	for entry := range entries {
		if err := writer.put(ctx, entry); err != nil {
			return writer.written, err
		}
	}
	for _, step := range mutations(last) {
		if err := writer.add(ctx, step); err != nil {
			return writer.written, err
		}
	}
	if len(writer.steps) == 0 && writer.written.RequestID == "" {
		return Written{}, invalidField("mutations", "must not be empty")
	}
	return writer.written, writer.flush(ctx)
}

func pieceSize(info ServerInfo) int {
	size := parseSize(info.Settings["message_size_max"])
	if size == 0 {
		size = messageSizeDefault
	}
	return max(size-pieceRoom, pieceRoom)
}

// parseSize reads a size of the configuration, such as 4MiB. 0: it is none.
func parseSize(text string) int {
	for unit, shift := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
		if digits, found := strings.CutSuffix(text, unit); found {
			number, _ := strconv.Atoi(digits)
			return number << shift
		}
	}
	number, _ := strconv.Atoi(strings.TrimSuffix(text, "B"))
	return number
}

// pieceWriter collects steps until they fill a message.
type pieceWriter struct {
	context *Context
	room    int
	options writeOptions // Of the next piece.
	steps   []*pb.Mutation
	size    int
	written Written
}

func (w *pieceWriter) put(ctx context.Context, entry PutEntry) error {
	if len(entry.Value) <= w.room/2 {
		return w.add(ctx, entry.message())
	}
	first := entry
	first.Value = entry.Value[:w.room/2]
	if err := w.add(ctx, first.message()); err != nil {
		return err
	}
	for at := w.room / 2; at < len(entry.Value); at += w.room / 2 {
		size := uint64(at)
		part := AppendEntry{
			Key: entry.Key, Value: entry.Value[at:min(at+w.room/2, len(entry.Value))],
			ContentType: entry.ContentType, ExpectedSize: &size,
		}
		if err := w.add(ctx, part.message()); err != nil {
			return err
		}
	}
	return nil
}

func (w *pieceWriter) add(ctx context.Context, step *pb.Mutation) error {
	size := proto.Size(step) + 8
	if len(w.steps) > 0 && (w.size+size > w.room || len(w.steps) == mutationsMax) {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	w.steps = append(w.steps, step)
	w.size += size
	return nil
}

// flush writes a piece. Each has a request id of its own: the first one that of the options.
func (w *pieceWriter) flush(ctx context.Context) error {
	if len(w.steps) == 0 {
		return nil
	}
	written, err := w.context.update(ctx, w.steps, w.options)
	if err != nil {
		return err
	}
	w.written = written
	w.steps, w.size = nil, 0
	w.options = writeOptions{requestID: orNewID("")}
	return nil
}
