package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes.
type Size int64

// sizeUnits are in the order in which String tries them.
var sizeUnits = [...]struct {
	name  string
	bytes Size
}{
	{"TiB", 1 << 40}, {"TB", 1e12},
	{"GiB", 1 << 30}, {"GB", 1e9},
	{"MiB", 1 << 20}, {"MB", 1e6},
	{"KiB", 1 << 10}, {"KB", 1e3},
	{"B", 1},
}

// String returns s in the largest unit that divides it, as ParseSize reads it.
func (s Size) String() string {
	if s == 0 {
		return "0B"
	}
	for _, unit := range sizeUnits {
		if s%unit.bytes == 0 {
			return strconv.FormatInt(int64(s/unit.bytes), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// ParseSize reads a whole number with a unit: B, KB, MB, GB or TB for powers of
// 1000, KiB, MiB, GiB or TiB for powers of 1024. Only 0 needs no unit.
func ParseSize(text string) (Size, error) {
	if text == "0" {
		return 0, nil
	}
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	number, unit := text[:digits], text[digits:]
	if number != "" {
		for _, known := range sizeUnits {
			if known.name != unit {
				continue
			}
			count, err := strconv.ParseInt(number, 10, 64)
			if err != nil || count > math.MaxInt64/int64(known.bytes) {
				return 0, fmt.Errorf("is too large")
			}
			return Size(count) * known.bytes, nil
		}
	}
	return 0, fmt.Errorf("is not a size; write a whole number and its unit, such as 64KiB, 1GiB or 1GB")
}
