package model

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A value is made of pieces, each with a token that no other piece of a run has, so
// that whoever reads it knows which requests made it. Histories hold the compact form,
// `<token:padding>` for each piece; the server holds each followed by its padding.

// Padding that is as long as the longest piece.
var padding = bytes.Repeat([]byte{'.'}, 1<<20)

var pieceForm = regexp.MustCompile(`^<[0-9.]+:([0-9]{1,7})>`)

// Piece makes the compact form of a piece with so many bytes of padding.
func Piece(token string, size int) string {
	return fmt.Sprintf("<%s:%d>", token, size)
}

// Expand makes what the server gets from the compact form.
func Expand(value string) []byte {
	var expanded []byte
	for len(value) > 0 {
		form := pieceForm.FindStringSubmatch(value)
		size, _ := strconv.Atoi(form[1])
		expanded = append(append(expanded, form[0]...), padding[:size]...)
		value = value[len(form[0]):]
	}
	return expanded
}

// Compact makes the compact form of what the server gave. Bytes that nobody wrote stay
// as they are, quoted, so that no model holds the same.
func Compact(expanded []byte) string {
	var value strings.Builder
	for len(expanded) > 0 {
		form := pieceForm.FindSubmatch(expanded)
		if form == nil {
			return value.String() + fmt.Sprintf("%.80q", expanded)
		}
		size, _ := strconv.Atoi(string(form[1]))
		rest := expanded[len(form[0]):]
		if size > len(rest) || size > len(padding) || !bytes.Equal(rest[:size], padding[:size]) {
			return value.String() + fmt.Sprintf("%.80q", expanded)
		}
		value.Write(form[0])
		expanded = rest[size:]
	}
	return value.String()
}

// size is how many bytes the server counts.
func size(value string) uint64 {
	total := uint64(len(value))
	for len(value) > 0 {
		form := pieceForm.FindStringSubmatch(value)
		padded, _ := strconv.ParseUint(form[1], 10, 64)
		total += padded
		value = value[len(form[0]):]
	}
	return total
}

// tokens lists the pieces of a value, each in its compact form.
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
