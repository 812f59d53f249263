package main

import (
	"fmt"
	"strconv"
	"strings"
)

// object is what a path of the origin names.
type object struct {
	set    string
	size   int // bytes of the body, at least sequenceBytes
	number int
}

func parseObject(path string) (object, error) {
	parts := strings.Split(path, "/")
	if len(parts) != 4 || parts[0] != "" || parts[1] == "" {
		return object{}, fmt.Errorf("%q is not /SET/SIZE/NUMBER", path)
	}
	digits, kilo := strings.CutSuffix(parts[2], "k")
	size, err := strconv.Atoi(digits)
	if err != nil {
		return object{}, fmt.Errorf("size in %q: %w", path, err)
	}
	if kilo {
		size *= 1024
	}
	if size < sequenceBytes || size > maxObjectBytes {
		return object{}, fmt.Errorf("size in %q is not from %d to %d bytes", path, sequenceBytes, maxObjectBytes)
	}
	number, err := strconv.Atoi(parts[3])
	if err != nil || number < 0 {
		return object{}, fmt.Errorf("%q ends in no number", path)
	}
	return object{set: parts[1], size: size, number: number}, nil
}

func (o object) path() string {
	size := strconv.Itoa(o.size)
	if o.size%1024 == 0 {
		size = strconv.Itoa(o.size/1024) + "k"
	}
	return "/" + o.set + "/" + size + "/" + strconv.Itoa(o.number)
}

// Surrogate keys of an object.
func (o object) key() string      { return "object-" + o.set + "-" + strconv.Itoa(o.number) }
func (o object) groupKey() string { return groupKey(o.set, o.number/groupSize) }

// moreKeys returns how many keys an object has beside those: a set's name says
// so, as in "pages+12".
func (o object) moreKeys() int {
	_, more, _ := strings.Cut(o.set, "+")
	n, err := strconv.Atoi(more)
	if err != nil {
		return 0
	}
	return max(0, min(n, maxMoreKeys))
}

// maxMoreKeys bounds the keys of an object: all of them stay within what caches
// take of a header field.
const maxMoreKeys = 100

func groupKey(set string, group int) string { return "group-" + set + "-" + strconv.Itoa(group) }
func setKey(set string) string              { return "set-" + set }

// filler is what bodies consist of after their number.
var filler = strings.Repeat("Rescind withdraws pages at once. ", maxObjectBytes/33+1)

func (o object) appendBody(out []byte, sequence uint64) []byte {
	out = fmt.Appendf(out, "%0*x", sequenceBytes, sequence)
	return append(out, filler[:o.size-sequenceBytes]...)
}

// checkBody returns the number in a body, or what is wrong with the body.
func (o object) checkBody(body []byte) (uint64, error) {
	if len(body) != o.size {
		return 0, fmt.Errorf("%s: a body of %d bytes, want %d", o.path(), len(body), o.size)
	}
	sequence, err := strconv.ParseUint(string(body[:sequenceBytes]), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: the body does not begin with a number: %w", o.path(), err)
	}
	if string(body[sequenceBytes:]) != filler[:o.size-sequenceBytes] {
		return 0, fmt.Errorf("%s: the body is not what the origin sent", o.path())
	}
	return sequence, nil
}
