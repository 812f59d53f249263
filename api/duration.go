package api

import (
	"fmt"
	"time"
)

// Duration is a length of time whose JSON form is a string with units, such as
// "30s" or "1h30m".
type Duration time.Duration

// String returns d as time.Duration writes it.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes d as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration; write it with a unit, such as \"30s\" or \"1h30m\"", clip(string(text)))
	}
	*d = Duration(parsed)
	return nil
}

// clip shortens what somebody sent before it goes into an error text.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
