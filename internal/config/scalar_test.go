package config_test

import (
	"math"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/config"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]config.Size{
		"0": 0, "0B": 0, "1B": 1, "64KiB": 64 << 10, "1KB": 1000, "3MB": 3e6, "2MiB": 2 << 20,
		"1GiB": 1 << 30, "1GB": 1e9, "5TB": 5e12, "1TiB": 1 << 40,
	} {
		if got, err := config.ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "1", "64", "64k", "64K", "64kb", "1 GiB", "1.5GiB", "-1B", "+1B", "GiB", "1GiBx", "1e3B", "0x1B",
		"9999999999999999999B", "9999999TiB", " 1B", "1B ",
	} {
		if got, err := config.ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", text, got)
		}
	}
}

func TestSizeReadsBack(t *testing.T) {
	for _, size := range []config.Size{0, 1, 1000, 1024, 1500, 1 << 20, 1e9, 1<<30 + 1, math.MaxInt64} {
		if got, err := config.ParseSize(size.String()); err != nil || got != size {
			t.Errorf("%d is written as %s and read as %d, %v", size, size, got, err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "90s": 90 * time.Second, "2m": 2 * time.Minute, "1h30m": 90 * time.Minute,
		"1d": 24 * time.Hour, "500ms": 500 * time.Millisecond, "1d2h3m4s5ms": 26*time.Hour + 3*time.Minute + 4005*time.Millisecond,
		"36500d": 36500 * 24 * time.Hour,
	} {
		if got, err := config.ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "1", "90", "s", "1.5h", "-1s", "1s1s", "1m1h", "1 s", "1w", "1sec", "1S", "1h30", "1dd", "36501d",
		"99999999999999999999s", "36500d1ms", "1ns",
	} {
		if got, err := config.ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
}

func FuzzScalars(f *testing.F) {
	for _, seed := range []string{"0", "64KiB", "1h30m", "1d2h3m4s5ms", "9223372036854775807B", "36500d", "99999d99999h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if size, err := config.ParseSize(text); err == nil {
			if back, err := config.ParseSize(size.String()); size < 0 || err != nil || back != size {
				t.Errorf("size %q: %d reads back as %d, %v", text, size, back, err)
			}
		}
		if d, err := config.ParseDuration(text); err == nil && (d < 0 || d > 100*365*24*time.Hour) {
			t.Errorf("duration %q: %v", text, d)
		}
	})
}
