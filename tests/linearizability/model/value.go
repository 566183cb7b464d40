package model

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
)

// A value is made of pieces, each with a token that no other piece of a run has, so
// that whoever reads it knows which requests made it. Histories hold the compact form,
// `<token:padding>` for each piece; the server holds each followed by its padding, bytes
// that follow from the token.

// Where all padding comes from: the same bytes in every run, which look like none.
var pool = func() []byte {
	bytes := make([]byte, 4<<20)
	rand.NewChaCha8([32]byte{}).Read(bytes)
	return bytes
}()

// pad is the padding of a piece, given its compact form.
func pad(piece string, size int) []byte {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(piece))
	from := int(hash.Sum64() % uint64(len(pool)-size))
	return pool[from : from+size]
}

// PaddingMax is the largest padding of a piece.
const PaddingMax = 1 << 20

var pieceForm = regexp.MustCompile(`^<[0-9.]+:([0-9]{1,7})>`)

// Piece makes the compact form of a piece with so many bytes of padding.
func Piece(token string, size int) string {
	return fmt.Sprintf("<%s:%d>", token, size)
}

// Expand makes what the server gets from the compact form.
func Expand(value string) []byte {
	var expanded []byte
	for _, piece := range tokens(value) {
		expanded = append(append(expanded, piece...), pad(piece, padding(piece))...)
	}
	return expanded
}

// padding is how many bytes follow a piece, given its compact form.
func padding(piece string) int {
	size, _ := strconv.Atoi(pieceForm.FindStringSubmatch(piece)[1])
	return size
}

// Compact makes the compact form of what the server gave. Bytes that nobody wrote stay
// as they are, quoted, so that no model holds the same.
func Compact(expanded []byte) string {
	var value strings.Builder
	for len(expanded) > 0 {
		piece := string(pieceForm.Find(expanded))
		if piece == "" {
			return value.String() + fmt.Sprintf("%.80q", expanded)
		}
		size, rest := padding(piece), expanded[len(piece):]
		if size > min(len(rest), PaddingMax) || !bytes.Equal(rest[:size], pad(piece, size)) {
			return value.String() + fmt.Sprintf("%.80q", expanded)
		}
		value.WriteString(piece)
		expanded = rest[size:]
	}
	return value.String()
}

// Size is how many bytes the server counts.
func Size(value string) uint64 {
	total := 0
	for _, piece := range tokens(value) {
		total += len(piece) + padding(piece)
	}
	return uint64(total)
}

// lastPiece is the piece that was added last, in its compact form.
func lastPiece(value string) string {
	pieces := tokens(value)
	if len(pieces) == 0 {
		return ""
	}
	return pieces[len(pieces)-1]
}

// tokens lists the pieces of a value, each in its compact form, up to damage if there is
// any.
func tokens(value string) []string {
	var pieces []string
	for len(value) > 0 {
		form := pieceForm.FindString(value)
		if form == "" {
			return pieces
		}
		pieces = append(pieces, form)
		value = value[len(form):]
	}
	return pieces
}
